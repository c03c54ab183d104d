"""The kinds of hypotheses, one file each: a function from runs and what is said of them to the evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from samcli.report.hypotheses._cases import GAP as GAP
from samcli.report.hypotheses._cases import Cases as Cases
from samcli.report.hypotheses._cases import Untestable as Untestable
from samcli.report.hypotheses._evidence import Evidence as Evidence
from samcli.report.hypotheses.best_of import best_of
from samcli.report.hypotheses.better import better
from samcli.report.hypotheses.correlated import correlated
from samcli.report.hypotheses.equal import equal
from samcli.report.hypotheses.lead_of import lead_of
from samcli.report.hypotheses.mean_of import mean_of
from samcli.report.hypotheses.range_of import range_of
from samcli.report.hypotheses.ratio_of import ratio_of
from samcli.report.hypotheses.wider import wider

KINDS: Mapping[str, Callable[[Cases, Mapping[str, Any]], Evidence]] = {
    "better": better,
    "equal": equal,
    "lead_of": lead_of,
    "best_of": best_of,
    "range_of": range_of,
    "correlated": correlated,
    "mean_of": mean_of,
    "ratio_of": ratio_of,
    "wider": wider,
}
