"""The tasks, one file each: the loss to train with, and the score that people read."""

from samcli.tasks._base import Task as Task
from samcli.tasks.binary import Binary as Binary
from samcli.tasks.classification import Classification as Classification
from samcli.tasks.language_model import LanguageModel as LanguageModel
from samcli.tasks.regression import Regression as Regression
