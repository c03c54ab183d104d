"""Some of the classes of a data set, numbered anew."""

from pathlib import Path

import pytest
import torch

from samcli import data
from samcli.data import DATASETS
from samcli.data.classes import of_classes
from samcli.errors import ConfigError


def test_the_examples_are_those_of_the_classes_in_their_order() -> None:
    whole = DATASETS.create("digits").source(Path())
    some = of_classes(whole, (7, 1, 4))
    for (_, inputs, targets), (_, all_inputs, all_targets) in zip(some.parts(), whole.parts(), strict=True):
        for new, old in enumerate((7, 1, 4)):
            assert torch.equal(inputs[targets == new], all_inputs[all_targets == old])
        assert len(targets) == sum(int((all_targets == old).sum()) for old in (7, 1, 4))
    assert some.class_names == ("7", "1", "4")
    assert of_classes(whole, ()) is whole


def test_a_run_trains_on_them_and_is_told_of_them_alone() -> None:
    kind = DATASETS.create("digits", classes=(5, 6, 7, 8, 9), train_examples=100)
    loaded = data.load(kind, seed=0, data_dir=Path(), device="cpu")
    assert (loaded.task.outputs, len(loaded.train)) == (5, 100)
    told = data.contents(kind, Path())
    assert told.summary.startswith("digits: 896 images, 5 classes")
    assert told.digest == data.contents(DATASETS.create("digits"), Path()).digest
    assert data.raw_source(kind, Path()) is data.raw_source(DATASETS.create("digits"), Path())


@pytest.mark.parametrize("classes", [(3,), (1, 1), (0, 10)])
def test_impossible_choices_are_refused(classes: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="must be two or more different ones of 0 to 9"):
        data.load(DATASETS.create("digits", classes=classes), seed=0, data_dir=Path(), device="cpu")


def test_a_regression_has_none() -> None:
    with pytest.raises(ConfigError, match="this one has none; leave it out"):
        data.load(DATASETS.create("diabetes", classes=(0, 1)), seed=0, data_dir=Path(), device="cpu")
