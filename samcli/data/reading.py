"""Who is told how far the reading of images is, and what was kept of them for the next time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

Advance = Callable[[int], object]


class Watcher(Protocol):
    """Whoever shows it."""

    def reading(self, number: int) -> AbstractContextManager[Advance]:
        """So many images are read within the block; what it yields is told how many more are done."""

    def told(self, sentence: str) -> None:
        """Something a user should know."""


_watchers: list[Watcher] = []


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Within the block this watcher is told; without one nobody is."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.pop()


def reading(number: int) -> AbstractContextManager[Advance]:
    """A block in which so many images are read.

    >>> with reading(3) as advance:  # nobody is told
    ...     advance(3)
    """
    return _watchers[-1].reading(number) if _watchers else nullcontext(_ignored)


def tell(sentence: str) -> None:
    """Tell the watcher a sentence, if there is one.

    >>> tell("Nobody hears this.")
    """
    if _watchers:
        _watchers[-1].told(sentence)


def _ignored(number: int) -> None:
    del number
