"""What a search may spend: as many trials for every optimizer, or as many gradient evaluations."""

from __future__ import annotations

import math
from collections.abc import Sequence

from samcli.config.tune import Search
from samcli.tune.trial import FINISHED, Trial

_ROUNDING = 1e-9


def spent(trials: Sequence[Trial]) -> float:
    """The gradient evaluations of an optimizer's trials, in trials of an optimizer of one pass a step.

    A trial that diverged or failed counts as the dearest that finished, or as one: an optimizer gets no further trials
    for those that break off.

    >>> from samcli.tune.trial import Outcome
    >>> def trial(number, state, evaluations):
    ...     return Trial(number, {}, {7: Outcome(state, "validation_accuracy", 0.5, evaluations)}, 100)
    >>> spent([trial(0, "finished", 200), trial(1, "diverged", 20)])
    4.0
    """
    dearest = _dearest(trials)
    return sum(trial.units if trial.state == FINISHED else max(dearest, trial.units) for trial in trials)


def next_trials(search: Search, trials: Sequence[Trial]) -> int:
    """How many trials an optimizer has in the next round; 0 when it has spent what it may.

    The first round is one trial, which tells what one costs. By gradient evaluations, as many follow as can be paid
    if each is as dear as the dearest so far.

    Args:
        search: the settings of the search.
        trials: of the optimizer so far.

    >>> next_trials(Search(trials=20), [])
    1
    """
    if not trials:
        return 1
    if search.trials is not None:
        return min(search.round, search.trials - len(trials))
    assert search.evaluations is not None
    left = search.evaluations - spent(trials) + _ROUNDING
    return max(min(search.round, int(left / _dearest(trials))), 0)


def rounds_of(search: Search) -> int | None:
    """How many rounds there will be; None where what the trials cost decides it.

    >>> rounds_of(Search(trials=16)), rounds_of(Search(evaluations=16.0))
    (4, None)
    """
    return None if search.trials is None else 1 + math.ceil((search.trials - 1) / search.round)


def _dearest(trials: Sequence[Trial]) -> float:
    """What the dearest trial cost; 1 where none finished."""
    return max((trial.units for trial in trials if trial.state == FINISHED and trial.units > 0), default=1.0)
