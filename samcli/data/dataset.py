"""A data set ready for training: its parts on the device, and the batches of an epoch."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samcli.config.exclusions import BOTH_MIX
from samcli.data.augment import ImageStore, mix, store_of
from samcli.data.base import DatasetKind, Source
from samcli.data.classes import of_classes
from samcli.data.normalise import Constants, Normalisation
from samcli.data.part import Part
from samcli.data.regions import Box, cutmix_, cutmix_boxes
from samcli.data.rotated import rotated
from samcli.data.soundness import class_name, source_faults
from samcli.data.split import drawn_groups, hold_out, latest_groups, noisy_labels, training_subset, training_window
from samcli.errors import ConfigError, DataError
from samcli.streams import stream, stream_seed
from samcli.tasks import Task


class Dataset:
    """The parts of a data set on the device.

    Attributes:
        train, validation, test: the parts; validation is None where nothing was held out.
        task: what is predicted.
        class_names: in the order of the class numbers; empty for a regression.
        shape: that of one input: (C, H, W), (F,) or (T,), and what its numbers are.
        mean, std: the statistics that inputs are normalised by, see `Normalisation`.
        wrong_labels: which training labels the noise made wrong, (N,) bool; None without label noise.
    """

    def __init__(
        self,
        source: Source,
        train: Part,
        validation: Part | None,
        test: Part,
        store: ImageStore | None,
        wrong_labels: Tensor | None = None,
    ):
        """Take parts that are ready; `load` makes them."""
        self.train, self.validation, self.test = train, validation, test
        self.task: Task = source.task
        self.class_names = source.class_names
        self.mean, self.std = train.normalisation.mean, train.normalisation.std
        self.shape = source.shape
        self.wrong_labels = wrong_labels
        self.reading = source.reading
        self._store = store

    def document(self) -> dict[str, Any]:
        """What a network needs to be given new inputs without these data, in plain values and tensors.

        >>> from samcli.data import DATASETS
        >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu").document()
        >>> wine["shape"], wine["task"], wine["class_names"]
        ([13], {'name': 'classification', 'number': 3}, ['class_0', 'class_1', 'class_2'])
        """
        return {
            "kind": "images" if self._store else "tokens" if self.shape.vocabulary else "table",
            "shape": list(self.shape),
            "categories": list(self.shape.categories),
            "vocabulary": self.shape.vocabulary,
            "task": self.task.document(),
            "class_names": list(self.class_names),
            "mean": self.mean,
            "std": self.std,
            "reading": dict(self.reading),
        }

    def relabelled(self, kept: Tensor, labels: Tensor) -> Dataset:
        """The same with some of its training examples alone, and other labels for these; this one stays as it is.

        Inputs go on to be normalised by the statistics of all training examples. Which labels noise made wrong is not
        known of the new ones.

        Args:
            kept: (K,) int64, the numbers of the examples, rising.
            labels: (K,), their targets.

        >>> from samcli.data import DATASETS
        >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu")
        >>> two = wine.relabelled(torch.tensor([3, 5]), torch.tensor([2, 2]))
        >>> two.train.targets, torch.equal(two.train.inputs[1], wine.train.inputs[5])
        (tensor([2, 2]), True)
        """
        made = copy.copy(self)
        device = self.train.targets.device
        inputs = self.train.inputs.index_select(0, kept.to(self.train.inputs.device))
        if self._store is not None:
            made._store = store_of(inputs, self._store.augment)
            inputs = made._store.inputs
        made.train = dataclasses.replace(self.train, inputs=inputs, targets=labels.to(device))
        made.wrong_labels = None
        return made

    def steps(self, batch_size: int, among: Tensor | None = None) -> int:
        """The number of training batches of an epoch, or of one over some of the examples.

        The last batch has what is left of the examples; a single one that would be left is dropped, because BatchNorm
        cannot train on it.

        >>> from samcli.data import DATASETS
        >>> digits = load(DATASETS.create("digits", train_examples=129), seed=0, data_dir=Path(), device="cpu")
        >>> digits.steps(64), digits.steps(65)
        (2, 2)
        """
        return steps_of(len(self.train) if among is None else len(among), batch_size)

    def epoch(
        self, epoch: int, batch_size: int, seed: int, mixup: float = 0.0, among: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The training batches of one epoch: shuffled, augmented and normalised.

        Order, augmentation and mixup are functions of (seed, epoch) alone, whatever was drawn before, and the same on
        every device. All draws but those of torchvision's augmentations, see `PerImage`, are made on the host when the
        first batch is asked for; from then on nothing waits for the device.

        Args:
            epoch: any number; the training loop counts from 1.
            batch_size: examples in a batch; see `steps` for the last one.
            seed: that of the run.
            mixup: α of the distribution Beta(α, α) of the mixing share λ, one for each batch; 0 for none. Targets
                are then soft, see `Task.soft`, as they are with CutMix.
            among: (n,) int64 on the host, the examples that it goes over; None for all.

        Raises:
            ConfigError: both mixup and CutMix are asked for.

        Yields:
            Inputs as (B, C, H, W) float32 in channels-last memory order, (B, F) float32 or (B, T) int64; and their
            targets.
        """
        self.check_mixup(mixup)
        order = self.order(epoch, seed, among)
        steps = self.steps(batch_size, among)
        batches = [slice(step * batch_size, (step + 1) * batch_size) for step in range(steps)]
        targets = self.train.targets[_to_device(order, self.train.targets)]
        shares = _mixing_shares(mixup, steps, stream_seed(seed, "mixup", epoch))
        boxes: list[Box | None] = [None] * steps
        if self._store is not None and self._store.cutmix:
            if mixup:
                raise ConfigError(BOTH_MIX)
            boxes = [*cutmix_boxes(steps, self.shape[1], self.shape[2], seed, epoch)]
        inputs = self._inputs(order, batches, seed, epoch)
        for x, batch, share, box in zip(inputs, batches, shares, boxes, strict=True):
            y = targets[batch]
            if mixup:
                yield mix(x, share), mix(self.task.soft(y), share)
            elif box is not None:
                yield x, mix(self.task.soft(y), cutmix_(x, box))
            else:
                yield x, y

    def order(self, epoch: int, seed: int, among: Tensor | None = None) -> Tensor:
        """The training examples in the order in which an epoch takes them, (N,) int64 on the host."""
        generator = stream(seed, "order", epoch)
        if among is not None:
            return among[torch.randperm(len(among), generator=generator)]
        return torch.randperm(len(self.train), generator=generator)

    def check_mixup(self, alpha: float) -> None:
        """Refuse mixup of texts.

        Raises:
            ConfigError: it is wanted of tokens.
        """
        if alpha and self.shape.vocabulary:
            raise ConfigError("mixup averages inputs, and the tokens of a text have no average; leave mixup out.")

    def _inputs(self, order: Tensor, batches: Sequence[slice], seed: int, epoch: int) -> Iterator[Tensor]:
        """The inputs of each batch, changed by all but mixing."""
        if self._store is None:
            order = _to_device(order, self.train.targets)
            yield from (self.train.normalisation.ready(self.train.inputs[order[batch]]) for batch in batches)
            return
        host = self._store.plan(order, seed, epoch)
        plan = _to_device(host, self.train.targets)
        for pixels, batch in zip(self._store.pixels(host, plan, batches, seed, epoch), batches, strict=True):
            yield self._store.cut(self.train.normalisation.images(pixels), plan[:, batch])


