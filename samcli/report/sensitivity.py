"""How much a result depends on an option: the metric along it, its best value on validation, the range that wins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from samcli.errors import ConfigError
from samcli.metrics import higher_is_better, shown, title
from samcli.report.baseline import setting_key
from samcli.report.cells import interval_of, signed
from samcli.report.chosen import validation_mean, worst_of
from samcli.report.groups import grouped, one_per_seed
from samcli.report.judged import settled
from samcli.report.option_axis import axis_words, number_of, without
from samcli.report.reading import read_run
from samcli.report.row import Comparison, Row
from samcli.report.settings import distinguishing, flatten, label
from samcli.report.small_table import SmallTable
from samcli.runs.reader import Run
from samcli.stats import Word
from samcli.stats.longest_range import longest_range


@dataclass(frozen=True)
class Level:
    """The runs with one value of the option.

    Attributes:
        value: of the option.
        row: theirs in the comparison.
        validation: the mean over seeds of what the metric is on the validation part, diverged runs counted as the
            worst; None where none was measured.
    """

    value: float
    row: Row
    validation: float | None


@dataclass(frozen=True)
class Sensitivity:
    """Runs that differ in one option alone.

    Attributes:
        who: the optimizer in words, without the option.
        where: data set and model in words.
        levels: by the option, rising; at least two.
        chosen: the level with the best mean on the validation part; None without one.
        better: the longest range of neighbouring values at all of which the verdict is *better* than the baseline.
    """

    who: str
    where: str
    levels: tuple[Level, ...]
    chosen: Level | None
    better: tuple[float, ...]


def sensitivity(comparison: Comparison, runs: Sequence[Run], axis: str) -> tuple[str, list[Sensitivity]]:
    """The dotted key of an option, and how the runs of each optimizer with the same other settings depend on it.

    Args:
        comparison: of the runs, at their end, with nothing chosen.
        runs: those.
        axis: an option of optimizers or of the training, as `samcli.report.baseline.setting_key` takes it.

    Raises:
        ConfigError: no run has it, it is not one of these, it is no number, or nothing differs in it.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> sensitivity(compare(example_runs()), example_runs(), "lr")
    Traceback (most recent call last):
    samcli.errors.ConfigError: --sensitivity lr: no two settings differ in it alone; name an option of the grid.
    """
    asked = f"--sensitivity {axis}"
    rows = [row for row in comparison.rows if row.counted]
    key = setting_key(axis, {key: None for row in rows for key in flatten(row.config)}, asked)
    if key.partition(".")[0] in ("dataset", "model"):
        raise ConfigError(f"{asked}: data and model are not tuned; name an option of the optimizer or of the training.")
    ended = [run for run in one_per_seed(runs)[0] if run.state in ("finished", "diverged")]
    by_setting, places = grouped(ended, lambda run: run.setting), grouped(ended, lambda run: run.place)
    words = dict(zip((row.setting for row in rows), distinguishing([row.config for row in rows]), strict=True))
    lines = grouped(
        (row for row in rows if number_of(row.config, key, asked) is not None),
        lambda row: without(by_setting[row.setting][0], key).setting,
    )
    found = []
    for line in lines.values():
        levels = [
            Level(
                number_of(row.config, key, asked) or 0.0,
                row,
                _validation(by_setting[row.setting], places[row.place], row.metric),
            )
            for row in line
        ]
        if len({level.value for level in levels}) > 1:
            left = {name: text for name, text in words[line[0].setting].items() if name != key}
            who = " ".join(filter(None, (line[0].optimizer, label(left))))
            found.append(_of_levels(who, line[0].where, sorted(levels, key=lambda level: level.value)))
    if not found:
        raise ConfigError(f"{asked}: no two settings differ in it alone; name an option of the grid.")
    return key, found


def sensitivity_table(comparison: Comparison, runs: Sequence[Run], axis: str) -> SmallTable:
    """A row for each value of an option, for any of the formats of a comparison; the legend tells what follows.

    Raises:
        ConfigError: see `sensitivity`.
    """
    key, found = sensitivity(comparison, runs, axis)
    metrics = dict.fromkeys(level.row.metric for one in found for level in one.levels)
    several = len({one.where for one in found}) > 1
    validated = any(level.validation is not None for one in found for level in one.levels)
    chosen = (
        "←: best on validation."
        if validated
        else "No validation part was measured, so that no value can be chosen; train with --set dataset.validation=0.1."
    )
    legend = [
        f"{' or '.join(map(title, metrics))} after the last epoch, mean ± standard deviation over n runs; Δ to "
        f"{comparison.baseline}, paired by seed.",
        chosen,
        *(sentence for one in found for sentence in _sentences(one, key, comparison.baseline)),
    ]
    texts = [_texts(one, level, key, several=several, validated=validated) for one in found for level in one.levels]
    return SmallTable(
        caption=f"Sensitivity to {axis_words(key)}.",
        texts=texts,
        records=[_record(one, level, key) for one in found for level in one.levels],
        legend=legend,
        dispensable=("n", "95 % interval", "Δ"),
        columns=rf"p{{0.2\linewidth}}{'r' * (len(texts[0]) - 1)}",
    )


def _of_levels(who: str, where: str, levels: Sequence[Level]) -> Sensitivity:
    turn = 1.0 if higher_is_better(levels[0].row.metric) else -1.0
    scored = [(turn * level.validation, level) for level in levels if level.validation is not None]
    chosen = max(scored, key=lambda pair: pair[0])[1] if len(scored) == len(levels) else None
    better = {level.value for level in levels if level.row.verdict and level.row.verdict.word is Word.BETTER}
    return Sensitivity(who, where, tuple(levels), chosen, tuple(longest_range(better, [one.value for one in levels])))


def _validation(runs: Sequence[Run], there: Sequence[Run], metric: str) -> float | None:
    """The mean over runs of the metric on the validation part at their end; None where a finished one has none.

    A diverged one counts as the worst value of all runs there.
    """
    if not metric.startswith("test_"):
        return None
    column = f"validation_{metric.removeprefix('test_')}"
    finished = [run for run in runs if run.state == "finished"]
    if any(column not in run.columns or read_run(run, column).last is None for run in finished):
        return None
    return validation_mean(runs, column, worst_of(there, column))


def _sentences(one: Sensitivity, key: str, baseline: str) -> Iterator[str]:
    """What was chosen, what the test part says of it, and how wide the range is that beats the baseline."""
    name, who, metric = axis_words(key), f"{one.who} on {one.where}", one.levels[0].row.metric
    if one.chosen is None and any(level.validation is not None for level in one.levels):
        yield f"{who}: not all runs have a validation part, so that no {name} is chosen."
    elif one.chosen is not None:
        ends = (one.levels[0].value, one.levels[-1].value)
        edge = ", an end of the range: try values beyond it" if one.chosen.value in ends else ""
        last = one.chosen.row.last
        spread = "" if last.sd is None else f" ± {shown(last.sd, metric)}"
        read = "all of its runs diverged" if last.mean is None else f"{shown(last.mean, metric)}{spread}"
        yield (
            f"{who}: best on validation is {name}={one.chosen.value:g}{edge}; its {title(metric)}, read once: {read}."
        )
    compared = [level.row for level in one.levels if level.row.verdict]
    if not compared or not all(map(settled, compared)):
        return
    if not one.better:
        yield f"{who}: better than {baseline} at no {name}."
        return
    low, high = one.better[0], one.better[-1]
    factor = f", a factor of {high / low:.3g}" if low > 0.0 and high > low else ""
    span = f"{name}={low:g}" if low == high else f"{name}={low:g} to {high:g}"
    yield f"{who}: better than {baseline} at {span}{factor}, {len(one.better)} of {len(one.levels)} values tried."


def _texts(one: Sensitivity, level: Level, key: str, *, several: bool, validated: bool) -> dict[str, str]:
    row, metric = level.row, level.row.metric
    spread = "" if row.last.sd is None else f" ± {shown(row.last.sd, metric)}"
    found = row.difference if row.difference and row.difference.n else None
    return {
        "Optimizer": f"{one.who} on {one.where}" if several else one.who,
        axis_words(key): f"{level.value:g}{' ←' if level is one.chosen else ''}",
        "n": str(row.n),
        **({"Validation": "" if level.validation is None else shown(level.validation, metric)} if validated else {}),
        "Test" if metric.startswith("test_") else metric: "diverged"
        if row.last.mean is None
        else f"{shown(row.last.mean, metric)}{spread}",
        "Δ": "baseline" if row.is_baseline else signed(found.mean, metric) if found else "",
        "95 % interval": interval_of(found.low, found.high, metric) if found else "",
        "Verdict": str(row.verdict.word) if row.verdict and settled(row) else "",
    }


def _record(one: Sensitivity, level: Level, key: str) -> dict[str, object]:
    row, found = level.row, level.row.difference
    return {
        "optimizer": row.optimizer,
        "settings": one.who,
        "where": one.where,
        "option": key,
        "value": level.value,
        "metric": row.metric,
        "n": row.n,
        "validation_mean": level.validation,
        "last_mean": row.last.mean,
        "last_sd": row.last.sd,
        "difference": found.mean if found else None,
        "difference_low": found.low if found else None,
        "difference_high": found.high if found else None,
        "verdict": str(row.verdict.word) if row.verdict and settled(row) else None,
        "chosen_on_validation": level is one.chosen,
        "in_range_that_beats_baseline": level.value in one.better,
    }
