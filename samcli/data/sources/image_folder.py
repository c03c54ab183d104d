"""A user's own folder of images, one subfolder a class."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.sources._folder import read_layout
from samcli.data.sources._images import decode_images
from samcli.data.sources._reading import image_reading
from samcli.data.split import split_source
from samcli.errors import ConfigError, DataError, require_utf8
from samcli.registry import option
from samcli.tasks import Classification
from samcli.words import count


@DATASETS.register("image-folder:")
@dataclass(frozen=True)
class ImageFolder(DatasetKind):
    """Your own images: PATH/train/CLASS/*.jpg and PATH/test/CLASS/*.jpg, or PATH/CLASS/*.jpg split 80 to 20.

    Images that are all grey stay grey; otherwise all become RGB. Where they share one size they keep it; otherwise,
    or with `size`, the shorter side is brought to that many pixels and the middle square is taken. Beside train and
    test a folder val is the validation part. docs/data.md says what else is done to images, and what is passed over.
    """

    ARGUMENT: ClassVar[str] = "PATH"
    title: ClassVar[str] = "the image folder"

    argument: str
    _: KW_ONLY
    size: int | None = option(
        None, "side of the images in pixels; null: their own if they share one, else 64", minimum=1
    )
    split_seed: int = option(0, "decides which fifth is the test part, in a folder without one", minimum=0)

    @property
    def label(self) -> str:
        """The folder's own name."""
        return Path(self.argument).name or self.argument

    @staticmethod
    def canonical(argument: str) -> str:
        """The absolute path: the same folder from wherever it is named, and never another one.

        Raises:
            ConfigError: it is no path, or one that cannot be written into a configuration.
        """
        require_utf8(argument)
        try:
            return require_utf8(str(Path(argument).expanduser().resolve()))
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(f"image-folder:{argument} names no folder ({error}); give image-folder:PATH.") from error

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
        inputs, notes, depth = decode_images(files, self.size)
        reading = image_reading(inputs, depth)
        targets = torch.arange(len(names)).repeat(len(classes)).repeat_interleave(counts.flatten())
        task, notes = Classification(len(names)), (*notes, *layout.notes())
        if "all" in layout.parts:
            whole = split_source(inputs, targets, task, names, self.split_seed)
            return replace(whole, notes=notes, digest=digest, reading=reading)
        sizes = counts.sum(1).tolist()
        cut = zip(torch.split(inputs, sizes), torch.split(targets, sizes), strict=True)
        parts = dict(zip(layout.parts, cut, strict=True))
        validation = parts.get("validation")
        return Source(*parts["train"], *parts["test"], task, names, validation, notes, digest, reading=reading)

    @property
    def _root(self) -> Path:
        return Path(self.argument).expanduser()
