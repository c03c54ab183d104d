"""Data sets as tensors on the device, split, made noisy and augmented as functions of a seed."""

# The families enter their kinds into DATASETS when they are imported; this order is that of `samcli list datasets`.
# isort: off
from samcli.data import embedded as embedded
from samcli.data import synthetic as synthetic
from samcli.data import vision as vision
from samcli.data import image_folder as image_folder

# isort: on
from samcli.data.base import DATASETS as DATASETS
from samcli.data.base import DatasetKind as DatasetKind
from samcli.data.base import Source as Source
from samcli.data.dataset import Dataset as Dataset
from samcli.data.dataset import load as load
from samcli.data.part import Part as Part
from samcli.data.task import Binary as Binary
from samcli.data.task import Classification as Classification
from samcli.data.task import Regression as Regression
from samcli.data.task import Task as Task