def steps_of(examples: int, batch_size: int) -> int:
    """The number of training batches of an epoch over so many examples, see `Dataset.steps`.

    >>> steps_of(128, 64), steps_of(129, 64), steps_of(130, 64)
    (2, 2, 3)
    """
    full, left = divmod(examples, batch_size)
    return full + (left > 1 or (left == 1 and full == 0))


def load(
    kind: DatasetKind,
    *,
    seed: int,
    data_dir: Path,
    device: torch.device | str,
    constants: Constants | None = None,
) -> Dataset:
    """Read a data set, split it, add label noise, and put it on the device.

    The raw data stay in memory for the next run of this process.

    Args:
        kind: the data set with its options.
        seed: that of the run; decides the validation part and the label noise.
        data_dir: where data sets that do not ship with a dependency lie or are downloaded to.
        device: where the tensors are to be held.
        constants: what images are normalised by; None is the statistics of the training part.

    Raises:
        DataError: the data set is missing, unreadable or not sound, see `source_faults`.
        ConfigError: more examples are asked for than there are, or a hold-out of data with a validation part.

    >>> from samcli.data import DATASETS
    >>> digits = load(DATASETS.create("digits"), seed=0, data_dir=Path(), device="cpu")
    >>> digits.shape, len(digits.train), len(digits.test)
    ((1, 8, 8), 1438, 359)
    """
    source = of_classes(raw_source(kind, data_dir), kind.classes)
    if source.validation and kind.validation:
        raise ConfigError(
            f"validation: {kind.validation} would hold out training examples, and {kind.label} has a validation part "
            "of its own; leave it out."
        )
    device = torch.device(device)
    train, held_out = _indices(kind, source, seed)
    wrong: Tensor | None = None
    whole = len(train) == len(source.inputs) and torch.equal(train, torch.arange(len(train)))
    targets = source.targets if whole else source.targets[train]
    if kind.label_noise:
        if source.task.classes is None:
            raise ConfigError(f"label_noise draws classes and {kind.label} has none; leave label_noise out.")
        given = noisy_labels(targets, kind.label_noise, source.task.classes, seed, kind.label_noise_kind)
        targets, wrong = given, (given != targets).to(device)
    if "cutmix" in kind.augment and source.task.classes is None:
        raise ConfigError(f"cutmix mixes classes and {kind.label} has none; leave cutmix out of augment.")
    inputs = source.inputs if whole else source.inputs.index_select(0, train)
    inputs = rotated(inputs, kind.rotate, "training", train)
    normalisation = Normalisation(inputs, device, categories=source.categories, constants=constants)

    def part(inputs: Tensor, targets: Tensor) -> Part:
        return Part(normalisation.stored(inputs).to(device), targets.to(device), normalisation)

    train_part, store = part(inputs, targets), None
    if normalisation.is_images:
        store = store_of(train_part.inputs, kind.augment)
        train_part = dataclasses.replace(train_part, inputs=store.inputs)
    validation = None
    if source.validation:
        validation = part(rotated(source.validation[0], kind.rotate, "validation"), source.validation[1])
    if len(held_out):
        kept_out = rotated(source.inputs.index_select(0, held_out), kind.rotate, "training", held_out)
        validation = part(kept_out, source.targets[held_out])
    test = part(rotated(source.test_inputs, kind.rotate_test or kind.rotate, "test"), source.test_targets)
    return Dataset(source, train_part, validation, test, store, wrong)


