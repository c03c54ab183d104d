"""Which column of runs is compared or drawn: the one that was asked for, or the test score of their task."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from samcli.errors import ConfigError, nearest
from samcli.metrics import is_share, score_among, score_of, title
from samcli.report.kept import kept_measures, kept_tests, with_measure
from samcli.runs.reader import Run

LARGEST_MARGIN = 0.5  # of shares; half of what there is calls everything equal


def task_metric(runs: Iterable[Run]) -> str:
    """The test score that most of the runs have.

    >>> from samcli.report.example import example_runs
    >>> task_metric(example_runs())
    'test_accuracy'
    """
    scores = Counter(score_among(run.columns).name for run in runs)
    return f"test_{scores.most_common(1)[0][0]}"


def with_metric(metric: str, runs: Sequence[Run]) -> tuple[str, Sequence[Run]]:
    """The name of the metric's column, and the runs with it.

    Args:
        metric: a column of `metrics.csv`; or a measure of sharpness or a robustness test that is kept, by its name in
            `kept_measures` or `kept_tests`, the latter also without its score. What is kept becomes a column with a
            value at the last epoch.
        runs: any runs.

    Raises:
        ConfigError: no run has it or has measured it, or it is kept in several ways.

    >>> from samcli.report.example import example_runs
    >>> with_metric("test_acuracy", example_runs())
    Traceback (most recent call last):
    samcli.errors.ConfigError: No run has a metric 'test_acuracy'; did you mean test_accuracy?
    """
    known = list(dict.fromkeys(name for run in runs for name in run.columns if name != "epoch"))
    if metric not in known:
        kept = {one.name: one for one in [*kept_measures(runs), *kept_tests(runs)]}
        name = kept_name(metric, kept)
        alike = [name for name in kept if name.split(" ")[0] == metric.split(" ", maxsplit=1)[0]]
        if not alike and (recorded := recorded_name(metric, known)) is not None:
            return with_metric(recorded, runs)
        if name not in kept:
            if len(alike) > 1:
                raise ConfigError(f"{metric} is kept in several ways; name one of them: {'; '.join(map(repr, alike))}")
            # in the words of evaluate.metrics as well, for who mistypes one of these
            options = [score.option for name in known if (score := score_of(name)) and score.option not in known]
            meant = alike or list(dict.fromkeys([*known, *kept, *options]))
            raise ConfigError(f"No run has a metric {metric!r}; {nearest(metric, meant)}")
        return name, [with_measure(run, kept[name]) for run in runs]
    if not any(not math.isnan(value) for run in runs for value in run.values(metric)):
        raise ConfigError(f"No run has measured {metric}; leave out --metric or name another column of metrics.csv.")
    return metric, runs


def kept_name(metric: str, kept: Collection[str]) -> str:
    """The name of what is kept that a user means: a robustness test also without the score that ends its name.

    >>> kept_name("pgd eps=2/255", ["pgd eps=2/255 accuracy", "clean accuracy"])
    'pgd eps=2/255 accuracy'
    """
    if metric in kept:
        return metric
    meant = [name for name in kept if name.rpartition(" ")[0] == metric and score_of(name) is not None]
    meant = meant or [name for name in kept if name == f"{metric} loss"]
    return meant[0] if len(meant) == 1 else metric


def recorded_name(measure: str, columns: Collection[str]) -> str | None:
    """The column in which runs have recorded a measure of sharpness while they trained; None where they have not.

    That of one-step is called sharpness, and its radius is another than that of the measure alone.

    >>> [recorded_name(name, ["test_accuracy", "sharpness", "lambda_max"]) for name in ("lambda-max", "trace")]
    ['lambda_max', None]
    """
    column = measure.replace("-", "_")
    return column if column in columns else None


def check_shares(metrics: Collection[str], *, target: float | None, margin: float | None) -> None:
    """Refuse a target or a margin in percent, where the metrics are from 0 to 1.

    Raises:
        ConfigError: it is above what a share can reach.

    >>> check_shares(["test_accuracy"], target=90.0, margin=None)
    Traceback (most recent call last):
    samcli.errors.ConfigError: --target 90: test accuracy goes from 0 to 1; write 0.9 for 90 %.
    """
    if not all(map(is_share, metrics)):
        return
    for option, value, most in (("--target", target, 1.0), ("--margin", margin, LARGEST_MARGIN)):
        if value is not None and value > most:
            score = title(next(iter(metrics))).removesuffix(" in %")
            written = f"write {value / 100:g} for {value:g} {'%' if option == '--target' else 'points'}"
            raise ConfigError(f"{option} {value:g}: {score} goes from 0 to 1; {written}.")
