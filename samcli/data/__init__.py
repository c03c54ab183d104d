"""Data sets as tensors on the device, split, made noisy and augmented as functions of a seed."""

from samcli.data import sources as sources
from samcli.data.base import DATASETS as DATASETS
from samcli.data.base import DatasetKind as DatasetKind
from samcli.data.base import Source as Source
from samcli.data.contents import Contents as Contents
from samcli.data.contents import contents as contents
from samcli.data.contents import digest as digest
from samcli.data.dataset import Dataset as Dataset
from samcli.data.dataset import steps_of as steps_of
from samcli.data.loading import load as load
from samcli.data.loading import untrained_classes as untrained_classes
from samcli.data.part import Part as Part
from samcli.data.raw import forget_sources as forget_sources
from samcli.data.raw import give_source as give_source
from samcli.data.raw import plain_kind as plain_kind
from samcli.data.raw import raw_source as raw_source
from samcli.data.shared import SharedSource as SharedSource
from samcli.data.soundness import source_faults as source_faults
from samcli.tasks import Binary as Binary
from samcli.tasks import Classification as Classification
from samcli.tasks import LanguageModel as LanguageModel
from samcli.tasks import Regression as Regression
from samcli.tasks import Task as Task
