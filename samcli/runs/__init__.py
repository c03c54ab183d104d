"""The results folder: what a run writes, how it is written, and how all runs are read back."""

from samcli.runs.folder import RunFolder as RunFolder
from samcli.runs.frame import load as load
from samcli.runs.reader import Run as Run
from samcli.runs.reader import scan as scan
from samcli.runs.rows import EpochMetrics as EpochMetrics
