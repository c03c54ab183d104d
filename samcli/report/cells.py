"""A comparison as texts for people: columns, cells and the legend that explains them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from samcli.errors import ConfigError, nearest
from samcli.metrics import is_share, shown, title
from samcli.report.chosen import EPOCH
from samcli.report.judged import settled
from samcli.report.row import Comparison, Row
from samcli.report.timing import CLOCKS
from samcli.report.to_target import UNITS
from samcli.runs.documents import STATUSES
from samcli.stats import Summary
from samcli.stats.effect import POWER
from samcli.stats.verdict import LEVEL
from samcli.words import joined


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the table: its heading and how to read it. Each is the key of a cell, and equal to itself alone.

    Attributes:
        key: what `--columns` calls it.
        heading: one or two words.
        fields: what CSV and JSON have of it, see `samcli.report.formats._record`.
        legend: a sentence on what the column holds; empty where the heading says it all.
        is_number: whether it holds numbers, which are aligned to the right.
    """

    key: str
    heading: str
    fields: tuple[str, ...]
    legend: str = ""
    is_number: bool = False


DATASET = Column("dataset", "Data set", ("dataset", "dataset_settings"))
MODEL = Column("model", "Model", ("model", "model_settings"))
OPTIMIZER = Column("optimizer", "Optimizer", ("optimizer", "is_baseline"))
SETTINGS = Column("settings", "Settings", ("settings",))
METRIC = Column("metric", "Metric", ("metric",))
N = Column("n", "n", ("n",), "n: finished runs, one per seed.", True)
LAST = Column("last", "Last", ("last_mean", "last_sd"), "", True)
BEST = Column("best", "Best", ("best_mean", "best_sd"), "", True)
DELTA = Column("delta", "Δ", ("difference",), "", True)
INTERVAL = Column("interval", "95 % interval", ("difference_low", "difference_high", "pairs"), "", True)
VERDICT = Column("verdict", "Verdict", ("verdict",))
P = Column("p", "p", ("p", "p_adjusted", "p_holm", "p_t"), "", True)
EFFECT = Column(
    "effect", "d_z", ("effect_size",), "d_z: Δ in units of the standard deviation of the differences.", True
)
SUPERIORITY = Column(
    "superiority", "P(A>B)", ("superiority",), "P(A>B): share of the seeds that are better than the baseline's.", True
)
DETECTABLE = Column("detects", "Detects", ("detectable",), "", True)
TARGET = Column("target", "To target", ("target_median", "target_reached", "target_runs", "target_p"), "", True)
PASSES = Column(
    "passes", "Passes", ("passes",), "Passes: gradient evaluations of an epoch relative to the baseline's; exact.", True
)
SHARPNESS = Column(
    "sharpness",
    "Sharpness",
    ("sharpness",),
    "Sharpness: rise of the training loss one SAM step away, on a fixed subset. Less is flatter there, and may be the "
    "deep hole of a network that has memorised wrong labels.",
    True,
)
SECONDS = Column(
    "seconds",
    "s/epoch",
    ("seconds_per_epoch", "cpu_seconds_per_epoch"),
    "s/epoch: training seconds of an epoch by the wall clock, median over epochs.",
    True,
)
COST = Column("cost", "Cost", ("cost", "cost_clock"), "", True)
RUNS = Column("runs", "Runs", (*STATUSES, "at_chance"))
COLUMNS = (
    DATASET, MODEL, OPTIMIZER, SETTINGS, METRIC, N, LAST, BEST, DELTA, INTERVAL, VERDICT, P, EFFECT,
    SUPERIORITY, DETECTABLE, TARGET, PASSES, SHARPNESS, SECONDS, COST, RUNS
)  # fmt: skip
# what is left out first where there is little room; the optimizer, its result and the difference stay
DISPENSABLE = (DETECTABLE, SUPERIORITY, SECONDS, EFFECT, BEST, SHARPNESS, COST, P, N, PASSES, VERDICT, INTERVAL)


