"""The formats of a comparison, one file each: a function from the comparison to its text."""

from __future__ import annotations

from collections.abc import Callable

from samcli.errors import ConfigError, nearest
from samcli.report.formats.csv import csv
from samcli.report.formats.json import json
from samcli.report.formats.latex import latex
from samcli.report.formats.markdown import markdown
from samcli.report.formats.table import table
from samcli.report.row import Comparison

_WRITERS: dict[str, Callable[[Comparison], str]] = {"markdown": markdown, "latex": latex, "csv": csv, "json": json}
FORMATS = ("table", *_WRITERS)


def render(comparison: Comparison, form: str, *, width: int = 100, color: bool = False) -> str:
    """The comparison as a text that ends with a line break.

    The first three are for people: accuracies in percent, a legend and notes below. CSV and JSON are for programs:
    numbers unrounded and in the unit of `metrics.csv`; JSON has the notes and the full configuration of each row.

    Args:
        comparison: what to show.
        form: one of `FORMATS`.
        width: of the terminal, in characters; for the table.
        color: whether the terminal shows bold and dim text; for the table.

    Raises:
        ConfigError: no such format.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> for line in render(compare(example_runs()), "table").splitlines()[:4]:
    ...     print(line[:40])
    digits, cnn: test accuracy in %
    Optimizer     n          Last          B
    ────────────────────────────────────────
    sam rho=0.05  2  82.50 ± 3.54  82.50 ± 3
    """
    if form not in FORMATS:
        raise ConfigError(f"There is no format named {form!r}; {nearest(form, FORMATS)}")
    if form == "table":
        return table(comparison, width=width, color=color)
    return _WRITERS[form](comparison)
