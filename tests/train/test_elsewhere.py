"""Images of another data set, brought to a network's own form."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcli.data import DATASETS, Dataset, load
from samcli.errors import DataError, NotApplicable
from samcli.train.elsewhere import CIFAR10_CLASSES, check_classes_of_cifar10, elsewhere

HOW: dict[str, Any] = {"examples": 1000, "seed": 0, "data_dir": Path("data"), "batch_size": 7}


def loaded(name: str, **options: Any) -> Dataset:
    return load(DATASETS.create(name, **options), seed=0, data_dir=Path("data"), device="cpu")


def folder(root: Path, classes: tuple[str, ...], *, side: int = 8, grey: bool = False) -> str:
    generator = np.random.default_rng(0)
    for part in ("train", "test"):
        for number, name in enumerate(classes):
            (root / part / name).mkdir(parents=True)
            for i in range(3):
                pixels = generator.integers(0, 200, (side, side) if grey else (side, side, 3)).astype(np.uint8)
                Image.fromarray(pixels + np.uint8(number)).save(root / part / name / f"{i}.png")
    return f"image-folder:{root}"


def test_the_same_data_come_as_the_test_part(tmp_path: Path) -> None:
    own = loaded("digits")
    batches = elsewhere("digits", own, same_classes=True, **HOW)
    inputs, targets = (torch.cat(parts) for parts in zip(*batches, strict=True))
    expected, labels = next(iter(own.test.batches(1000)))
    assert torch.equal(inputs, expected)
    assert torch.equal(targets, labels)


def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    own = loaded(folder(tmp_path / "own", ("cat", "dog", "elk")))
    other = folder(tmp_path / "other", ("dog", "elk"))
    batches = elsewhere(other, own, same_classes=True, **HOW)
    assert torch.cat([targets for _, targets in batches]).tolist() == [1, 1, 1, 2, 2, 2]
    with pytest.raises(DataError, match="classes that the network does not know: bee"):
        elsewhere(folder(tmp_path / "third", ("bee", "cat")), own, same_classes=True, **HOW)
    with pytest.raises(DataError, match="classes that the network knows: dog, elk"):
        elsewhere(other, own, same_classes=False, **HOW)
    foreign = elsewhere(folder(tmp_path / "fourth", ("ant", "bee")), own, same_classes=False, **HOW)
    assert torch.cat([targets for _, targets in foreign]).tolist() == [0] * 6


def test_size_and_channels_are_brought_to_the_networks(tmp_path: Path) -> None:
    """Grey images become three equal channels; the mean of a smooth resize stays to a level of 255."""
    own = loaded(folder(tmp_path / "own", ("cat", "dog")))
    grey = folder(tmp_path / "grey", ("cat", "dog"), side=16, grey=True)
    ((inputs, _),) = elsewhere(grey, own, same_classes=True, **HOW)
    assert inputs.shape == (6, 3, 8, 8)
    pixels = inputs * own.std.view(3, 1, 1) + own.mean.view(3, 1, 1)
    torch.testing.assert_close(pixels[:, 0], pixels[:, 1])
    theirs = loaded(grey)
    expected = theirs.test.inputs.float().mean((1, 2, 3)) / 255
    torch.testing.assert_close(pixels.mean((1, 2, 3)), expected, atol=0.02, rtol=0)
    ((back, _),) = elsewhere(f"image-folder:{tmp_path / 'own'}", theirs, same_classes=True, **HOW)
    assert back.shape == (6, 1, 16, 16)
    level = back * theirs.std + theirs.mean
    expected = own.test.inputs.float() @ torch.tensor([0.299, 0.587, 0.114]) / 255
    torch.testing.assert_close(level.mean((1, 2, 3)), expected.mean((1, 2)), atol=0.02, rtol=0)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(NotApplicable, match="and wine has none"):
        elsewhere("wine", loaded("digits"), same_classes=True, **HOW)
    with pytest.raises(NotApplicable, match="inputs of this network are no images"):
        elsewhere("digits", loaded("wine"), same_classes=True, **HOW)


def test_published_corruptions_are_for_the_classes_of_cifar10_in_their_order(tmp_path: Path) -> None:
    """Their labels are numbers, which say something else to a network of ten other classes."""
    check_classes_of_cifar10(loaded(folder(tmp_path / "own", CIFAR10_CLASSES, side=32)))
    digits = loaded(folder(tmp_path / "digits", tuple("0123456789"), side=32))
    with pytest.raises(NotApplicable, match=r"airplane, automobile.* and those of this network are 0, 1, 2"):
        check_classes_of_cifar10(digits)
