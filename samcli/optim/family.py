"""Importing a variant's file enters it into VARIANTS; this order is that of `samcli list optimizers`."""

# isort: off
# where to look
from samcli.optim import sam
from samcli.optim import asam

# what to descend

# paying less
