"""The members of the family, one file each; this order is that of `samcli list optimizers`.

Importing a variant's file enters it into `VARIANTS`. A variant imports no other: what two of them share is a file whose
name begins with an underscore.
"""

# isort: off
# where to look
from samcli.optim.variants.sam import SAM as SAM
from samcli.optim.variants.asam import ASAM as ASAM
from samcli.optim.variants.asam_elementwise import ASAMElementwise as ASAMElementwise
from samcli.optim.variants.usam import USAM as USAM
from samcli.optim.variants.fisher_sam import FisherSAM as FisherSAM
from samcli.optim.variants.friendly_sam import FriendlySAM as FriendlySAM
from samcli.optim.variants.vasso import VaSSO as VaSSO
from samcli.optim.variants.sparse_sam_f import SparseSAMF as SparseSAMF
from samcli.optim.variants.sparse_sam_d import SparseSAMD as SparseSAMD
from samcli.optim.variants.sam_on import SAMON as SAMON
from samcli.optim.variants.random_sam import RandomSAM as RandomSAM
from samcli.optim.variants.n_sam import NSAM as NSAM
from samcli.optim.variants.rwp import RWP as RWP
from samcli.optim.variants.random_direction import RandomDirection as RandomDirection

# what to descend
from samcli.optim.variants.gsam import GSAM as GSAM
from samcli.optim.variants.wsam import WSAM as WSAM
from samcli.optim.variants.gnp import GNP as GNP
from samcli.optim.variants.gam import GAM as GAM
from samcli.optim.variants.cr_sam import CRSAM as CRSAM
from samcli.optim.variants.bsam import BSAM as BSAM
from samcli.optim.variants.stable_sam import StableSAM as StableSAM
from samcli.optim.variants.lookbehind import Lookbehind as Lookbehind
from samcli.optim.variants.frob_sam import FrobSAM as FrobSAM
from samcli.optim.variants.trace_sam import TraceSAM as TraceSAM

# paying less
from samcli.optim.variants.looksam import LookSAM as LookSAM
from samcli.optim.variants.ss_sam import StochasticScheduledSAM as StochasticScheduledSAM
from samcli.optim.variants.ae_sam import AdaptiveSAM as AdaptiveSAM
from samcli.optim.variants.sam_every import SAMEvery as SAMEvery
from samcli.optim.variants.esam import ESAM as ESAM
from samcli.optim.variants.msam import MSAM as MSAM
from samcli.optim.variants.async_sam import AsyncSAM as AsyncSAM
from samcli.optim.variants.saf import SAF as SAF
from samcli.optim.variants.mesa import MESA as MESA
from samcli.optim.variants.sampa import SAMPa as SAMPa
