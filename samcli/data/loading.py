"""A run's share of raw data: its examples, its hold-out, its noise, on its device."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from torch import Tensor

from samcli.data.augment import store_of
from samcli.data.base import DatasetKind, Source
from samcli.data.classes import of_classes
from samcli.data.dataset import Dataset
from samcli.data.normalise import Constants, Normalisation
from samcli.data.part import Part
from samcli.data.raw import raw_source
from samcli.data.rotated import rotated
from samcli.data.soundness import class_name
from samcli.data.split import drawn_groups, hold_out, latest_groups, noisy_labels, training_subset, training_window
from samcli.errors import ConfigError
from samcli.streams import stream


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
