"""Hypotheses put to made-up numbers before anything is trained, so that one that cannot be judged is told in time."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from samcli.config.hypotheses import Hypothesis
from samcli.config.schema import RunConfig
from samcli.errors import ConfigError, nearest
from samcli.metrics import EPOCH_OF_NETWORK, OF_OWN_LABELS, client_columns, columns, is_share, requested_columns, shown
from samcli.report.claim_files import drawn
from samcli.report.hypotheses import GAP, KINDS, Cases, Untestable
from samcli.runs.reader import Run
from samcli.stats import pairs_needed
from samcli.stats.sign_flip import SMALLEST
from samcli.words import count

LARGEST = 1.0  # difference of two shares
SIDES = {
    "better": ("better", "than"),
    "lead_of": ("lead_of", "over"),
    "ratio_of": ("ratio_of", "to"),
    "wider": ("wider", "than"),
}


def rehearse_hypotheses(
    hypotheses: Sequence[Hypothesis],
    runs: Sequence[RunConfig],
    measures: Collection[str],
    score: Callable[[RunConfig], str],
) -> None:
    """Judge hypotheses by runs that are made up, as they will be judged by those that are trained.

    What can be known of a hypothesis before its runs is thereby known: written anew after them it would be none.

    Args:
        hypotheses: of an experiment file.
        runs: all that the file asks for.
        measures: the names of measures of sharpness and of robustness tests, which may be kept later.
        score: the name of what a run's task is scored by, a key of `samcli.metrics.SCORES`.

    Raises:
        ConfigError: one of them cannot be judged by any results of these runs; names the line.

    >>> rehearse_hypotheses([], [], [], lambda run: "accuracy")
    """
    if not hypotheses:
        return
    # a measure may be kept with parameters of its own: "one-step rho=0.1"
    kept = {*measures, *(name for one in hypotheses for name in _metrics_of(one) if name.split()[0] in measures)}
    made = [_made_up(run, sorted(kept), score(run)) for run in _on_seeds_enough(runs)]
    cases = Cases(made)
    known = dict.fromkeys([*(name for run in made for name in run.columns if name != "epoch"), GAP])
    for one in hypotheses:
        for name in _metrics_of(one):
            if name not in known:
                raise ConfigError(f"{one.where}: no run will have measured {name!r}; {nearest(name, known)}")
        _check_sides(one, cases)
        try:
            _check_bound(one, cases)
            KINDS[one.kind](cases, one.fields)
        except Untestable as error:
            raise ConfigError(f"{one.where}: {one.says!r} can never be judged. {error}") from None


def rehearse_picture(
    picture: Mapping[str, str],
    runs: Sequence[RunConfig],
    measures: Collection[str],
    score: Callable[[RunConfig], str],
) -> None:
    """Draw the picture of a claim from made-up runs, as it will be drawn from those that are trained.

    Args:
        picture: its options, see `samcli.config.claim.Claim`.
        runs: of the claim.
        measures: see `rehearse_hypotheses`.
        score: likewise.

    Raises:
        ConfigError: no results of these runs can be drawn so.
    """
    metric = picture.get("metric", "")
    kept = [metric] if metric and metric.split()[0].replace("_", "-") in measures else []
    drawn(picture, [_made_up(run, kept, score(run)) for run in runs])


def seeds_to_decide(hypotheses: Sequence[Hypothesis], seeds: int) -> str:
    """A sentence where so few seeds cannot decide anything about so many hypotheses; empty where they can.

    >>> seeds_to_decide([], 3)
    ''
    """
    needed = pairs_needed(len(hypotheses)) if hypotheses else 0
    if seeds >= needed:
        return ""
    what = f"{len(hypotheses)} {'hypotheses' if len(hypotheses) > 1 else 'hypothesis'} on {count(seeds, 'seed')}"
    return (
        f"{what}: with fewer than {needed} an exact test can decide none of them; train more, for example with "
        f"--seeds 0-{needed - 1}."
    )


def _metrics_of(one: Hypothesis) -> list[str]:
    """The metrics that a hypothesis names."""
    named = [one.fields.get("metric"), one.fields.get("less")]
    return [*one.fields.get("correlated", ()), *filter(None, named)]


def _on_seeds_enough(runs: Sequence[RunConfig]) -> Iterator[RunConfig]:
    """The runs, on further seeds where a test takes more: those may come with a flag."""
    settings: dict[str, tuple[RunConfig, set[int]]] = {}
    for run in runs:
        key = dataclasses.replace(run, seed=0).identity
        settings.setdefault(key, (run, set()))[1].add(run.seed)
    for run, seeds in settings.values():
        further = (seed for seed in itertools.count() if seed not in seeds)
        for seed in [*seeds, *itertools.islice(further, max(SMALLEST - len(seeds), 0))]:
            yield dataclasses.replace(run, seed=seed)


def _made_up(run: RunConfig, measures: Collection[str], score: str) -> Run:
    """A finished run with one row of random numbers, in every column that it may come to have."""
    import numpy as np

    besides = [*(client_columns() if run.federated else ()), *(OF_OWN_LABELS if run.training.labels == "own" else ())]
    if run.training.patience is not None:
        besides.append(EPOCH_OF_NETWORK)
    names = [*columns(score), *requested_columns(run.evaluate.metrics), *besides, *measures]
    draws = random.Random(run.identity)
    row = [[draws.uniform(0.1, 0.9) for _ in names]]
    document = run.document()
    return Run(Path("nowhere"), run.name, document, {"status": "finished"}, names, np.array(row))


def _check_sides(one: Hypothesis, cases: Cases) -> None:
    """Refuse two sides that are the same runs.

    Raises:
        ConfigError: they are.
    """
    if one.kind == "equal":
        first, second = one.fields["equal"]
    elif one.kind in SIDES:
        first, second = (one.fields[key] for key in SIDES[one.kind])
    else:
        return
    if cases.matching(first) == cases.matching(second):
        raise ConfigError(f"{one.where}: both sides of {one.says!r} are the same runs; say in what they differ.")


def _check_bound(one: Hypothesis, cases: Cases) -> None:
    """Refuse a difference of shares that none can have.

    Raises:
        ConfigError: it is one.
        Untestable: the runs have different scores, and none is named.
    """
    large = {key: abs(one.fields[key]) for key in ("by", "within") if abs(one.fields.get(key, 0.0)) >= LARGEST}
    metric = cases.metric(one.fields.get("metric"), *one.patterns) if large else ""
    if is_share(metric) or metric == GAP:
        key, bound = next(iter(large.items()))
        raise ConfigError(
            f"{one.where}: {key}: {bound:g} is {shown(bound, 'test_accuracy')} points of a metric from 0 to 1; "
            "0.01 is one point."
        )
