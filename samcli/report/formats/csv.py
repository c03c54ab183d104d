"""CSV for programs."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.report.cells import Column
from samcli.report.formats._record import record
from samcli.report.row import Comparison
from samcli.report.small_table import in_csv


def csv(comparison: Comparison, columns: Sequence[Column] | None = None) -> str:
    """A line for each row, numbers unrounded and in the units of `metrics.csv`; see `samcli.report.formats.render`.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> [line.split(",")[4:6] for line in csv(compare(example_runs())).splitlines()]
    [['optimizer', 'settings'], ['sam', 'rho=0.05'], ['sgd', '']]
    """
    return in_csv([record(row, columns) for row in comparison.rows])
