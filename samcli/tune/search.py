"""The search: rounds of trials of every optimizer, each round trained at once and told to what suggests the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from samcli.config.schema import Catalogue, RunConfig
from samcli.config.tune import Tuning
from samcli.tune.budget import next_trials
from samcli.tune.contender import Contender
from samcli.tune.suggest import Suggester
from samcli.tune.trial import FAILED, Outcome, Trial

Train = Callable[[Sequence[RunConfig]], Sequence[Outcome]]


@dataclass
class Progress:
    """A search under way.

    Attributes:
        contenders: what is tuned.
        trials: of each contender by its name, in their order.
        rounds: how many have ended.
    """

    contenders: Sequence[Contender]
    trials: dict[str, list[Trial]] = field(default_factory=dict)
    rounds: int = 0

    @property
    def all_failed(self) -> bool:
        """Whether there is no trial that did anything but fail."""
        return all(trial.state == FAILED for trials in self.trials.values() for trial in trials)


def rounds(
    contenders: Sequence[Contender],
    tuning: Tuning,
    suggesters: Mapping[str, Suggester],
    unit: int,
    train: Train,
    catalogue: Catalogue,
) -> Iterator[Progress]:
    """Search round by round until every contender has spent what it may.

    A round has the same number of trials whatever trains them, and the next is suggested when all of it has ended:
    what is tried does not depend on how many runs train at once, or on which of them ends first. To continue a search
    is to make it again, with a `train` that finds what is finished.

    Args:
        contenders: what is tuned.
        tuning: how.
        suggesters: of each contender, by its name.
        unit: the gradient evaluations of a trial whose optimizer makes one pass a step.
        train: trains runs, in whatever order, and tells what each came to.
        catalogue: checks settings.

    Yields:
        The search after each round, always the same object.
    """
    progress = Progress(contenders, {one.name: [] for one in contenders})
    while True:
        asked: list[tuple[Contender, dict[str, object], list[RunConfig]]] = []
        for one in contenders:
            done = progress.trials[one.name]
            # what has no option to search has nothing to try but itself
            number = next_trials(tuning.search, done) if one.axes or not done else 0
            for settings in suggesters[one.name].ask(number) if number else ():
                asked.append((one, settings, one.configs(settings, tuning.seeds, catalogue)))
        if not asked:
            return
        outcomes = iter(train([config for _, _, configs in asked for config in configs]))
        ended: dict[str, list[Trial]] = {}
        for one, settings, configs in asked:
            told = {config.seed: next(outcomes) for config in configs}
            earlier = len(progress.trials[one.name])
            trial = Trial(earlier, settings, told, unit)
            progress.trials[one.name].append(trial)
            ended.setdefault(one.name, []).append(trial)
        for name, trials in ended.items():
            suggesters[name].tell(trials)
        progress.rounds += 1
        yield progress
