"""What one run trains on and another does not."""

from pathlib import Path
from typing import Any

import pytest
import torch

from samcli.data import DATASETS, load
from samcli.data.unseen import unseen
from samcli.errors import ConfigError, NotApplicable


def kinds(name: str = "digits", other: dict[str, Any] | None = None, **options: Any) -> tuple[Any, Any]:
    return DATASETS.create(name, **options), DATASETS.create(
        name, **{"train_examples": 100, **options, **(other or {})}
    )


def test_the_two_parts_make_the_whole() -> None:
    whole, part = kinds(train_examples=None, other={"train_examples": 100})
    inputs, targets, constants = unseen(whole, 0, part, 0, Path())
    seen, own = (load(kind, seed=0, data_dir=Path(), device="cpu") for kind in (part, whole))
    assert len(inputs) + len(seen.train) == len(own.train)
    assert torch.equal(constants.mean, seen.mean)
    rows = {bytes(row.flatten().numpy()) for row in own.train.inputs}
    assert {bytes(row.flatten().numpy()) for row in inputs} <= rows
    counts = targets.bincount(minlength=10) + seen.train.targets.bincount(minlength=10)
    assert torch.equal(counts, own.train.targets.bincount(minlength=10))


def test_a_validation_part_of_the_other_is_seen_too() -> None:
    """By it a network may have been chosen; inputs are normalised by the training part alone, as the other's were."""
    whole, part = kinds(train_examples=None, other={"train_examples": 400, "validation": 0.5})
    inputs, _, constants = unseen(whole, 0, part, 3, Path())
    seen = load(part, seed=3, data_dir=Path(), device="cpu")
    assert seen.validation is not None
    assert len(inputs) == 1438 - 400
    assert torch.equal(constants.mean, seen.mean)
    held_out = {bytes(row.flatten().numpy()) for row in seen.validation.inputs}
    assert not held_out & {bytes(row.flatten().numpy()) for row in inputs}


def test_what_makes_no_bound_is_refused() -> None:
    whole, part = kinds(other={"train_examples": 100})
    with pytest.raises(NotApplicable, match="none is left"):
        unseen(part, 0, part, 0, Path())
    with pytest.raises(NotApplicable, match="none is left"):
        unseen(part, 0, whole, 0, Path())
    with pytest.raises(ConfigError, match="another data set"):
        unseen(whole, 0, DATASETS.create("wine", train_examples=50), 0, Path())
    with pytest.raises(ConfigError, match="other options"):
        unseen(*_each(DATASETS.create("digits"), DATASETS.create("digits", split_seed=1, train_examples=50)))
    with pytest.raises(NotApplicable, match="label_noise"):
        unseen(*_each(*kinds(label_noise=0.2)))


@pytest.mark.parametrize("turned", ["rotate", "rotate_test"])
def test_of_turned_images_there_is_no_bound(turned: str) -> None:
    """Neither where the run turns them nor where the prior alone does."""
    for own, other in (({turned: (0.0, 5.0)}, {}), ({}, {turned: (0.0, 5.0)})):
        kind, prior = DATASETS.create("digits", **own), DATASETS.create("digits", train_examples=100, **other)
        with pytest.raises(NotApplicable, match="these are turned"):
            unseen(kind, 0, prior, 0, Path())


def _each(own: Any, other: Any) -> tuple[Any, int, Any, int, Path]:
    return own, 0, other, 0, Path()
