"""The sharpness of several checkpoints as a table, as CSV rows and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from samcli.report.checkpoint_table import Row, checkpoint_table


class Result(Protocol):
    """A measured value, as `samcli.sharpness.Result` holds it."""

    @property
    def value(self) -> float:
        """The measured number."""

    @property
    def stderr(self) -> float | None:
        """Its standard error; None where none was estimated."""

    @property
    def converged(self) -> bool:
        """False if the number should not be taken for what it is called."""

    @property
    def details(self) -> dict[str, Any]:
        """The parameters of the measurement."""


Measured = Row[Result]


def sharpness_table(rows: Sequence[Measured], *, width: int | None = 100, color: bool = False) -> str:
    """A row for each checkpoint and a column for each measure, in as many tables as the width asks for.

    Args:
        rows: what was measured, of each checkpoint.
        width: of the terminal, in characters; None is as wide as the values are.
        color: whether the terminal shows bold text.

    >>> from pathlib import Path
    >>> from types import SimpleNamespace as Stub
    >>> result = Stub(value=0.25, stderr=None, converged=False, details={"rho": 0.05})
    >>> row = Stub(run="a", checkpoint=Path("a.pt"), epoch=3, values={"one-step": result})
    >>> print(sharpness_table([row]))  # doctest: +NORMALIZE_WHITESPACE
                  one-
                  step
    run   epoch   rho=0.05
    ──────────────────────
    a     3       0.25 *
    """
    return checkpoint_table(rows, _heading, _cell, width=width, color=color)


def sharpness_legend(rows: Sequence[Measured]) -> str:
    """A sentence on what all values are means over; empty where there is no value.

    >>> from types import SimpleNamespace as Stub
    >>> result = Stub(value=0.25, details={"examples": 1000, "batch_norm": "evaluation"})
    >>> sharpness_legend([Stub(values={"one-step": result})])
    'Mean loss of 1000 training examples, evaluation mode; * has not converged.'
    """
    details = [value.details for row in rows for value in row.values.values()]
    if not details:
        return ""
    mode = details[0]["batch_norm"]
    mode = "" if mode == "evaluation" else f" with BatchNorm {mode}"
    counts = " or ".join(map(str, sorted({one["examples"] for one in details})))
    reasons = dict.fromkeys(one["reason"] for one in details if "reason" in one)
    unknown = f" nan could not be measured: {', or '.join(reasons)}." if reasons else ""
    return f"Mean loss of {counts} training examples, evaluation mode{mode}; * has not converged.{unknown}"


def sharpness_records(rows: Sequence[Measured]) -> list[dict[str, Any]]:
    """The rows of a CSV: a column for each value and whether it converged; where there are such, errors and residual.

    >>> from pathlib import Path
    >>> from types import SimpleNamespace as Stub
    >>> result = Stub(value=9.5, stderr=0.1, converged=True, details={"residual": 1e-3})
    >>> sharpness_records([Stub(checkpoint=Path("a.pt"), epoch=3, values={"trace": result})])[0]["trace-stderr"]
    0.1
    """
    return [{"checkpoint": str(row.checkpoint), "epoch": row.epoch, **_flatten(row.values)} for row in rows]


def sharpness_document(rows: Sequence[Measured]) -> list[dict[str, Any]]:
    """The rows with every detail of their results, as plain values for JSON.

    >>> from pathlib import Path
    >>> from types import SimpleNamespace as Stub
    >>> result = Stub(value=9.5, stderr=0.1, converged=True, details={"examples": 100})
    >>> row = Stub(run="a", checkpoint=Path("a.pt"), epoch=3, values={"trace": result})
    >>> sharpness_document([row])[0]["values"]
    {'trace': {'value': 9.5, 'stderr': 0.1, 'converged': True, 'examples': 100}}
    """
    return [
        {
            "run": row.run,
            "checkpoint": str(row.checkpoint),
            "epoch": row.epoch,
            "values": {
                name: {"value": one.value, "stderr": one.stderr, "converged": one.converged, **one.details}
                for name, one in row.values.items()
            },
        }
        for row in rows
    ]


def _heading(measure: str, first: Result) -> str:
    """A narrow heading: the measure, with its radius and the size of its sets, which differ between measures."""
    settings = [f"{key}={first.details[key]:g}" for key in ("rho", "m") if first.details.get(key) is not None]
    words = [measure.partition(" ")[0].replace("-", "-\n"), *settings]
    return "\n".join(words)


def _cell(result: Result) -> str:
    """A value as a table shows it, with its standard error; one that has not converged is marked."""
    error = "" if result.stderr is None else f" ± {result.stderr:.1g}"
    return f"{result.value:.4g}{error}" + ("" if result.converged else " *")


def _flatten(values: Mapping[str, Result]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name, result in values.items():
        columns[name] = result.value
        if result.stderr is not None:
            columns[f"{name}-stderr"] = result.stderr
        for key in ("error", "residual"):
            if key in result.details:
                columns[f"{name}-{key}"] = result.details[key]
        columns[f"{name}-converged"] = result.converged
    return columns
