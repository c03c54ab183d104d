"""The file `confusion.csv` of a run: how many test examples of each class its network took for which."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from samcli.errors import ResultsError
from samcli.escape import csv_cell
from samcli.runs.door import read_text
from samcli.runs.files import write_atomic

NAME = "confusion.csv"
MOST_CLASSES = 100  # of a file
_MOST = 2**63 - 1


@dataclass(frozen=True)
class Confusion:
    """How many examples of each class were predicted to be of each.

    Attributes:
        names: of the classes.
        counts: a row for each true class, in it a number for each predicted one.

    >>> Confusion(("cat", "dog"), ((3, 1), (0, 4))).accuracy
    0.875
    """

    names: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def examples(self) -> int:
        """How many were counted."""
        return sum(map(sum, self.counts))

    @property
    def accuracy(self) -> float:
        """The fraction predicted rightly: that of the run's last row."""
        return sum(row[number] for number, row in enumerate(self.counts)) / self.examples

    def mistakes(self) -> list[tuple[str, str, int]]:
        """True class, predicted class and count of what was taken for another class, the most frequent first.

        >>> Confusion(("cat", "dog"), ((3, 1), (0, 4))).mistakes()
        [('cat', 'dog', 1)]
        """
        found = [
            (true, predicted, count)
            for number, (true, row) in enumerate(zip(self.names, self.counts, strict=True))
            for other, (predicted, count) in enumerate(zip(self.names, row, strict=True))
            if number != other and count
        ]
        return sorted(found, key=lambda one: -one[2])


def total(matrices: Iterable[Confusion]) -> Confusion:
    """The sum of matrices of the same classes.

    >>> one = Confusion(("cat", "dog"), ((3, 1), (0, 4)))
    >>> total([one, one]).counts
    ((6, 2), (0, 8))
    """
    found = list(matrices)
    rows = zip(*(one.counts for one in found), strict=True)
    return Confusion(found[0].names, tuple(tuple(map(sum, zip(*row, strict=True))) for row in rows))


def write_confusion(folder: Path, confusion: Confusion) -> None:
    """Replace the file in a run's folder: a first line with the predicted classes, then one for each true class.

    Names are made safe for spreadsheets, see `samcli.escape.csv_cell`.

    Raises:
        RunBlocked, ResultsError: see `samcli.runs.files.atomic_path`.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [csv_cell(name) for name in confusion.names]
    writer.writerow(["true", *names])
    writer.writerows([name, *row] for name, row in zip(names, confusion.counts, strict=True))
    write_atomic(folder / NAME, text.getvalue())


def read_confusion(folder: str | os.PathLike[str]) -> Confusion | None:
    """The confusion matrix of a run, by its folder; None where it has none.

    Runs of regressions, of more than 100 classes, of earlier versions, and those that did not finish have none.

    Raises:
        ResultsError: the file is not what a run wrote.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     write_confusion(Path(name), Confusion(("cat", "dog"), ((3, 1), (0, 4))))
    ...     read_confusion(name)
    Confusion(names=('cat', 'dog'), counts=((3, 1), (0, 4)))
    """
    path = Path(folder) / NAME
    if not os.path.lexists(path):
        return None
    try:
        header, *rows = list(csv.reader(io.StringIO(read_text(path), newline="")))
        names, counts = tuple(header[1:]), tuple(tuple(map(_count, row[1:])) for row in rows)
    except (ValueError, csv.Error):
        raise _unsound(path) from None
    sizes = {len(names), len(counts), *map(len, counts)}
    if len(sizes) > 1 or not 0 < len(names) <= MOST_CLASSES or tuple(row[0] for row in rows) != names:
        raise _unsound(path)
    if not any(map(any, counts)):
        raise _unsound(path)
    return Confusion(names, counts)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < len(str(_MOST))):
        raise ValueError(text)
    return int(text)


def _unsound(path: Path) -> ResultsError:
    return ResultsError(f"{path} is not the confusion matrix of a run; remove it, which costs nothing but that table.")
