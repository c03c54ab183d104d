"""Suggestions of settings by Optuna's samplers: the same for the same seed and the same values of earlier trials."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from importlib import metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from samcli.config.tune import Choices, Range, Search
from samcli.errors import ConfigError
from samcli.metrics import higher_is_better
from samcli.tune.contender import Contender, rounded
from samcli.tune.trial import Trial

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler

AT_RANDOM = 5  # trials before TPE looks at scores
EXTRA = "pip install 'samcli[tune]'"


def require() -> None:
    """Return if Optuna is installed.

    Raises:
        ConfigError: it is not.
    """
    if find_spec("optuna") is None:
        raise ConfigError(f"samcli tune needs Optuna; install it with: {EXTRA}")


def version() -> str:
    """The version of Optuna that is installed."""
    return metadata.version("optuna")


class Suggester(Protocol):
    """Whatever suggests settings for one contender."""

    def ask(self, number: int) -> list[dict[str, Any]]:
        """The settings of the next trials, suggested without knowing each other's values."""

    def tell(self, trials: Sequence[Trial]) -> None:
        """The trials that were asked for last, in that order, with what came of them."""


class OptunaSuggester:
    """Suggestions for one contender.

    The contender's own settings come first. A trial that did not finish ranks below all that did, without a value of
    its own: what would have been its worst depends on the score, and on what else was tried.

    Args:
        contender: what is tuned.
        search: names the sampler and its seed. Each contender has draws of its own, whatever others there are.
        column: the validation score, whose direction the study has.
    """

    def __init__(self, contender: Contender, search: Search, column: str = "validation_accuracy") -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._contender = contender
        self._distributions = {key: _distribution(axis) for key, axis in contender.axes.items()}
        text = json.dumps([search.sampler_seed, contender.fixed], sort_keys=True)
        sampler = _sampler(search.sampler, int(hashlib.sha256(text.encode()).hexdigest()[:8], 16))
        direction = "maximize" if higher_is_better(column) else "minimize"
        self._study = optuna.create_study(direction=direction, sampler=sampler)
        self._asked: list[optuna.Trial] = []
        for start in contender.starts:
            self._study.enqueue_trial({key: _coded(axis, start[key]) for key, axis in contender.axes.items()})

    def ask(self, number: int) -> list[dict[str, Any]]:
        """The settings of the next trials."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # how quasi-random points are made up for lists is said in our documents
            self._asked = [self._study.ask(self._distributions) for _ in range(number)]
        return [self._settings(trial) for trial in self._asked]

    def _settings(self, trial: optuna.Trial) -> dict[str, Any]:
        starts = self._contender.starts
        if trial.number < len(starts):  # to the last digit
            return dict(starts[trial.number])
        return {key: _decoded(axis, trial.params[key]) for key, axis in self._contender.axes.items()}

    def tell(self, trials: Sequence[Trial]) -> None:
        """What came of the trials that were asked for last."""
        from optuna.trial import TrialState

        for asked, trial in zip(self._asked, trials, strict=True):
            if trial.value is None:
                self._study.tell(asked, state=TrialState.PRUNED)
            else:
                self._study.tell(asked, trial.value)
        self._asked = []


def _sampler(name: str, seed: int) -> BaseSampler:
    from optuna import samplers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that an interface may change in another version
        if name == "random":
            return samplers.RandomSampler(seed=seed)
        if name == "quasi-random":
            return samplers.QMCSampler(seed=seed, scramble=True, warn_independent_sampling=False)
        # trials of a round keep clear of each other, and a search is too short for ten of them at random
        return samplers.TPESampler(seed=seed, n_startup_trials=AT_RANDOM, multivariate=True, constant_liar=True)


def _distribution(axis: Range | Choices) -> BaseDistribution:
    from optuna import distributions

    if isinstance(axis, Choices):
        return distributions.CategoricalDistribution(range(len(axis.values)))
    if axis.whole:
        return distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return distributions.FloatDistribution(axis.low, axis.high, log=axis.log)


def _coded(axis: Range | Choices, value: Any) -> Any:
    """A value as the study knows it: of a list its place, for Optuna takes no lists or texts of any kind."""
    return axis.values.index(value) if isinstance(axis, Choices) else value


def _decoded(axis: Range | Choices, value: Any) -> Any:
    return axis.values[value] if isinstance(axis, Choices) else rounded(axis, value)
