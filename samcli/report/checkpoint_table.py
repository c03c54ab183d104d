"""Tables with a row for each checkpoint, and a column for each value that was found out about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from samcli.errors import ResultsError
from samcli.report.settings import captions
from samcli.report.text_table import text_table
from samcli.runs.folder import RunFolder

LONGEST_NAME = 40  # characters of a run's name beyond which it wraps beside its values
BESIDE_NAME = 12  # characters of the epoch and of the space around it

V_co = TypeVar("V_co", covariant=True)


class Named(Protocol):
    """One checkpoint."""

    @property
    def run(self) -> str:
        """The name of its folder."""

    @property
    def checkpoint(self) -> Path:
        """The file."""


class Row(Named, Protocol[V_co]):
    """What was found out about one checkpoint."""

    @property
    def epoch(self) -> int:
        """How many epochs it was trained for."""

    @property
    def values(self) -> Mapping[str, V_co]:
        """What was found out, by name."""


W = TypeVar("W")


def checkpoint_table(
    rows: Sequence[Row[W]],
    heading: Callable[[str, W], str],
    cell: Callable[[W], str],
    *,
    width: int | None = 100,
    color: bool = False,
) -> str:
    """A row for each checkpoint and a column for each value, in as many tables as the width asks for.

    Args:
        rows: of each checkpoint.
        heading: of the name of a value, and the first that there is of it, the words above its column.
        cell: a value as the table shows it.
        width: of the terminal, in characters; None is as wide as the values are.
        color: whether the terminal shows bold text.

    >>> from types import SimpleNamespace as Stub
    >>> row = Stub(run="a", checkpoint=Path("a.pt"), epoch=3, values={"clean": 0.25})
    >>> print(checkpoint_table([row], lambda name, _: name, str))  # doctest: +NORMALIZE_WHITESPACE
    run   epoch   clean
    ───────────────────
    a     3       0.25
    """
    names = run_names(rows)
    name = min(max(map(len, names), default=0), LONGEST_NAME)
    first = {key: value for row in reversed(rows) for key, value in row.values.items()}
    ordered = dict.fromkeys(key for row in rows for key in row.values)
    columns = {
        key: [heading(key, first[key]), *(cell(row.values[key]) if key in row.values else "" for row in rows)]
        for key in ordered
    }
    tables = []
    for block in _blocks(columns, None if width is None else width - name - BESIDE_NAME):
        texts = [
            {"run": name, "epoch": str(row.epoch), **{columns[key][0]: columns[key][number] for key in block}}
            for number, (name, row) in enumerate(zip(names, rows, strict=True), 1)
        ]
        tables.append(text_table(texts, width=width, color=color))
    return "\n".join(tables)


def run_names(rows: Sequence[Named]) -> list[str]:
    """A name for each run by its settings, or by its folder where settings do not tell all apart."""
    try:
        configs = [RunFolder(row.checkpoint.parent).read_config() for row in rows]
        names = [" ".join(words) for words in captions(configs)]
    except ResultsError:  # a checkpoint that was taken from its folder
        names = []
    return names if len(set(names)) == len(rows) else [row.run for row in rows]


def _blocks(columns: Mapping[str, Sequence[str]], width: int | None) -> list[list[str]]:
    """The columns of each table: as many as fit in the width."""
    if width is None:
        return [list(columns)]
    left, found = 0, list[list[str]]()
    for key, texts in columns.items():
        needed = max(len(line) for text in texts for line in text.split("\n")) + 3
        if not found or needed > left:
            found.append([])
            left = width
        found[-1].append(key)
        left -= needed
    return found
