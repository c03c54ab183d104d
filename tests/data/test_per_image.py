"""torchvision's augmentations: what becomes of an image depends on its number alone."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.transforms import v2

from samcli.data import DATASETS, Dataset, load
from samcli.data.per_image import NAMES, PerImage


def images(n: int = 12, height: int = 16, width: int = 24, channels: int = 3) -> Tensor:
    shape = (n, height, width, channels)
    return torch.randint(256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_is_the_same_alone_as_in_any_batch_whatever_was_drawn_before(name: str, channels: int) -> None:
    raw, change = images(channels=channels), PerImage([name], 16, 24)
    numbers = change.numbers(12, seed=3, epoch=2)
    together = change(raw, numbers)
    assert together.shape == raw.shape
    assert together.dtype == torch.uint8
    assert not torch.equal(together, raw)
    torch.rand(7)
    for i in (11, 4, 0):
        assert torch.equal(change(raw[i : i + 1], [[row[i]] for row in numbers])[0], together[i])


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_are_those_of_seed_and_epoch(name: str) -> None:
    change = PerImage(NAMES, 8, 8)
    assert change.numbers(9, 0, 1) == PerImage(NAMES, 8, 8).numbers(9, 0, 1)
    assert change.numbers(9, 0, 1) != change.numbers(9, 0, 2)
    assert change.numbers(9, 0, 1) != change.numbers(9, 1, 1)
    index = NAMES.index(name)  # one augmentation changes nothing about the draws of another
    assert PerImage([name], 8, 8).numbers(9, 0, 1) == [change.numbers(9, 0, 1)[index]]


def test_the_global_generator_is_put_back() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    change = PerImage(["rand-augment", "colour-jitter"], 16, 24)
    change(images(), change.numbers(12, 0, 1))
    assert torch.equal(torch.rand(3), expected)


def test_it_is_what_torchvision_does_with_a_seeded_generator() -> None:
    raw, change = images(), PerImage(["rand-augment"], 16, 24)
    ((number, *_),) = numbers = change.numbers(12, 0, 1)
    got = change(raw, numbers)[0]
    torch.manual_seed(number)
    assert torch.equal(got, v2.RandAugment()(raw[0].permute(2, 0, 1)).permute(1, 2, 0))


def digits(augment: tuple[str, ...]) -> Dataset:
    return load(DATASETS.create("digits", augment=augment, train_examples=60), seed=0, data_dir=Path(), device="cpu")


@pytest.mark.parametrize("names", [("rand-augment", "crop"), ("trivial-augment", "random-erasing", "cutmix")])
def test_an_epoch_is_a_function_of_seed_and_epoch(names: tuple[str, ...]) -> None:
    first, second = digits(names), digits(names)
    once = list(first.epoch(3, 16, 7))
    list(second.epoch(1, 16, 7))
    torch.rand(3)
    again = list(second.epoch(3, 16, 7))
    assert all(torch.equal(x, u) and torch.equal(y, v) for (x, y), (u, v) in zip(once, again, strict=True))
    assert not torch.equal(once[0][0], next(iter(first.epoch(4, 16, 7)))[0])


def test_the_place_in_the_epoch_counts_and_not_the_batch() -> None:
    dataset = digits(("rand-augment", "crop", "random-erasing"))
    small, large = (torch.cat([x for x, _ in dataset.epoch(1, size, 0)]) for size in (10, 60))
    assert torch.equal(small, large)
