"""Images at another size than they were published in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcli import models
from samcli.config.schema import NEWER_IN
from samcli.data import DATASETS, contents, load
from samcli.data.sources._resized import Resizing, shrunk
from samcli.errors import ConfigError

IMAGES = ("digits", "mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn")


def digits(**options: Any) -> torch.Tensor:
    return DATASETS.create("digits", **options).source(Path()).inputs


@pytest.mark.parametrize("by", [1, 2, 3, 6])
def test_a_shrunk_pixel_is_the_rounded_mean_of_its_block(by: int) -> None:
    images = np.random.default_rng(0).integers(256, size=(4, 12, 18, 3), dtype=np.uint8)
    got = shrunk(images, by)
    assert got.dtype == np.uint8
    assert got.shape == (4, 12 // by, 18 // by, 3)
    for n, y, x, c in np.ndindex(got.shape):
        mean = images[n, by * y : by * (y + 1), by * x : by * (x + 1), c].mean()
        assert got[n, y, x, c] == np.floor(mean + 0.5)


def test_halves_are_rounded_upward() -> None:
    for low in range(255):
        block = np.array([low, low + 1, low, low + 1], np.uint8).reshape(1, 2, 2, 1)
        assert shrunk(block, 2).item() == low + 1


@pytest.mark.parametrize("name", IMAGES)
def test_every_image_set_has_the_options_and_keeps_its_identity(name: str) -> None:
    options = DATASETS.options(name)
    for key in ("shrink", "size", "width", "resize"):
        assert options[key].default == NEWER_IN["dataset"][key]


def test_digits_are_shrunk() -> None:
    whole, half = digits(), digits(shrink=2)
    assert half.shape == (1438, 4, 4, 1)
    assert torch.equal(half, torch.from_numpy(shrunk(whole.numpy(), 2)))
    assert contents(DATASETS.create("digits", shrink=2), Path()).summary == (
        "digits: 1,797 images, 10 classes, brought to 4×4 (means of 2×2 pixels)"
    )


def test_digits_are_resampled() -> None:
    for resize, sides in (("stretch", (12, 20)), ("crop", (12, 20)), ("pad", (20, 12))):
        got = digits(size=sides[0], width=sides[1], resize=resize)
        assert got.shape == (1438, *sides, 1)
        expected = Resizing(sides, resize).resampled(Image.fromarray(digits()[5, :, :, 0].numpy()))
        assert np.array_equal(got[5, :, :, 0], np.asarray(expected))
    assert torch.equal(digits(size=8), digits())


def test_both_apply_one_after_the_other() -> None:
    assert torch.equal(digits(size=32, shrink=4), torch.from_numpy(shrunk(digits(size=32).numpy(), 4)))


def test_what_each_way_does_to_the_proportion() -> None:
    array = np.zeros((10, 30), np.uint8)
    array[:, 10:20] = 200  # the middle square
    image = Image.fromarray(array)
    crop, stretch, pad = (np.asarray(Resizing((30, 30), way).resampled(image)) for way in ("crop", "stretch", "pad"))
    assert (crop[:, 3:-3] == 200).all()
    assert (stretch[:, 11:19] == 200).all()
    assert (stretch[:, :9] == 0).all()
    assert (pad[:10] == 0).all()
    assert (pad[20:] == 0).all()
    assert np.array_equal(pad[10:20], array)


def test_a_line_of_pixels_does_not_vanish_between_bars() -> None:
    padded = np.asarray(Resizing((8, 8), "pad").resampled(Image.new("L", (4000, 1), 255)))
    assert padded.any(1).sum() == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shrink": 3}, "shrink: 3 does not divide images of 8×8 pixels; choose a number that divides both sides"),
        ({"size": 8, "width": 9, "shrink": 2}, "shrink: 2 does not divide images of 9×8 pixels"),
        ({"width": 9}, "width: 9 needs the height as well; set size to it"),
        ({"resize": "pad"}, "resize: pad says how images are brought to size; set size as well"),
    ],
)
def test_what_has_no_meaning_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        digits(**options)


@pytest.mark.parametrize("model", ["linear", "mlp", "cnn", "resnet20", "wrn-16-4", "vit"])
def test_models_take_images_that_are_not_square(model: str) -> None:
    kind = DATASETS.create("digits", size=16, width=24, augment=("crop", "flip", "cutout", "random-erasing", "cutmix"))
    dataset = load(kind, seed=0, data_dir=Path(), device="cpu")
    inputs, targets = next(iter(dataset.epoch(1, 8, 0)))
    assert inputs.shape == (8, 1, 16, 24)
    network = models.build(model, shape=dataset.shape, outputs=10)
    assert dataset.task.loss(network(inputs), targets).isfinite()
