"""A user's own images: the options that all of them have, and what becomes of those that were found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from samcli.data.base import DatasetKind, Source
from samcli.data.cache_dir import cache_dir
from samcli.data.lazy import LazyImages
from samcli.data.sources._images import ImageFiles
from samcli.data.sources._kept import KeptImages
from samcli.data.sources._path import OfPath
from samcli.data.sources._reading import image_reading
from samcli.data.sources._resized import WAYS, Resizing, check_width
from samcli.data.sources._stored import StoredImage
from samcli.data.split import split_source
from samcli.registry import option
from samcli.tasks import Classification

UNDIVIDED = "all"  # the part that the test part is drawn from


@dataclass(frozen=True, kw_only=True)
class OwnImages(OfPath, DatasetKind):
    """Images at a path that are of any sizes and formats.

    Raises:
        ConfigError: a width without a height.
    """

    size: int | None = option(
        None, "side of the images in pixels, or their height; null: their own if they share one, else 64", minimum=1
    )
    width: int | None = option(None, "width of the images in pixels; null: that of size", minimum=1)
    resize: str = option("crop", "how images come to size: crop the middle, stretch, or pad with black", choices=WAYS)
    shrink: int = option(
        1, "side of the square blocks of pixels whose means the images become; must divide their sides", minimum=1
    )
    stream: bool = option(
        False, "whether batches are decoded from the files when they are due; changes no result, nor what a run is"
    )
    split_seed: int = option(0, "decides which fifth is the test part, in a folder without one", minimum=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_width(self)

    def _source(
        self,
        parts: Mapping[str, tuple[Sequence[StoredImage], Tensor]],
        names: tuple[str, ...],
        notes: tuple[str, ...],
        digest: str,
    ) -> Source:
        """The images, wherever they are to be held.

        Args:
            parts: images and their class numbers, (N,) int64: of `train`, `test` and perhaps `validation`, or those
                that are `UNDIVIDED`.
            names: of the classes.
            notes: what was passed over, in clauses.
            digest: of all of it.
        """
        inputs, told, reading = self._images([image for images, _ in parts.values() for image in images], digest)
        task, notes = Classification(len(names)), (*told, *notes)
        if UNDIVIDED in parts:
            whole = split_source(inputs, parts[UNDIVIDED][1], task, names, self.split_seed)
            return replace(whole, notes=notes, digest=digest, reading=reading)
        pieces = inputs.split([len(images) for images, _ in parts.values()])  # type: ignore[no-untyped-call]
        cut = {part: (piece, parts[part][1]) for part, piece in zip(parts, pieces, strict=True)}
        validation = cut.get("validation")
        return Source(*cut["train"], *cut["test"], task, names, validation, notes, digest, reading=reading)

    def _images(self, images: list[StoredImage], digest: str) -> tuple[Tensor, tuple[str, ...], dict[str, Any]]:
        """These images as inputs, what was done to them, and how to do it again."""
        resizing = Resizing.of(self)
        found: ImageFiles | KeptImages
        if (folder := cache_dir()) is not None:
            found = KeptImages.of(images, resizing, digest, folder)
            inputs = cast(Tensor, LazyImages(found))
        else:
            found = ImageFiles.of(images, resizing)
            inputs = cast(Tensor, LazyImages(found)) if self.stream else found.all()
        return inputs, found.notes, image_reading(inputs, found.depth, way=self.resize, shrink=self.shrink)

    @property
    def _root(self) -> Path:
        return Path(self.argument).expanduser()


def class_numbers(counts: Sequence[int]) -> Tensor:
    """The class numbers of images that lie class by class, so many of each.

    >>> class_numbers([2, 1])
    tensor([0, 0, 1])
    """
    return torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