def choose_columns(text: str) -> list[Column]:
    """The columns that a text names, in its order: by key, by heading, or by a field of CSV.

    Raises:
        ConfigError: no such column, or none.

    >>> [column.heading for column in choose_columns("optimizer,last,Δ")]
    ['Optimizer', 'Last', 'Δ']
    """
    known = {column.key: column for column in COLUMNS}
    names = known | {name.lower(): column for column in COLUMNS for name in (column.heading, *column.fields)}
    found: dict[Column, None] = {}
    for word in text.split(","):
        name = word.strip().lower()
        if name not in names:
            raise ConfigError(f"--columns: there is no column named {word.strip()!r}; {nearest(name, known)}")
        found[names[name]] = None
    return list(found)


def cells(row: Row) -> dict[Column, str]:
    """The texts of one row by column; empty where nothing was measured.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> texts = cells(compare(example_runs()).rows[0])
    >>> texts[OPTIMIZER], texts[LAST], texts[DELTA], texts[COST], texts[RUNS]
    ('sam', '82.50 ± 3.54', '+10.00', '2.00×', '')
    """
    found, verdict = row.difference, row.verdict if settled(row) else None
    remarkable = row.at_chance or any(count for state, count in row.states.items() if state != "finished")
    return {
        DATASET: " ".join(filter(None, (row.dataset_label, row.dataset_settings))),
        MODEL: " ".join(filter(None, (row.model, row.model_settings))),
        OPTIMIZER: row.optimizer,
        SETTINGS: row.settings,
        METRIC: title(row.metric),
        N: str(row.n),
        LAST: _mean(row.last, row.metric),
        BEST: _mean(row.best, row.metric),
        DELTA: "baseline" if row.is_baseline else signed(found.mean, row.metric) if found else "",
        INTERVAL: interval_of(found.low, found.high, row.metric) if found else "",
        VERDICT: str(verdict.word) if verdict else "",
        P: probability(verdict.p_adjusted) if verdict else "",
        EFFECT: "" if verdict is None or verdict.effect is None else f"{verdict.effect:+.2f}",
        SUPERIORITY: "" if verdict is None or verdict.superiority is None else f"{verdict.superiority:.2f}",
        DETECTABLE: "" if verdict is None or verdict.detectable is None else shown(verdict.detectable, row.metric),
        TARGET: _to_target(row),
        PASSES: "" if row.passes is None else f"{row.passes:.2f}",
        SHARPNESS: "" if row.sharpness is None else f"{row.sharpness:.3g}",
        SECONDS: "" if row.seconds is None else f"{row.seconds:.3g}" if row.seconds < 100 else f"{row.seconds:.0f}",
        COST: "" if row.cost is None else f"{row.cost:.2f}×",
        RUNS: _states(row) if remarkable else "",
    }


def heading(column: Column, rows: Sequence[Mapping[Column, str]]) -> str:
    """The heading of a column; that of the best epoch says on what it was chosen.

    Args:
        column: of the table.
        rows: the texts of each row, as `cells` gives them.

    >>> heading(BEST, [{METRIC: "test accuracy in %"}]), heading(BEST, [{METRIC: "train loss"}])
    ('Best on test', 'Best')
    """
    on_test = column is BEST and any(row[METRIC].startswith("test ") for row in rows)
    return "Best on test" if on_test else column.heading


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
        named = named_metrics(metrics)
        when = "after the last epoch" if comparison.select != EPOCH else "at the epoch that is best on validation"
        lines.append(f"Last: {named} {when}{budget}, mean ± standard deviation over n runs.")
    if BEST in columns:
        part = "test " if any(metric.startswith("test_") for metric in metrics) else ""
        name = "Best on test" if part else "Best"
        lines.append(f"{name}: at the best epoch, chosen on the {part}values themselves, hence optimistic.")
    if DELTA in columns and any(row.difference for row in comparison.rows):
        unit = ", in percentage points" if all(map(is_share, metrics)) else ""
        difference = f"mean difference of Last to {comparison.baseline}"
        lines.append(f"Δ: {difference}, paired by seed{unit}, with Student's 95 % t interval.")
    if TARGET in columns and comparison.target is not None:
        what, unit = UNITS[comparison.budget], joined([shown(comparison.target, metric) for metric in metrics], "or")
        lines.append(
            f"To target: {what} until {named_metrics(metrics)} reaches {unit}, median over runs; one that misses it "
            "counts as infinite, and in brackets stands how many reach it."
        )
    lines += _verdict_legend(comparison, columns)
    lines += [column.legend for column in columns if column.legend]
    if COST in columns:
        clocks = [CLOCKS[clock] for clock in dict.fromkeys(row.cost_clock for row in comparison.rows if row.cost_clock)]
        by = f", in {joined(clocks, 'or')}" if clocks else ""
        lines.append(f"Cost: training seconds of an epoch relative to the baseline's{by}.")
    return [*lines, comparison.origin] if comparison.origin else lines


