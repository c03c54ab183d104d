"""The formats of a comparison, one file each: a function from the comparison to its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from samcli.errors import ConfigError, nearest
from samcli.report.cells import Column, choose_columns
from samcli.report.formats.csv import csv
from samcli.report.formats.json import json
from samcli.report.formats.latex import latex
from samcli.report.formats.markdown import markdown
from samcli.report.formats.table import table
from samcli.report.row import Comparison

_WRITERS: dict[str, Callable[[Comparison, Sequence[Column] | None], str]] = {
    "markdown": markdown,
    "latex": latex,
    "csv": csv,
    "json": json,
}
FORMATS = ("table", *_WRITERS)


def render(
    comparison: Comparison, form: str, *, width: int | None = 100, color: bool = False, columns: str | None = None
) -> str:
    """The comparison as a text that ends with a line break.

    The first three are for people: accuracies in percent, a legend and notes below. CSV and JSON are for programs:
    numbers unrounded and in the unit of `metrics.csv`; JSON has the notes and the full configuration of each row.

    Args:
        comparison: what to show.
        form: one of `FORMATS`.
        width: of the terminal, in characters; for the table. None is as wide as the rows are.
        color: whether the terminal shows bold and dim text; for the table.
        columns: their names with commas between them, see `samcli.report.cells.choose_columns`; by default a table and
            LaTeX have those that fit, the other formats all.

    Raises:
        ConfigError: no such format or column.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> for line in render(compare(example_runs()), "table").splitlines()[:4]:
    ...     print(line[:40])
    digits, cnn: test accuracy in %
    Optimizer     n          Last  Best on t
    ────────────────────────────────────────
    sam rho=0.05  2  82.50 ± 3.54  82.50 ± 3
    """
    if form not in FORMATS:
        raise ConfigError(f"There is no format named {form!r}; {nearest(form, FORMATS)}")
    chosen = None if columns is None else choose_columns(columns)
    if form == "table":
        return table(comparison, width=width, color=color, columns=chosen)
    return _WRITERS[form](comparison, chosen)
