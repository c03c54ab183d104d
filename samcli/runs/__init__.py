"""The results folder: what a run writes, how it is written, and how all runs are read back."""

from samcli.runs.confusion import Confusion as Confusion
from samcli.runs.confusion import read_confusion as read_confusion
from samcli.runs.folder import RunFolder as RunFolder
from samcli.runs.frame import load as load
from samcli.runs.reader import Run as Run
from samcli.runs.reader import scan as scan
from samcli.runs.rows import EpochMetrics as EpochMetrics
