"""A comparison as texts for people: columns, cells and the legend that explains them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samcli.metrics import is_share, shown, title
from samcli.report.row import Comparison, Row
from samcli.stats import Summary


@dataclass(frozen=True)
class Column:
    """A column of the table: its heading and how to read it.

    Attributes:
        heading: one or two words.
        legend: a sentence on what the column holds; empty where the heading says it all.
        is_number: whether it holds numbers, which are aligned to the right.
    """

    heading: str
    legend: str = ""
    is_number: bool = False


DATASET, MODEL = Column("Data set"), Column("Model")
OPTIMIZER, SETTINGS, METRIC, RUNS = Column("Optimizer"), Column("Settings"), Column("Metric"), Column("Runs")
N = Column("n", "n: finished runs, one per seed.", True)
LAST = Column("Last", "", True)
BEST = Column("Best", "", True)
DELTA = Column("Δ", "", True)
INTERVAL = Column("95 % interval", "", True)
SHARPNESS = Column(
    "Sharpness", "Sharpness: rise of the training loss one SAM step away, on a fixed subset; less is flatter.", True
)
SECONDS = Column("s/epoch", "s/epoch: training seconds of an epoch, median over epochs.", True)
COST = Column("Cost", "Cost: s/epoch relative to the baseline.", True)


def cells(row: Row) -> dict[Column, str]:
    """The texts of one row by column; empty where nothing was measured.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> texts = cells(compare(example_runs()).rows[0])
    >>> texts[OPTIMIZER], texts[LAST], texts[DELTA], texts[COST], texts[RUNS]
    ('sam', '82.50 ± 3.54', '+10.00', '2.00×', '')
    """
    found = row.difference
    unfinished = any(count for state, count in row.states.items() if state != "finished")
    return {
        DATASET: " ".join(filter(None, (row.dataset, row.dataset_settings))),
        MODEL: " ".join(filter(None, (row.model, row.model_settings))),
        OPTIMIZER: row.optimizer,
        SETTINGS: row.settings,
        METRIC: title(row.metric),
        N: str(row.n),
        LAST: _mean(row.last, row.metric),
        BEST: _mean(row.best, row.metric),
        DELTA: "baseline" if row.is_baseline else _signed(found.mean, row.metric) if found else "",
        INTERVAL: _interval(found.low, found.high, row.metric) if found else "",
        SHARPNESS: "" if row.sharpness is None else f"{row.sharpness:.3g}",
        SECONDS: "" if row.seconds is None else f"{row.seconds:.3g}" if row.seconds < 100 else f"{row.seconds:.0f}",
        COST: "" if row.cost is None else f"{row.cost:.2f}×",
        RUNS: _states(row) if unfinished else "",
    }


def used_columns(rows: Sequence[dict[Column, str]]) -> list[Column]:
    """The columns that say anything: empty ones are left out, and the metric where all rows have the same.

    Args:
        rows: the texts of each row, as `cells` gives them; at least one.

    >>> row = {OPTIMIZER: "sgd", METRIC: "test accuracy in %", LAST: "80.00", SHARPNESS: ""}
    >>> [column.heading for column in used_columns([row])]
    ['Optimizer', 'Last']
    """
    same = len({row[METRIC] for row in rows}) == 1
    return [column for column in rows[0] if any(row[column] for row in rows) and not (column is METRIC and same)]


def legend(comparison: Comparison, columns: Sequence[Column]) -> list[str]:
    """Sentences that explain the columns shown.

    >>> legend(Comparison(rows=(), notes=(), baseline="sgd", budget="epochs"), [N])
    ['n: finished runs, one per seed.']
    """
    metrics = list(dict.fromkeys(row.metric for row in comparison.rows))
    budget = "" if comparison.budget == "epochs" else " within the budget"
    lines = []
    if LAST in columns:
        named = " or ".join(map(title, metrics))
        part = "test " if any(metric.startswith("test_") for metric in metrics) else ""
        lines.append(f"Last: {named} after the last epoch{budget}, mean ± standard deviation over n runs.")
        lines.append(f"Best: at the best epoch, chosen on the {part}values themselves, hence optimistic.")
    if any(row.difference for row in comparison.rows):
        unit = ", in percentage points" if all(map(is_share, metrics)) else ""
        difference = f"mean difference of Last to {comparison.baseline}"
        lines.append(f"Δ: {difference}, paired by seed{unit}, with Student's 95 % t interval.")
    return lines + [column.legend for column in columns if column.legend]


def _states(row: Row) -> str:
    """The runs of a row by how they ended, finished ones first: "2 finished, 1 diverged"."""
    order = ("finished", "diverged", "failed", "interrupted", "running")
    return ", ".join(f"{row.states[state]} {state}" for state in order if row.states.get(state))


def _mean(summary: Summary, metric: str) -> str:
    if summary.mean is None:
        return ""
    spread = "" if summary.sd is None else f" ± {shown(summary.sd, metric)}"
    return shown(summary.mean, metric) + spread


def _signed(value: float | None, metric: str) -> str:
    return "" if value is None else shown(value, metric, "+")


def _interval(low: float | None, high: float | None, metric: str) -> str:
    return "" if low is None or high is None else f"[{shown(low, metric, '+')}, {shown(high, metric, '+')}]"
