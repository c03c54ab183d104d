from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from samcli.data import DATASETS

HERE = Path()


@pytest.mark.parametrize(
    "name, shape, train, test, outputs",
    [
        ("digits", (8, 8, 1), 1438, 359, 10),
        ("breast-cancer", (30,), 455, 114, 1),
        ("wine", (13,), 142, 36, 3),
        ("diabetes", (10,), 354, 88, 1),
    ],
)
def test_sizes(name: str, shape: tuple[int, ...], train: int, test: int, outputs: int) -> None:
    source = DATASETS.create(name).source(HERE)
    assert source.inputs.shape == (train, *shape)
    assert source.test_inputs.shape == (test, *shape)
    assert (len(source.targets), len(source.test_targets)) == (train, test)
    assert source.task.outputs == outputs
    assert len(source.class_names) == (source.task.classes or 0)


def test_digits_are_the_nearest_of_256_levels() -> None:
    source = DATASETS.create("digits").source(HERE)
    original = torch.from_numpy(load_digits().images)
    pixels = torch.cat([source.inputs, source.test_inputs]).squeeze(-1) / 255 * 16
    # half a level of 255, in sixteenths; the split reorders, so values are compared sorted
    difference = pixels.double().flatten().sort().values - original.flatten().sort().values
    assert difference.abs().max() <= 0.5 / 255 * 16 + 1e-6
    assert source.inputs.max() == 255


def test_the_test_part_is_stratified_and_fixed() -> None:
    first, again = (DATASETS.create("digits").source(HERE) for _ in range(2))
    assert torch.equal(first.test_inputs, again.test_inputs)
    share = first.test_targets.bincount() / (first.targets.bincount() + first.test_targets.bincount())
    assert ((share - 0.2).abs() < 0.01).all()
    other = DATASETS.create("digits", split_seed=1).source(HERE)
    assert not torch.equal(first.test_inputs, other.test_inputs)


def test_the_target_of_diabetes_is_standardised_by_the_training_part() -> None:
    source = DATASETS.create("diabetes").source(HERE)
    assert source.targets.dtype == torch.float32
    torch.testing.assert_close(source.targets.mean(), torch.tensor(0.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(source.targets.std(correction=0), torch.tensor(1.0), atol=1e-5, rtol=0)
    assert source.test_targets.mean().abs() > 1e-3
