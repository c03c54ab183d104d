"""The base of all data sets: their options, and the raw tensors behind them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.data.augment import AUGMENTATIONS
from samcli.errors import ConfigError
from samcli.registry import Registry, option
from samcli.shape import InputShape
from samcli.tasks import Task


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as it was published, on the host. Runs share it: nothing may write to its tensors.

    Attributes:
        inputs, test_inputs: images, (N, H, W, C) uint8, tables, (N, F) float32, or tokens, (N, T) int32.
        targets, test_targets: (N,), int64 class numbers from 0, or float32 for a regression; for a language model
            (N, T) int64, the token that follows each.
        task: what is predicted.
        class_names: in the order of the class numbers; empty for a regression.
        validation: inputs and targets of a validation part that the data set has of its own, if it has one.
        notes: what a reader of the data did to them or left out, in clauses that follow one another behind commas.
        digest: that of the files that were read, see `DatasetKind.digest`; None is that of the tensors.
        categories: of a table, how many codes from 0 each column has, 0 for a column of numbers; empty where all are.
        vocabulary: of texts, how many tokens there are; 0 for anything else.
        groups: of each training example the number of the group from which a hold-out does not part it, (N,) int64 from
            0; None where each stands alone.
        are_in_order: whether groups follow each other in time, so that the last ones are held out.
        reading: what turned files into these inputs, in plain values; it goes into checkpoints, so that a network can
            be given new files.
        guessed: what the reader took by itself and a user may have meant otherwise, in a sentence that names the
            option; empty where nothing was.
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
    categories: tuple[int, ...] = ()
    vocabulary: int = 0
    reading: Mapping[str, Any] = field(default_factory=dict)
    groups: Tensor | None = None
    are_in_order: bool = False
    guessed: str = ""

    @property
    def shape(self) -> InputShape:
        """That of one input as a network gets it."""
        sizes = tuple(self.inputs.shape[1:])
        lengths = (sizes[2], *sizes[:2]) if self.inputs.dtype == torch.uint8 else sizes
        return InputShape(lengths, categories=self.categories, vocabulary=self.vocabulary)

    @property
    def strata(self) -> Tensor:
        """The training targets where they are classes, by which parts are drawn; else a number alike for all."""
        return self.targets if self.task.classes is not None else torch.zeros(len(self.targets))

    def parts(self) -> Iterator[tuple[str, Tensor, Tensor]]:
        """The name, inputs and targets of each part."""
        yield "training", self.inputs, self.targets
        yield "test", self.test_inputs, self.test_targets
        if self.validation is not None:
            yield ("validation", *self.validation)


@dataclass(frozen=True, kw_only=True)
class DatasetKind(ABC):
    """A data set and the options that all of them have.

    `classes` takes the examples of some classes, in all parts, and numbers these anew; `train_examples` takes a subset
    of the training set that is the same for all seeds; `validation` holds out a share of that; `label_noise` spoils the
    labels of a share of what is left. Validation and test labels stay clean. With `examples_from` the subset is a piece
    of one order of the training set that looks at no label: pieces that do not overlap there share no example.

    `rotate: [low, high]` turns each image by an angle that is drawn uniformly from that range, the same for every seed;
    an image that several runs turn has the same place in the range of each.

    Attributes:
        title: the name in messages.
        is_images: whether inputs are images; otherwise they are tables, or tokens.
        is_tokens: whether they are tokens of texts.
        default_model: what is trained where no model is named; None is `cnn` for images and `linear` for tables.
        is_regression: whether targets are real numbers; otherwise they are classes. None is known only of the data.

    Raises:
        ConfigError: an option that this data set cannot have.
    """

    title: ClassVar[str]
    is_images: ClassVar[bool] = True
    is_tokens: ClassVar[bool] = False
    default_model: ClassVar[str | None] = None
    is_regression: ClassVar[bool | None] = False

    classes: tuple[int, ...] = option(
        (), "numbers of the classes that are taken, from 0; all if empty", minimum=0, maximum=1_000_000
    )
    train_examples: int | None = option(
        None, "size of a stratified subset of the training set, the same for every seed; null for all", minimum=1
    )
    label_noise: float = option(
        0.0, "share of the training labels replaced by other classes, see label_noise_kind", minimum=0.0, maximum=1.0
    )
    label_noise_kind: str = option(
        "symmetric",
        "which classes label_noise puts there: symmetric draws them uniformly, asymmetric takes the next one",
        choices=("symmetric", "asymmetric"),
    )
    validation: float = option(
        0.0, "share of the training set held out, stratified, drawn by the run's seed", minimum=0.0, below=1.0
    )
    examples_from: int | None = option(
        None,
        "how many training examples of an order that is the same for every seed are passed over, before train_examples "
        "are taken; null: that subset is stratified and drawn by itself",
        minimum=0,
    )
    rotate: tuple[float, ...] = option(
        (),
        "range of the degrees by which each image is turned, against the clock; of all parts",
        minimum=-360.0,
        maximum=360.0,
    )
    rotate_test: tuple[float, ...] = option(
        (), "the same of the test part alone; empty: as rotate", minimum=-360.0, maximum=360.0
    )
    augment: tuple[str, ...] = option(
        (), "random changes of the training images, which are made in this order", choices=AUGMENTATIONS
    )

    def __post_init__(self) -> None:
        if self.augment and not self.is_images:
            raise ConfigError(f"augment is for images and {self.title} has none; leave augment out.")
        for name in ("rotate", "rotate_test"):
            check_range(name, getattr(self, name), self.title if not self.is_images else "")
        if {"rand-augment", "trivial-augment"} <= set(self.augment):
            raise ConfigError("augment has both rand-augment and trivial-augment; choose one of them.")
        if "cutmix" in self.augment and self.is_regression:
            raise ConfigError(f"cutmix mixes classes and {self.title} has none; leave cutmix out of augment.")
        if self.label_noise and self.is_regression:
            raise ConfigError(f"label_noise draws classes and {self.title} has none; leave label_noise out.")

    @property
    def label(self) -> str:
        """What this data set is called in a list of several."""
        return getattr(self, "title", type(self).__name__)

    @property
    def metric(self) -> str | None:
        """The name of the score that its task has, a key of `samcli.metrics.SCORES`; None where only the data tell."""
        return None if self.is_regression is None else "r2" if self.is_regression else "accuracy"

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


def check_range(name: str, bounds: tuple[float, ...], imageless: str) -> None:
    """Refuse what is no range of angles, and any of data that are no images.

    Args:
        name: of the option.
        bounds: its value; empty where nothing is turned.
        imageless: the name of the data in messages, where they are no images.

    Raises:
        ConfigError: it is one of these.

    >>> check_range("rotate", (0.0, 5.0), "")
    """
    if bounds and imageless:
        raise ConfigError(f"{name} turns images and {imageless} has none; leave {name} out.")
    if bounds and (len(bounds) != 2 or bounds[0] > bounds[1]):
        written = ", ".join(f"{bound:g}" for bound in bounds)
        raise ConfigError(f"{name}: [{written}] must be the least and the largest angle in degrees, such as [0, 5].")


DATASETS: Registry[DatasetKind] = Registry("dataset")