def raw_source(kind: DatasetKind, data_dir: Path) -> Source:
    """The raw data of a data set, whatever its common options are; they stay in memory for the next call.

    Files that have changed since, by their digest, are read again.

    Raises:
        DataError: the data set is missing, unreadable or not sound.

    >>> from samcli.data import DATASETS
    >>> whole, part = (DATASETS.create("wine", train_examples=n) for n in (None, 50))
    >>> raw_source(whole, Path()) is raw_source(part, Path())
    True
    """
    plain = plain_kind(kind)
    if (given := _GIVEN.get((plain, data_dir))) is not None:
        return given
    return _source(plain, data_dir, plain.digest(data_dir))


def plain_kind(kind: DatasetKind) -> DatasetKind:
    """The data set without its common options, which name what a run takes of it: runs that differ in them share it.

    >>> from samcli.data import DATASETS
    >>> plain_kind(DATASETS.create("wine", train_examples=50)) == DATASETS.create("wine")
    True
    """
    whole = dataclasses.replace(kind, classes=(), train_examples=None, examples_from=None, validation=0.0)
    return dataclasses.replace(
        whole, label_noise=0.0, label_noise_kind="symmetric", augment=(), rotate=(), rotate_test=()
    )


_GIVEN: dict[tuple[DatasetKind, Path], Source] = {}


def give_source(kind: DatasetKind, data_dir: Path, source: Source) -> None:
    """Have `raw_source` return these data from now on, which another process has read and looked at.

    >>> from samcli.data import DATASETS
    >>> wine = DATASETS.create("wine", split_seed=7)
    >>> source = wine.source(Path())
    >>> give_source(wine, Path("elsewhere"), source)
    >>> raw_source(wine, Path("elsewhere")) is source
    True
    >>> _GIVEN.clear()
    """
    _GIVEN[plain_kind(kind), data_dir] = source


