"""A user's own folder of images, one subfolder a class."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.cache_dir import cache_dir
from samcli.data.lazy import LazyImages
from samcli.data.sources._folder import read_layout
from samcli.data.sources._images import ImageFiles
from samcli.data.sources._kept import KeptImages
from samcli.data.sources._path import OfPath
from samcli.data.sources._reading import image_reading
from samcli.data.sources._resized import WAYS, Resizing, check_width
from samcli.data.split import split_source
from samcli.errors import DataError
from samcli.registry import option
from samcli.tasks import Classification
from samcli.words import count


@DATASETS.register("image-folder:")
@dataclass(frozen=True)
class ImageFolder(OfPath, DatasetKind):
    """Your own images: PATH/train/CLASS/*.jpg and PATH/test/CLASS/*.jpg, or PATH/CLASS/*.jpg split 80 to 20.

    Images that are all grey stay grey; otherwise all become RGB. Where they share one size they keep it; otherwise,
    or with `size`, the shorter side is brought to that many pixels and the middle square is taken, unless `width` and
    `resize` say otherwise. Beside train and test a folder val is the validation part. docs/data.md says what else is
    done to images, what is passed over, and how folders are read that are larger than the memory.
    """

    FORM: ClassVar[str] = "image-folder:PATH"
    NOUN: ClassVar[str] = "folder"
    ARGUMENT: ClassVar[str] = "PATH"
    title: ClassVar[str] = "the image folder"

    argument: str
    _: KW_ONLY
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

    def digest(self, data_dir: Path) -> str | None:
        return read_layout(self._root).digest()

    @staticmethod
    def serves(name: str) -> bool:
        """Whether this is a folder."""
        try:
            return Path(name).expanduser().is_dir()
        except (OSError, RuntimeError, ValueError):  # no name that a folder has
            return False

    def source(self, data_dir: Path) -> Source:
        layout = read_layout(self._root)
        digest = layout.digest()
        classes = [files for _, files in layout.parts.values()]
        names = tuple(sorted(classes[0]))
        counts = torch.tensor([[len(files[name]) for name in names] for files in classes])
        if "all" in layout.parts and len(layout.files) < 5 * len(names):
            raise DataError(
                f"{self._root} has {count(len(layout.files), 'image')}, too few to split off a test part; add more, "
                f"or make the folders {self._root}/train and {self._root}/test."
            )
        files = [file for files in classes for name in names for file in files[name]]
        inputs, notes, reading = self._images(files, digest)
        targets = torch.arange(len(names)).repeat(len(classes)).repeat_interleave(counts.flatten())
        task, notes = Classification(len(names)), (*notes, *layout.notes())
        if "all" in layout.parts:
            whole = split_source(inputs, targets, task, names, self.split_seed)
            return replace(whole, notes=notes, digest=digest, reading=reading)
        sizes = counts.sum(1).tolist()
        cut = zip(inputs.split(sizes), targets.split(sizes), strict=True)  # type: ignore[no-untyped-call]
        parts = dict(zip(layout.parts, cut, strict=True))
        validation = parts.get("validation")
        return Source(*parts["train"], *parts["test"], task, names, validation, notes, digest, reading=reading)

    def _images(self, files: list[Path], digest: str) -> tuple[Tensor, tuple[str, ...], dict[str, Any]]:
        """The images of these files, wherever they are to be held, what was done to them, and how to do it again."""
        resizing = Resizing.of(self)
        found: ImageFiles | KeptImages
        if (folder := cache_dir()) is not None:
            found = KeptImages.of(files, resizing, digest, folder)
            images = cast(Tensor, LazyImages(found))
        else:
            found = ImageFiles.of(files, resizing)
            images = cast(Tensor, LazyImages(found)) if self.stream else found.all()
        return images, found.notes, image_reading(images, found.depth, way=self.resize, shrink=self.shrink)

    @property
    def _root(self) -> Path:
        return Path(self.argument).expanduser()
