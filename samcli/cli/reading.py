"""A bar while images are read, for a person who watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from samcli.cli.options import CACHE_DIR
from samcli.cli.output import hint, is_quiet

if TYPE_CHECKING:
    from samcli.data.reading import Advance

FEW = 1000  # images that are read before anybody wonders


class ReadingShown:
    """Shows how many of the images are read, on a terminal alone; the bar is gone when all are."""

    @contextmanager
    def reading(self, number: int) -> Iterator[Advance]:
        """A block in which so many images are read."""
        if number < FEW or not sys.stderr.isatty() or is_quiet():
            yield lambda more: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f"reading {number:,} images", total=number)
            yield lambda more: progress.advance(task, more)

    def told(self, sentence: str) -> None:
        """What was done with them."""
        hint(sentence)


def use_cache_dir(folder: Path | None) -> None:
    """Have this process, and those that it starts from now on, keep decoded images there; None changes nothing.

    >>> use_cache_dir(None)
    """
    if folder is not None:
        os.environ[CACHE_DIR] = str(folder.expanduser().absolute())


@contextmanager
def reading_shown() -> Iterator[None]:
    """Within the block it is shown how far the reading of images is."""
    from samcli.data.reading import watched_by

    with watched_by(ReadingShown()):
        yield
