"""Examples of another data set, as a trained network gets them."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.data import DATASETS, Dataset
from samcli.data.part import Part
from samcli.data.raw import raw_source
from samcli.errors import DataError, NotApplicable

GREY = (0.299, 0.587, 0.114)  # of red, green and blue in a grey value (ITU-R BT.601), as Pillow has it

CIFAR10_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def elsewhere(
    name: str, own: Dataset, *, same_classes: bool, examples: int, seed: int, data_dir: Path, batch_size: int
) -> list[tuple[Tensor, Tensor]]:
    """Batches of the test part of another image data set, brought to the size and channels of a network's own.

    They are normalised by the network's constants. Their classes are matched by name.

    Args:
        name: of the data set.
        own: that of the network.
        same_classes: whether all its classes must be the network's; otherwise none may be, and targets are zero.
        examples: how many are taken, chosen by the seed; all if there are fewer.
        seed: chooses them.
        data_dir: where data sets lie.
        batch_size: examples in a batch.

    Raises:
        ConfigError: there is no such data set.
        DataError: it is missing, or has other classes than are wanted.
        NotApplicable: the network takes no images, or the data are none.

    >>> from samcli.data import load
    >>> digits = load(DATASETS.create("digits"), seed=0, data_dir=Path(), device="cpu")
    >>> how = {"examples": 50, "seed": 0, "data_dir": Path(), "batch_size": 20}
    >>> [len(targets) for _, targets in elsewhere("digits", digits, same_classes=True, **how)]
    [20, 20, 10]
    """
    kind = DATASETS.create(DATASETS.canonical(name))
    if not own.train.normalisation.is_images:
        raise NotApplicable("it takes images from elsewhere, and the inputs of this network are no images")
    if not kind.is_images:
        raise NotApplicable(f"it takes images from elsewhere, and {kind.label} has none")
    if own.task.classes is None or kind.is_regression:
        raise NotApplicable("it is of classes, and numbers are predicted here")
    source = raw_source(kind, data_dir)
    part = Part(source.test_inputs, source.test_targets, own.train.normalisation).subset(examples, seed)
    targets = _matched(part.targets, source.class_names, own, kind.label, same_classes=same_classes)
    device = own.test.targets.device
    images = _fitted(part.inputs[:], own.shape)
    ready = Part(images.to(device), targets.to(device), own.train.normalisation)
    return list(ready.batches(batch_size))


def check_classes_of_cifar10(own: Dataset) -> None:
    """Refuse the published corruptions to a network that numbers its classes otherwise: their labels are numbers.

    Raises:
        NotApplicable: its classes are not those of CIFAR-10 in their order.
    """
    if own.shape == (3, 32, 32) and own.class_names != CIFAR10_CLASSES:  # of another shape it is refused anyway
        named = ", ".join(own.class_names[:10]) or "none"
        raise NotApplicable(
            f"CIFAR-10-C has the classes of CIFAR-10, {', '.join(CIFAR10_CLASSES)}, and those of this network are "
            f"{named}"
        )


def _matched(targets: Tensor, names: tuple[str, ...], own: Dataset, label: str, *, same_classes: bool) -> Tensor:
    """The targets as the network numbers its classes.

    Raises:
        DataError: the classes are not those that are wanted.
    """
    known = {name: number for number, name in enumerate(own.class_names)}
    if same_classes:
        if strange := [name for name in names if name not in known]:
            raise DataError(
                f"{label} has classes that the network does not know: {', '.join(strange[:5])}; it knows "
                f"{', '.join(own.class_names[:10])}. For data of other classes there is --other-classes."
            )
        return torch.tensor([known[name] for name in names])[targets]
    if common := [name for name in names if name in known]:
        raise DataError(
            f"{label} has classes that the network knows: {', '.join(common[:5])}; for data of its own classes there "
            "is --shift."
        )
    return torch.zeros_like(targets)


def _fitted(images: Tensor, shape: tuple[int, ...]) -> Tensor:
    """(N, H, W, C) uint8 at the size and with the channels of (C, H, W), by linear interpolation with antialiasing."""
    channels, height, width = shape
    pixels = images.permute(0, 3, 1, 2).float()
    if pixels.shape[1] == 3 and channels == 1:
        pixels = (pixels * torch.tensor(GREY).view(3, 1, 1)).sum(1, keepdim=True)
    elif pixels.shape[1] == 1 and channels == 3:
        pixels = pixels.expand(-1, 3, -1, -1)
    elif pixels.shape[1] != channels:
        raise NotApplicable(f"the network takes {channels} channels, and these images have {pixels.shape[1]}")
    if pixels.shape[2:] != (height, width):
        pixels = F.interpolate(pixels, (height, width), mode="bilinear", antialias=True)
    return pixels.round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()
