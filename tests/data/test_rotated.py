"""Images turned when a run loads them, and pieces of the training set that share no example."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2.functional import rotate

from samcli.config import Draft, parse
from samcli.config.schema import identity_of
from samcli.data import DATASETS, load
from samcli.data.lazy import LazyImages
from samcli.data.raw import raw_source
from samcli.data.rotated import angles, rotated
from samcli.errors import ConfigError
from samcli.train import CATALOGUE


def digits(**options: object) -> object:
    return load(DATASETS.create("digits", **options), seed=0, data_dir=Path(), device="cpu")


def test_each_image_is_turned_as_torchvision_turns_it() -> None:
    """To one of 255 levels, for both round a linear interpolation of float32 to 8 bits."""
    images = raw_source(DATASETS.create("digits"), Path()).inputs[:50]
    numbers = torch.arange(7, 57)
    found = rotated(images, (10.0, 70.0), "training", numbers)
    by = angles((10.0, 70.0), "training", numbers)
    for image, turned, degrees in zip(images, found, by.tolist(), strict=True):
        theirs = rotate(image.permute(2, 0, 1).float(), degrees, interpolation=InterpolationMode.BILINEAR)
        assert (turned.permute(2, 0, 1).float() - theirs).abs().max() <= 0.51


def test_angles_are_uniform_and_of_the_image_alone() -> None:
    every = angles((-5.0, 15.0), "training", torch.arange(20_000))
    assert every.min() >= -5.0
    assert every.max() <= 15.0
    # the standard error of the mean of that many uniform draws over 20 degrees is 0.04
    assert abs(float(every.mean()) - 5.0) < 0.2
    some = torch.tensor([19_999, 3, 700])
    assert torch.equal(angles((-5.0, 15.0), "training", some), every[some])
    assert not torch.equal(angles((-5.0, 15.0), "test", some), every[some])


def test_a_run_trains_and_tests_on_turned_images() -> None:
    options = {"train_examples": 100, "examples_from": 50, "validation": 0.2}
    source = raw_source(DATASETS.create("digits"), Path())
    upright, both, test_alone = (
        digits(**options, **turned)
        for turned in ({}, {"rotate": (30.0, 40.0)}, {"rotate": (30.0, 40.0), "rotate_test": (0.0, 0.0)})
    )
    for part in ("train", "validation", "test"):
        one, other = getattr(upright, part), getattr(both, part)
        assert torch.equal(one.targets, other.targets)
        assert not torch.equal(one.inputs, other.inputs)
    assert torch.equal(both.test.inputs, rotated(source.test_inputs, (30.0, 40.0), "test"))
    assert torch.equal(test_alone.test.inputs, upright.test.inputs)
    assert torch.equal(test_alone.train.inputs, both.train.inputs)
    assert both.mean == pytest.approx(both.train.inputs.float().div(255).mean().item(), abs=1e-6)


def test_a_held_out_image_is_turned_as_if_it_were_trained_on() -> None:
    """The angle belongs to the image, whatever part the seed puts it into."""
    kind = DATASETS.create("digits", train_examples=60, validation=0.5, rotate=(0.0, 90.0))
    parts = [load(kind, seed=seed, data_dir=Path(), device="cpu") for seed in (0, 1)]
    found = [
        {image.numpy().tobytes() for part in (one.train, one.validation) if part for image in part.inputs}
        for one in parts
    ]
    assert found[0] == found[1]


def test_windows_share_no_example_and_cover_all() -> None:
    sizes = [(0, 500), (500, 300), (800, None)]
    seen = [
        {image.numpy().tobytes() for image in digits(train_examples=size, examples_from=start).train.inputs}
        for start, size in sizes
    ]
    images = raw_source(DATASETS.create("digits"), Path()).inputs
    assert len({image.numpy().tobytes() for image in images}) == len(images) == sum(map(len, seen))
    assert set.union(*seen) == {image.numpy().tobytes() for image in images}


def test_a_window_looks_at_no_label() -> None:
    kind = DATASETS.create("digits", train_examples=200, examples_from=100)
    source = raw_source(kind, Path())
    other = replace(source, targets=source.targets.flip(0))
    from samcli.data.loading import _indices

    assert torch.equal(_indices(kind, source, 0)[0], _indices(kind, other, 3)[0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rotate": (5.0,)}, r"rotate: \[5\] must be the least and the largest angle in degrees, such as \[0, 5\]."),
        ({"rotate_test": (5.0, 2.0)}, r"rotate_test: \[5, 2\] must be the least and the largest"),
        ({"rotate": (-400.0, 2.0)}, "rotate must"),
        ({"examples_from": 1400, "train_examples": 100}, "1400 is too far: 100 from there on are not among the 1438"),
        ({"examples_from": 1438}, "examples_from: 1438 is too far: those from there on are not among"),
    ],
)
def test_what_cannot_be_is_told(options: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        digits(**options)


def test_what_has_no_images_or_none_in_memory_is_told() -> None:
    with pytest.raises(ConfigError, match="rotate turns images and wine has none; leave rotate out"):
        DATASETS.create("wine", rotate=(0.0, 5.0))

    class Stored:
        shape = (4, 2, 2, 1)

        def take(self, indices: torch.Tensor, threads: int = 1) -> torch.Tensor:
            return torch.zeros(len(indices), 2, 2, 1, dtype=torch.uint8)

    with pytest.raises(ConfigError, match=r"leave dataset\.stream and --cache-dir out"):
        rotated(LazyImages(Stored()), (0.0, 5.0), "test")  # type: ignore[arg-type]


def test_a_run_without_them_is_the_run_it_was() -> None:
    (run,) = Draft.of(parse("{dataset: digits, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    document = json.loads(json.dumps(run.document()))
    old = {
        key: value
        for key, value in document["dataset"].items()
        if key not in ("rotate", "rotate_test", "examples_from")
    }
    assert identity_of({**document, "dataset": old}) == run.identity
    (turned,) = Draft.of(
        parse("{dataset: {name: digits, rotate: [0, 5]}, optimizer: sgd}", "x.yaml"), CATALOGUE
    ).expand()
    assert turned.identity != run.identity
    assert turned.dataset["rotate"] == (0.0, 5.0)


def test_nothing_turned_is_the_same_tensor() -> None:
    images = torch.from_numpy(np.zeros((2, 3, 3, 1), np.uint8))
    assert rotated(images, (), "test") is images
