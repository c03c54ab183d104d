"""The robustness of several checkpoints as a table, as CSV rows and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from samcli.report.checkpoint_table import Row, checkpoint_table

SHARES = ("accuracy", "calibration_error")  # in percent
WORDS = {
    "accuracy": "accuracy in %",
    "calibration_error": "calibration error in %",
    "roc_auc": "AUROC of confidence",
    "loss": "mean loss",
}


class Outcome(Protocol):
    """A value, as `samcli.robustness.Outcome` holds it."""

    @property
    def value(self) -> float:
        """The measured number."""

    @property
    def stderr(self) -> float | None:
        """Its standard error."""

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval, where it is a share of examples."""

    @property
    def n(self) -> int:
        """How many examples it is of."""

    @property
    def score(self) -> str:
        """What it is."""

    @property
    def details(self) -> Mapping[str, Any]:
        """The settings."""


def robustness_table(rows: Sequence[Row[Outcome]], *, width: int | None = 100, color: bool = False) -> str:
    """A row for each checkpoint and a column for each test, in as many tables as the width asks for.

    >>> from pathlib import Path
    >>> from types import SimpleNamespace as Stub
    >>> found = Stub(value=0.8425, stderr=0.0118, score="accuracy", details={})
    >>> row = Stub(run="a", checkpoint=Path("a.pt"), epoch=3, values={"pgd eps=2/255": found})
    >>> print(robustness_table([row]))  # doctest: +NORMALIZE_WHITESPACE
                  pgd
    run   epoch   eps=2/255
    ────────────────────────
    a     3       84.2 ± 1.2
    """
    return checkpoint_table(rows, lambda label, _: _heading(label), _cell, width=width, color=color)


def robustness_legend(rows: Sequence[Row[Outcome]]) -> str:
    """What the values are, of how many examples, and what ± is; empty where there is none.

    >>> from types import SimpleNamespace as Stub
    >>> found = Stub(value=0.8425, stderr=0.0115, n=1000, score="accuracy", details={})
    >>> print(robustness_legend([Stub(values={"clean": found})]))
    Accuracy in % of 1000 test examples, evaluation mode, ± standard error.
    """
    outcomes = [one for row in rows for one in row.values.values()]
    if not outcomes:
        return ""
    labels: dict[str, list[str]] = {one.score: [] for one in outcomes}
    for row in rows:
        for label, one in row.values.items():
            if label not in labels[one.score]:
                labels[one.score].append(label)
    main = max(labels, key=lambda score: len(labels[score]))
    rest = [f"{', '.join(names)}: {WORDS[score]}" for score, names in labels.items() if score != main]
    counts = " or ".join(map(str, sorted({one.n for one in outcomes if one.score == main})))
    words = WORDS[main]
    reasons = dict.fromkeys(str(one.details["reason"]) for one in outcomes if "reason" in one.details)
    unknown = [f"nan could not be measured: {', or '.join(reasons)}"] if reasons else []
    sentences = [
        f"{words[0].upper()}{words[1:]} of {counts} test examples, evaluation mode, ± standard error", *rest, *unknown
    ]  # fmt: skip
    return ". ".join(sentences) + "."


def robustness_records(rows: Sequence[Row[Outcome]]) -> list[dict[str, Any]]:
    """The rows of a CSV: for each test the value, its standard error, and where it has one its interval.

    >>> from pathlib import Path
    >>> from types import SimpleNamespace as Stub
    >>> found = Stub(value=0.5, stderr=0.1, interval=(0.3, 0.7), score="accuracy", details={})
    >>> robustness_records([Stub(checkpoint=Path("a.pt"), epoch=3, values={"clean": found})])[0]["clean-high"]
    0.7
    """
    return [{"checkpoint": str(row.checkpoint), "epoch": row.epoch, **_flat(row.values)} for row in rows]


def _flat(values: Mapping[str, Outcome]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for label, one in values.items():
        columns[label] = one.value
        if one.stderr is not None:
            columns[f"{label}-stderr"] = one.stderr
        if one.interval is not None:
            columns |= {f"{label}-low": one.interval[0], f"{label}-high": one.interval[1]}
    return columns


def robustness_document(rows: Sequence[Row[Outcome]]) -> list[dict[str, Any]]:
    """The rows with every detail, as plain values for JSON.

    >>> from pathlib import Path
    >>> from types import SimpleNamespace as Stub
    >>> found = Stub(value=0.5, stderr=0.1, interval=None, n=10, score="accuracy", details={"seed": 0})
    >>> robustness_document([Stub(run="a", checkpoint=Path("a.pt"), epoch=3, values={"clean": found})])[0]["values"]
    {'clean': {'value': 0.5, 'stderr': 0.1, 'interval': None, 'n': 10, 'score': 'accuracy', 'seed': 0}}
    """
    return [
        {
            "run": row.run,
            "checkpoint": str(row.checkpoint),
            "epoch": row.epoch,
            "values": {
                label: {
                    "value": one.value,
                    "stderr": one.stderr,
                    "interval": None if one.interval is None else list(one.interval),
                    "n": one.n,
                    "score": one.score,
                    **one.details,
                }
                for label, one in row.values.items()
            },
        }
        for row in rows
    ]


def _heading(label: str) -> str:
    """A narrow heading: the test, broken at its hyphens, and its strength below."""
    name, _, strength = label.partition(" ")
    return "\n".join([name.replace("-", "-\n"), *([strength] if strength else [])])


def _cell(one: Outcome) -> str:
    """A value with its standard error: shares in percent with one digit behind the point, others with four in all."""
    if math.isnan(one.value):
        return "nan"
    if one.score in SHARES:
        error = "" if one.stderr is None else f" ± {100 * one.stderr:.1f}"
        return f"{100 * one.value:.1f}{error}"
    return f"{one.value:.4g}" + ("" if one.stderr is None else f" ± {one.stderr:.1g}")
