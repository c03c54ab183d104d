"""The data set of fine_tuning.yaml: the help topics that come with every Python, English prose about its grammar."""

from __future__ import annotations

import pydoc_data.topics
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from samcli.data import DATASETS, DatasetKind, Source
from samcli.registry import option


@DATASETS.register("python-topics")
@dataclass(frozen=True, kw_only=True)
class Topics(DatasetKind):
    """The file pydoc_data/topics.py as `text:` reads it: training, validation and test part follow one another."""

    title: ClassVar[str] = "Python's help topics"
    is_images: ClassVar[bool] = False
    is_tokens: ClassVar[bool] = True
    default_model: ClassVar[str | None] = "gpt"

    context: int = option(48, "bytes in a window", minimum=1)
    train_tokens: int | None = option(None, "train on the first so many bytes; null for all", minimum=1)
    test_tokens: int | None = option(None, "at most so many bytes of the test part; null for all", minimum=1)

    @property
    def metric(self) -> str:
        return self._text().metric

    def digest(self, data_dir: Path) -> str | None:
        return self._text().digest(data_dir)

    def source(self, data_dir: Path) -> Source:
        return self._text().source(data_dir)

    def _text(self) -> DatasetKind:
        return DATASETS.create(
            f"text:{pydoc_data.topics.__file__}",
            context=self.context,
            train_tokens=self.train_tokens,
            test_tokens=self.test_tokens,
        )
