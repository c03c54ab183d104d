"""A user's own folder of images, one subfolder a class."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from samcli.data.base import DATASETS, Source
from samcli.data.sources._folder import read_layout
from samcli.data.sources._own_images import UNDIVIDED, OwnImages, class_numbers
from samcli.errors import DataError
from samcli.words import count


@DATASETS.register("image-folder:")
@dataclass(frozen=True)
class ImageFolder(OwnImages):
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
        names = tuple(sorted(next(iter(layout.parts.values()))[1]))
        if UNDIVIDED in layout.parts and len(layout.files) < 5 * len(names):
            raise DataError(
                f"{self._root} has {count(len(layout.files), 'image')}, too few to split off a test part; add more, "
                f"or make the folders {self._root}/train and {self._root}/test."
            )
        parts = {
            part: (
                [file for name in names for file in files[name]],
                class_numbers([len(files[name]) for name in names]),
            )
            for part, (_, files) in layout.parts.items()
        }
        return self._source(parts, names, tuple(layout.notes()), digest)