def forget_sources() -> None:
    """Free the raw data that `raw_source` keeps for its next call."""
    _source.cache_clear()


def untrained_classes(kind: DatasetKind, data_dir: Path) -> list[str]:
    """The classes that a training set has and a run does not train on, for its subset or hold-out takes none of them.

    How many examples of each class are chosen is the same for every seed, unless groups are held out; then only the
    subset is looked at.

    Raises:
        DataError: the data set is missing, unreadable or not sound.
        ConfigError: more examples are asked for than there are.

    >>> from samcli.data import DATASETS
    >>> untrained_classes(DATASETS.create("wine", train_examples=2), Path())
    ['class_2']
    """
    source = of_classes(raw_source(kind, data_dir), kind.classes)
    if source.task.classes is None:
        return []
    if source.groups is not None:
        kind = dataclasses.replace(kind, validation=0.0)
    there, taken = (
        targets.bincount(minlength=source.task.classes) > 0
        for targets in (source.targets, source.targets[_indices(kind, source, seed=0)[0]])
    )
    return [class_name(source, c) for c in (there & ~taken).nonzero().flatten().tolist()]


@functools.lru_cache(maxsize=4)
def _source(kind: DatasetKind, data_dir: Path, digest: str | None) -> Source:
    del digest  # files that have changed are read again
    source = kind.source(data_dir)
    if faults := source_faults(source, kind):
        raise DataError(f"{kind.label} cannot be trained on. {' '.join(faults[:3])}")
    return source


def training_indices(kind: DatasetKind, source: Source, seed: int) -> Tensor:
    """Which examples of a source's training set a run trains on, (N,) int64."""
    return _indices(kind, source, seed)[0]


def held_out_indices(kind: DatasetKind, source: Source, seed: int) -> Tensor:
    """Which of its training set a run holds out as a validation part, (N,) int64."""
    return _indices(kind, source, seed)[1]


def _indices(kind: DatasetKind, source: Source, seed: int) -> tuple[Tensor, Tensor]:
    """The examples of the training and of the validation part."""
    targets = source.strata
    chosen, size = torch.arange(len(targets)), kind.train_examples
    if size is not None:
        if size > len(targets):
            raise ConfigError(
                f"train_examples: {size} is more than the {len(targets)} training examples of {kind.title}; "
                "choose a smaller number or leave it out."
            )
        chosen = training_subset(targets, size)
    if (start := kind.examples_from) is not None:
        if start + (size or 1) > len(targets):
            taken = f"{size} from" if size else "those from"
            raise ConfigError(
                f"examples_from: {start} is too far: {taken} there on are not among the {len(targets)} training "
                f"examples of {kind.title}; choose a smaller number."
            )
        chosen = training_window(len(targets), start, size)
    if not kind.validation:
        return chosen, chosen[:0]
    if source.groups is None:
        train, held_out = hold_out(targets[chosen], kind.validation, seed)
    elif source.are_in_order:
        train, held_out = latest_groups(source.groups[chosen], kind.validation)
    else:
        train, held_out = drawn_groups(source.groups[chosen], kind.validation, stream(seed, "validation"))
    if not len(held_out):
        raise ConfigError(
            f"validation: {kind.validation} cannot be held out of {kind.label}, whose training examples are all of "
            "one group or one time; leave validation out."
        )
    if not len(train):
        raise ConfigError(
            f"validation: {kind.validation} of {len(chosen)} training examples leaves none to train on; "
            "choose a smaller share."
        )
    return chosen[train], chosen[held_out]


def _mixing_shares(alpha: float, steps: int, seed: int) -> list[float]:
    """λ ~ Beta(α, α) for each step; 1 without mixup: a batch is all its own."""
    if not alpha:
        return [1.0] * steps
    shares: list[float] = np.random.default_rng(seed).beta(alpha, alpha, steps).tolist()
    return shares


def _to_device(host: Tensor, like: Tensor) -> Tensor:
    # only from pinned memory can the copy run beside the host
    return host.pin_memory().to(like.device, non_blocking=True) if like.is_cuda else host.to(like.device)