def named_metrics(metrics: Sequence[str]) -> str:
    """The metrics in words.

    >>> named_metrics(["test_accuracy", "test_r2"])
    'test accuracy in % or test R²'
    """
    return " or ".join(map(title, metrics))


def _to_target(row: Row) -> str:
    found = row.to_target
    if found is None:
        return ""
    spent = "∞" if math.isinf(found.median) else f"{found.median:,.0f}" if found.median >= 10 else f"{found.median:.3g}"
    return f"{spent} ({found.reached}/{found.n})"


def _verdict_legend(comparison: Comparison, columns: Sequence[Column]) -> list[str]:
    tested = sum(settled(row) for row in comparison.rows)
    adjusted = f", adjusted for {tested} comparisons (step-down)" if tested > 1 else ""
    lines = []
    if VERDICT in columns:
        equal = f"; practically equal: surely within ±{comparison.margin:g}" if comparison.margin else ""
        lines.append(f"Verdict: better or worse where p < {LEVEL}{equal}.")
    if P in columns:
        lines.append(f"p: exact sign-flip test{adjusted}.")
    if DETECTABLE in columns:
        lines.append(f"Detects: the difference that so many seeds find in {100 * POWER:.0f} % of tries at this spread.")
    return lines


def probability(p: float | None) -> str:
    """A p-value as people read it; empty where there is none.

    >>> probability(0.00195), probability(1e-9), probability(None)
    ('0.0019', '<0.0001', '')
    """
    return "" if p is None else f"{p:.4f}" if p >= 0.0001 else "<0.0001"


def _states(row: Row) -> str:
    """The runs of a row by how they ended, finished ones first: "2 finished, 1 diverged"."""
    order = ("finished", "diverged", "failed", "interrupted", "running")
    words = [f"{row.states[state]} {state}" for state in order if row.states.get(state)]
    return ", ".join([*words, *([f"{len(row.at_chance)} at chance"] if row.at_chance else [])])


def _mean(summary: Summary, metric: str) -> str:
    if summary.mean is None:
        return ""
    spread = "" if summary.sd is None else f" ± {shown(summary.sd, metric)}"
    return shown(summary.mean, metric) + spread


def signed(value: float | None, metric: str) -> str:
    """A difference as people read it; empty where there is none.

    >>> signed(0.0123, "test_accuracy"), signed(None, "test_loss")
    ('+1.23', '')
    """
    return "" if value is None else shown(value, metric, "+")


def interval_of(low: float | None, high: float | None, metric: str) -> str:
    """An interval of differences; empty where there is none.

    >>> interval_of(-0.01, 0.02, "test_accuracy"), interval_of(None, None, "test_loss")
    ('[-1.00, +2.00]', '')
    """
    return "" if low is None or high is None else f"[{shown(low, metric, '+')}, {shown(high, metric, '+')}]"
