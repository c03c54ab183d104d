"""The PAC-Bayes bounds of several checkpoints, with the errors on test data beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from samcli.report.checkpoint_table import Named, run_names
from samcli.report.text_table import text_table


class Bound(Protocol):
    """What a bound is made of, as `samcli.sharpness.pac_bayes_bound.PacBayesBound` holds it; see there."""

    @property
    def value(self) -> float: ...
    @property
    def risk(self) -> float: ...
    @property
    def risk_bound(self) -> float: ...
    @property
    def kl(self) -> float: ...
    @property
    def sigma(self) -> float: ...
    @property
    def n(self) -> int: ...
    @property
    def delta(self) -> float: ...
    @property
    def draws(self) -> int: ...


class Bounded(Named, Protocol):
    """The bound of one checkpoint, as `samcli.train.bounded.Bounded` holds it; see there."""

    @property
    def epoch(self) -> int: ...
    @property
    def bound(self) -> Bound: ...
    @property
    def test_error(self) -> float: ...
    @property
    def test_bound(self) -> float: ...
    @property
    def test_examples(self) -> int: ...
    @property
    def prior(self) -> Path: ...


def bound_table(rows: Sequence[Bounded], *, width: int | None = 100, color: bool = False) -> str:
    """A row for each checkpoint: the bound and what it is made of, and test data beside it; errors in percent.

    >>> from types import SimpleNamespace as Stub
    >>> parts = {"risk": 0.041, "risk_bound": 0.062, "kl": 120.0, "sigma": 0.032, "n": 10000, "delta": 0.05, "draws": 9}
    >>> found = Stub(value=0.11, **parts)
    >>> row = Stub(run="a", checkpoint=Path("a.pt"), epoch=3, bound=found, test_error=0.05, test_bound=0.054)
    >>> print(bound_table([row]))  # doctest: +NORMALIZE_WHITESPACE
    run   bound   risk   risk, draws   KL    σ       n       test error   test bound
    ────────────────────────────────────────────────────────────────────────────────
    a     11.00   4.10   6.20          120   0.032   10000   5.00         5.40
    """
    texts = [
        {
            "run": name,
            "bound": _percent(row.bound.value),
            "risk": _percent(row.bound.risk),
            "risk, draws": _percent(row.bound.risk_bound),
            "KL": f"{row.bound.kl:.4g}",
            "σ": f"{row.bound.sigma:g}",
            "n": str(row.bound.n),
            "test error": _percent(row.test_error),
            "test bound": _percent(row.test_bound),
        }
        for name, row in zip(run_names(rows), rows, strict=True)
    ]
    return text_table(texts, width=width, color=color)


def bound_legend(rows: Sequence[Bounded]) -> list[str]:
    """Sentences on what the columns are; none without rows.

    >>> bound_legend([])
    []
    """
    if not rows:
        return []
    one = rows[0]
    return [
        f"bound: the error of the network with random weights, in %, is at most this with a probability of "
        f"{1 - one.bound.delta:g}, by n training examples that the prior has not seen.",
        f"risk: its errors on these, the mean over {one.bound.draws} draws; risk, draws: what the mean over all "
        "draws is at most.",
        f"test error, test bound: the errors of the network itself on {one.test_examples} test examples, and what "
        f"their true rate is at most with a probability of {1 - one.bound.delta:g}.",
    ]


def bound_records(rows: Sequence[Bounded]) -> list[dict[str, Any]]:
    """The rows as plain values, unrounded; errors are from 0 to 1."""
    return [
        {
            "checkpoint": str(row.checkpoint),
            "epoch": row.epoch,
            "bound": row.bound.value,
            "risk": row.bound.risk,
            "risk_bound": row.bound.risk_bound,
            "kl": row.bound.kl,
            "sigma": row.bound.sigma,
            "n": row.bound.n,
            "delta": row.bound.delta,
            "draws": row.bound.draws,
            "test_error": row.test_error,
            "test_bound": row.test_bound,
            "test_examples": row.test_examples,
            "prior": str(row.prior),
        }
        for row in rows
    ]


def _percent(share: float) -> str:
    return f"{100.0 * share:.2f}"
