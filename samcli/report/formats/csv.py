"""CSV for programs."""

from __future__ import annotations

import csv as comma_separated
import io
from collections.abc import Sequence

from samcli.escape import csv_cell
from samcli.report.cells import Column
from samcli.report.formats._record import record
from samcli.report.row import Comparison


def csv(comparison: Comparison, columns: Sequence[Column] | None = None) -> str:
    """A line for each row, numbers unrounded and in the units of `metrics.csv`; see `samcli.report.formats.render`.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> [line.split(",")[4:6] for line in csv(compare(example_runs())).splitlines()]
    [['optimizer', 'settings'], ['sam', 'rho=0.05'], ['sgd', '']]
    """
    text = io.StringIO()
    records = [record(row, columns) for row in comparison.rows]
    writer = comma_separated.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: csv_cell(value) for key, value in record.items()} for record in records)
    return text.getvalue()
