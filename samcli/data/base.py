"""The base of all data sets: their options, and the raw tensors behind them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from samcli.errors import ConfigError
from samcli.registry import Registry, option
from samcli.tasks import Task


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as it was published, on the host. Runs share it: nothing may write to its tensors.

    Attributes:
        inputs, test_inputs: images, (N, H, W, C) uint8, or tables, (N, F) float32.
        targets, test_targets: (N,), int64 class numbers from 0, or float32 for a regression.
        task: what is predicted.
        class_names: in the order of the class numbers; empty for a regression.
        validation: inputs and targets of a validation part that the data set has of its own, if it has one.
        notes: what a reader of the data did to them or left out, in clauses that follow one another behind commas.
        digest: that of the files that were read, see `DatasetKind.digest`; None is that of the tensors.
    """

    inputs: Tensor
    targets: Tensor
    test_inputs: Tensor
    test_targets: Tensor
    task: Task
    class_names: tuple[str, ...] = ()
    validation: tuple[Tensor, Tensor] | None = None
    notes: tuple[str, ...] = ()
    digest: str | None = None

    def parts(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """The name, inputs and targets of each part."""
        yield "training", self.inputs, self.targets
        yield "test", self.test_inputs, self.test_targets
        if self.validation is not None:
            yield ("validation", *self.validation)


@dataclass(frozen=True, kw_only=True)
class DatasetKind(ABC):
    """A data set and the options that all of them have.

    `train_examples` takes a subset of the training set that is the same for all seeds; `validation` holds out a share
    of that; `label_noise` spoils the labels of a share of what is left. Validation and test labels stay clean.

    Attributes:
        title: the name in messages.
        is_images: whether inputs are images; otherwise they are tables.
        is_regression: whether targets are real numbers; otherwise they are classes.

    Raises:
        ConfigError: an option that this data set cannot have.
    """

    title: ClassVar[str]
    is_images: ClassVar[bool] = True
    is_regression: ClassVar[bool] = False

    train_examples: int | None = option(
        None, "size of a stratified subset of the training set, the same for every seed; null for all", minimum=1
    )
    label_noise: float = option(
        0.0, "share of the training labels replaced by uniformly drawn classes", minimum=0.0, maximum=1.0
    )
    validation: float = option(
        0.0, "share of the training set held out, stratified, drawn by the run's seed", minimum=0.0, below=1.0
    )
    augment: tuple[str, ...] = option(
        (), "random changes of the training images: crop, flip, cutout", choices=("crop", "flip", "cutout")
    )

    def __post_init__(self) -> None:
        if self.augment and not self.is_images:
            raise ConfigError(f"augment is for images and {self.title} is a table; leave augment out.")
        if self.label_noise and self.is_regression:
            raise ConfigError(f"label_noise draws classes and {self.title} has none; leave label_noise out.")

    @property
    def label(self) -> str:
        """What this data set is called in a list of several."""
        return getattr(self, "title", type(self).__name__)

    def is_at_hand(self, data_dir: Path) -> bool:
        """Whether `source` can be read without a network."""
        return True

    def digest(self, data_dir: Path) -> str | None:
        """A digest of the files behind the data, where it is cheaper than reading them; None: that of the tensors."""
        return None

    @abstractmethod
    def source(self, data_dir: Path) -> Source:
        """The raw data set, read from `data_dir` or downloaded to it if it does not ship with a dependency.

        Raises:
            DataError: it is missing or unreadable.
        """


DATASETS: Registry[DatasetKind] = Registry("dataset")
