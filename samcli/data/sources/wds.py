"""A user's own images in the shards of a WebDataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from samcli.data.base import DATASETS, Source
from samcli.data.sources._own_images import UNDIVIDED, OwnImages
from samcli.data.sources._path import is_file_of
from samcli.data.sources._shards import read_shards
from samcli.errors import DataError
from samcli.words import count


@DATASETS.register("wds:")
@dataclass(frozen=True)
class WebDatasetShards(OwnImages):
    """Your own images in WebDataset shards: PATH/train-*.tar and PATH/test-*.tar, or PATH/*.tar split 80 to 20.

    In a shard KEY.jpg is an image and KEY.cls the number of its class, or KEY.json has it as label. The shards are not
    compressed and lie on a disk. They are read from the middle, so that each epoch has its own order, as of any other
    data set. What image-folder does to images is done to these as well; docs/data.md says more.
    """

    FORM: ClassVar[str] = "wds:PATH"
    NOUN: ClassVar[str] = "folder"
    ARGUMENT: ClassVar[str] = "PATH"
    title: ClassVar[str] = "the folder of shards"

    argument: str

    def digest(self, data_dir: Path) -> str | None:
        return read_shards(self._root).digest

    @staticmethod
    def serves(name: str) -> bool:
        """Whether this is an archive."""
        return is_file_of(name, (".tar",))

    def source(self, data_dir: Path) -> Source:
        shards = read_shards(self._root)
        if UNDIVIDED in shards.parts:
            images, targets = shards.parts[UNDIVIDED]
            if len(images) < 5 * len(set(targets.tolist())):
                raise DataError(
                    f"{self._root} has {count(len(images), 'image')}, too few to split off a test part; add more, or "
                    "name the shards of its parts train-000000.tar and test-000000.tar."
                )
        return self._source(shards.parts, shards.names, shards.notes, shards.digest)
