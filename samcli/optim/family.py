"""Importing a variant's file enters it into VARIANTS; this order is that of `samcli list optimizers`."""

# isort: off
# where to look
from samcli.optim import sam
from samcli.optim import asam
from samcli.optim import asam_elementwise
from samcli.optim import usam
from samcli.optim import fisher_sam
from samcli.optim import friendly_sam
from samcli.optim import vasso
from samcli.optim import sparse_sam
from samcli.optim import sam_on
from samcli.optim import random_sam
from samcli.optim import rwp

# what to descend
from samcli.optim import gsam
from samcli.optim import wsam
from samcli.optim import gnp
from samcli.optim import gam
from samcli.optim import cr_sam
from samcli.optim import bsam
from samcli.optim import stable_sam
from samcli.optim import lookbehind
from samcli.optim import frob_sam
from samcli.optim import trace_sam

# paying less
from samcli.optim import looksam
from samcli.optim import ss_sam
from samcli.optim import ae_sam
from samcli.optim import sam_every
from samcli.optim import esam
from samcli.optim import msam
from samcli.optim import async_sam
from samcli.optim import saf
from samcli.optim import mesa
from samcli.optim import sampa
