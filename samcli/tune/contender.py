"""The optimizers that a search tunes, each with what is searched for it and where it begins."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samcli.config.grid import flatten, token
from samcli.config.schema import Catalogue, RunConfig
from samcli.config.tune import Axis, Range, Tuning
from samcli.errors import ConfigError
from samcli.report.settings import distinguishing, label
from samcli.words import seeds

LONGEST_NAME = 93  # characters of an experiment's name: with -tuned it has at most 100
DIGITS = 4  # of a suggested number: what tells trials apart is to be read, and typed


@dataclass(frozen=True)
class Contender:
    """An optimizer that is tuned.

    Attributes:
        name: the optimizer with the settings that tell it from the others.
        run: one of its runs; trials are this one with other settings and seeds.
        axes: what is searched, by the name of the option; nothing where it has none of the space.
        starts: the settings that the file gives, where they lie in the space: its first trials.
    """

    name: str
    run: RunConfig
    axes: Mapping[str, Axis]
    starts: tuple[Mapping[str, Any], ...]

    @property
    def fixed(self) -> dict[str, Any]:
        """Its settings but for those that are searched."""
        return {key: value for key, value in self.run.optimizer.items() if key not in self.axes}

    def configs(
        self, settings: Mapping[str, Any], tuning_seeds: Sequence[int], catalogue: Catalogue
    ) -> list[RunConfig]:
        """The runs of a trial, one for each seed.

        Raises:
            ConfigError: settings that exclude each other.
        """
        block = {**self.run.optimizer, **settings}
        try:
            catalogue.create("optimizer", block)
        except ConfigError as error:
            told = " ".join(f"{key}={value}" for key, value in settings.items())
            raise ConfigError(f"The space of {self.name} holds {told}, and {error} Leave such settings out.") from None
        name = f"{self.run.name}-tune"
        return [dataclasses.replace(self.run, name=name, optimizer=block, seed=seed) for seed in tuning_seeds]


def contenders_of(runs: Sequence[RunConfig], tuning: Tuning, catalogue: Catalogue) -> list[Contender]:
    """The optimizers of an experiment, in its order.

    Runs whose optimizers differ in nothing that is searched are of one contender; where they differ in another option,
    each is one of its own.

    Raises:
        ConfigError: the runs are of more than one problem, of other seeds for each optimizer, or on a seed of the
            trials.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> text = "{dataset: wine, optimizer: [sgd, {name: sam, rho: [0.1, 2.0]}], tune: {trials: 9, seeds: 7, space: "
    >>> text += "{optimizer.lr: {from: 0.01, to: 1}, optimizer.rho: {from: 0, to: 1}}}}"
    >>> draft = Draft.of(parse(text, "wine.yaml"), CATALOGUE)
    >>> [(one.name, one.starts) for one in contenders_of(draft.expand(), draft.tuning, CATALOGUE)]
    [('sgd', ({'lr': 0.1},)), ('sam', ({'lr': 0.1, 'rho': 0.1},))]
    """
    _check_problem(runs)
    _check_seeds(runs, tuning)
    found: dict[str, tuple[RunConfig, dict[str, Axis], list[dict[str, Any]]]] = {}
    for run in runs:
        options = catalogue.options("optimizer", run.optimizer["name"], run.optimizer.get("base"))
        axes = tuning.axes(options)
        fixed = {key: value for key, value in run.optimizer.items() if key not in axes}
        _, _, starts = found.setdefault(json.dumps(fixed, sort_keys=True), (run, axes, []))
        start = {key: run.optimizer[key] for key in axes}
        if start not in starts and all(_holds(axes[key], value) for key, value in start.items()):
            starts.append(start)
    shown = [{**run.document(), "optimizer": _without(run, axes)} for run, axes, _ in found.values()]
    words = [label(settings) for settings in distinguishing(shown)]
    names = [" ".join(filter(None, [run["optimizer"]["name"], told])) for run, told in zip(shown, words, strict=True)]
    return [
        Contender(_unlike(names, index), run, axes, tuple(starts))
        for index, (run, axes, starts) in enumerate(found.values())
    ]


def _unlike(names: Sequence[str], index: int) -> str:
    """A name, with a number where the settings that tell it from another are alike in the digits that are shown."""
    name = names[index]
    return f"{name} ({names[: index + 1].count(name)})" if names.count(name) > 1 else name


def _without(run: RunConfig, axes: Mapping[str, Axis]) -> dict[str, Any]:
    return {key: value for key, value in run.optimizer.items() if key not in axes}


def _holds(axis: Axis, value: Any) -> bool:
    """Whether a value lies in what is searched."""
    if isinstance(axis, Range):
        return isinstance(value, int | float) and axis.low <= value <= axis.high
    return any(token(one) == token(value) for one in axis.values)


def _check_problem(runs: Sequence[RunConfig]) -> None:
    """Refuse a grid of problems: what is best differs from one to the next, and a file has one block for each."""
    values: dict[str, dict[Any, Any]] = {}
    for run in runs:
        for key, value in flatten(run.document()).items():
            if key != "seeds" and not key.startswith("optimizer."):
                values.setdefault(key, {}).setdefault(token(value), value)
    several = {key: list(each.values()) for key, each in values.items() if len(each) > 1}
    if several:
        key, given = next(iter(several.items()))
        raise ConfigError(
            f"Settings are searched for one problem, and this experiment has {len(given)} values of {key}; tune each "
            f"by itself, under a name of its own: --only {key}={given[0]} --name NAME."
        )
    if len(runs[0].name) > LONGEST_NAME:
        raise ConfigError(f"The name of an experiment that is tuned has at most {LONGEST_NAME} characters.")


def _check_seeds(runs: Sequence[RunConfig], tuning: Tuning) -> None:
    by_optimizer: dict[str, set[int]] = {}
    for run in runs:
        by_optimizer.setdefault(json.dumps(run.optimizer, sort_keys=True), set()).add(run.seed)
    if len({frozenset(each) for each in by_optimizer.values()}) > 1:
        raise ConfigError("An experiment that is tuned has the same seeds for every optimizer; leave none out of some.")
    if both := sorted({run.seed for run in runs} & set(tuning.seeds)):
        raise ConfigError(
            f"{tuning.where('seeds')}: {seeds(both)} {'is' if len(both) == 1 else 'are'} among the final seeds, on "
            "which what was chosen there would look better than it is; take others, such as "
            f"seeds: {_others(runs, len(tuning.seeds))}."
        )


def _others(runs: Sequence[RunConfig], number: int) -> str:
    """Seeds that are none of the final ones, as one writes them."""
    first = 100 * math.ceil((max(run.seed for run in runs) + 1) / 100)
    return str(first) if number == 1 else f"{first}-{first + number - 1}"


def rounded(axis: Axis, value: Any) -> Any:
    """A suggested value as a person would write it, inside its range.

    >>> rounded(Range(0.001, 1.0), 0.0374540118847), rounded(Range(0.01, 0.123456), 0.123455)
    (0.03745, 0.123456)
    """
    if not isinstance(axis, Range) or axis.whole:
        return value
    return min(max(float(f"{value:.{DIGITS}g}"), axis.low), axis.high)


def settings_words(settings: Mapping[str, Any]) -> str:
    """Settings as tables write them.

    >>> settings_words({"lr": 0.1, "nesterov": True, "betas": (0.9, 0.99)})
    'lr=0.1 nesterov=true betas=[0.9, 0.99]'
    """
    return " ".join(f"{key}={_plain(value)}" for key, value in settings.items())


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
