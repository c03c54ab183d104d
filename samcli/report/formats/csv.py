"""CSV for programs."""

from __future__ import annotations

import csv as comma_separated
import io

from samcli.report.formats._record import record
from samcli.report.row import Comparison


def csv(comparison: Comparison) -> str:
    text = io.StringIO()
    records = [record(row) for row in comparison.rows]
    writer = comma_separated.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()
