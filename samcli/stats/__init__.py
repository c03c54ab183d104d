"""The statistics of a few seeds. A library of its own: numpy and scipy are all it needs."""

from samcli.stats._summary import Summary as Summary
from samcli.stats._summary import summarise as summarise
from samcli.stats.correlation import RankCorrelation as RankCorrelation
from samcli.stats.correlation import kendall as kendall
from samcli.stats.correlation import kendall_within as kendall_within
from samcli.stats.effect import detectable as detectable
from samcli.stats.effect import pairs_to_decide as pairs_to_decide
from samcli.stats.effect import standardised as standardised
from samcli.stats.effect import superiority as superiority
from samcli.stats.equivalence import Equivalence as Equivalence
from samcli.stats.equivalence import equivalence as equivalence
from samcli.stats.holm import holm as holm
from samcli.stats.interior import inside_against_ends as inside_against_ends
from samcli.stats.paired import PairedDifference as PairedDifference
from samcli.stats.paired import paired_difference as paired_difference
from samcli.stats.sign_flip import pairs_needed as pairs_needed
from samcli.stats.sign_flip import sign_flip as sign_flip
from samcli.stats.sign_flip import smallest_p as smallest_p
from samcli.stats.step_down import step_down as step_down
from samcli.stats.trend import slopes as slopes
from samcli.stats.verdict import Verdict as Verdict
from samcli.stats.verdict import Word as Word
from samcli.stats.verdict import verdicts as verdicts
