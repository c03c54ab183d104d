"""JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.escape import json_text
from samcli.report.cells import Column
from samcli.report.formats._record import record
from samcli.report.judged_table import judged_records
from samcli.report.row import Comparison


def json(comparison: Comparison, columns: Sequence[Column] | None = None) -> str:
    """One document with the rows, and unless columns are chosen their values by seed and their configurations.

    See `samcli.report.formats.render`.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> from json import loads
    >>> loads(json(compare(example_runs())))["rows"][0]["by_seed"]
    {'0': 0.8, '1': 0.85}
    """
    rows = [record(row, columns) for row in comparison.rows]
    if columns is None:
        for fields, row in zip(rows, comparison.rows, strict=True):
            fields |= {"by_seed": dict(row.by_seed), "compared_to": row.compared_to, "config": _strict(row.config)}
    document = {
        "baseline": comparison.baseline,
        "budget": comparison.budget,
        "select": comparison.select,
        "target": comparison.target,
        "rows": rows,
        "notes": comparison.notes,
        "origin": comparison.origin,
        "hypotheses": judged_records(comparison.judgements),
    }
    return json_text(document) + "\n"


def _strict(value: Any) -> Any:
    """The value without what JSON cannot say: an infinite norm becomes "inf", as one may write it in a file."""
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
