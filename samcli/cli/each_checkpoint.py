"""Several checkpoints, one after the other: what one is about, what is wrong with another, and what others need."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from samcli.cli.output import detail, hint, status, typed, warn
from samcli.errors import CheckpointError, DataError, NotApplicable, PluginNeeded
from samcli.words import count


class Found(Protocol):
    """What was found out about one checkpoint."""

    @property
    def passed_over(self) -> Mapping[str, str]:
        """Reasons why something does not apply, by its name."""

    @property
    def unwritten(self) -> str | None:
        """Why the results are not kept, in a sentence; None if they are."""


F = TypeVar("F", bound=Found)


def each_checkpoint(paths: Sequence[Path], find_out: Callable[..., F], what: str) -> Iterator[F]:
    """Find something out about each checkpoint; one that cannot be read is told and passed over.

    Args:
        paths: the checkpoints.
        find_out: takes a path, and `on_begin`, which it calls with the name of each thing before it begins.
        what: is found out, for those who want to know more.
    """
    needed: Counter[tuple[str, ...]] = Counter()
    for number, path in enumerate(paths, 1):
        if len(paths) > 1:
            hint(f"{number}/{len(paths)} {path.parent.name}")
        detail(f"{path}: {what}")
        try:
            try:
                row = find_out(path, on_begin=lambda label: status(f"  {label} ..."))
            finally:
                status("")
        except PluginNeeded as error:
            needed[error.files] += 1
            continue
        except (CheckpointError, DataError, NotApplicable) as error:
            warn(f"samcli: {error}")
            continue
        for label, reason in row.passed_over.items():
            hint(f"{label} is passed over. {reason}")
        if row.unwritten:
            hint(f"Not kept: {row.unwritten}")
        yield row
    for files, runs in needed.items():
        _tell_needed(files, runs)


def _tell_needed(files: tuple[str, ...], runs: int) -> None:
    """Say what runs need that was not run, and the command that allows it."""
    flags = " ".join(f"--plugin {shlex.quote(file)}" for file in files)
    need = "needs" if runs == 1 else "need"
    warn(
        f"samcli: {count(runs, 'run')} {need} what {' and '.join(files)} registers. A Python file that a checkpoint "
        f"names is not run by itself; allow it:\n  {typed()} {flags}"
    )
