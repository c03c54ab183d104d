"""The statistics of a few seeds. A library of its own: numpy and scipy are all it needs."""

from samcli.stats._summary import Summary as Summary
from samcli.stats._summary import summarise as summarise
from samcli.stats.correlation import RankCorrelation as RankCorrelation
from samcli.stats.correlation import kendall as kendall
from samcli.stats.paired import PairedDifference as PairedDifference
from samcli.stats.paired import paired_difference as paired_difference
