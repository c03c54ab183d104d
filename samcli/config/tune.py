"""`tune:` of an experiment file: how many trials each optimizer has, on which seeds, and what is searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args

from samcli.config.check import check
from samcli.config.grid import token
from samcli.config.seeds import parse_seeds
from samcli.config.source import KeyPath, Source
from samcli.errors import ConfigError, nearest
from samcli.fit import fits, sentence
from samcli.registry import Option, option, options_of

EXAMPLE = "{trials: 20, seeds: 100-101, space: {optimizer.lr: {from: 0.001, to: 1.0, log: true}}}"
SAMPLERS = ("tpe", "random", "quasi-random")
BLOCK = "optimizer."
OF_A_RANGE = ("from", "to", "log")


@dataclass(frozen=True)
class Range:
    """Numbers between two ends, which belong to it.

    Attributes:
        low, high: the ends.
        log: whether equal factors are equally likely, rather than equal distances.
        whole: whether these are whole numbers.
        open: whether the option would go on below the low end, and above the high one.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False
    open: tuple[bool, bool] = (True, True)


@dataclass(frozen=True)
class Choices:
    """Values that are listed, each of them as likely as another."""

    values: tuple[Any, ...]


Axis = Range | Choices


@dataclass(frozen=True, kw_only=True)
class Search:
    """The settings of a search but for its seeds and its space."""

    trials: int | None = option(None, "trials of each optimizer", minimum=1, maximum=10_000)
    evaluations: float | None = option(
        None,
        "gradient evaluations that each optimizer may spend, in trials of an optimizer of one pass a step",
        minimum=1.0,
        maximum=1e6,
    )
    sampler: str = option("tpe", "what suggests the settings of the trials", choices=SAMPLERS)
    sampler_seed: int = option(0, "seed of the suggestions", minimum=0)
    round: int = option(5, "trials of each optimizer that train at once, before the next are suggested", minimum=1)


@dataclass(frozen=True)
class Tuning:
    """The block `tune:` of a document.

    Attributes:
        search: how long and how is searched.
        seeds: of each trial.
        space: what is searched, as written, by the name of the option of an optimizer.
        source: the document.
    """

    search: Search
    seeds: tuple[int, ...]
    space: Mapping[str, Any]
    source: Source

    def where(self, *path: str | int) -> str:
        """The place of a key of the block, for messages."""
        return self.source.where(("tune", *path))

    def with_trials(self, trials: int) -> Tuning:
        """The same search with so many trials of each optimizer, in place of what the document says of its budget.

        >>> source = Source({"tune": {"evaluations": 9, "seeds": 9, "space": {"optimizer.lr": [0.1, 0.2]}}})
        >>> search = tuning_of(source).with_trials(3).search
        >>> search.trials, search.evaluations
        (3, None)
        """
        return replace(self, search=replace(self.search, trials=trials, evaluations=None))

    def axes(self, options: Mapping[str, Option]) -> dict[str, Axis]:
        """What is searched for an optimizer with such options; nothing where it has none of the space.

        Raises:
            ConfigError: a range or a value that does not fit an option.

        >>> source = Source({"tune": {"trials": 3, "seeds": 9, "space": {"optimizer.rho": {"from": 0, "to": 1}}}})
        >>> tuning = tuning_of(source)
        >>> tuning.axes({"rho": Option("radius", minimum=0.0, name="rho", type=float, default=0.05)})
        {'rho': Range(low=0.0, high=1.0, log=False, whole=False, open=(False, True))}
        """
        return {
            key: _axis(self.source, ("tune", "space", BLOCK + key), options[key], value)
            for key, value in self.space.items()
            if key in options
        }


def tuning_of(source: Source) -> Tuning | None:
    """The search of a document; None if it has no such key.

    Raises:
        ConfigError: not such a block, an unknown key, a missing one, or a value that does not fit; names the line.

    >>> space = {"optimizer.lr": {"from": 0.01, "to": 1.0}}
    >>> tuning_of(Source({"tune": {"trials": 20, "seeds": "100-101", "space": space}})).seeds
    (100, 101)
    """
    written = source.data.get("tune")
    if written is None:
        return None
    path: KeyPath = ("tune",)
    if not isinstance(written, dict):
        raise ConfigError(f"{source.where(path)}: tune must be a block such as {EXAMPLE}.")
    known = {**options_of(Search), "seeds": None, "space": None}
    for key in written:
        if key not in known:
            raise ConfigError(f"{source.where((*path, key))}: tune has no key {key!r}; {nearest(str(key), known)}")
    given = {key: value for key, value in written.items() if key not in ("seeds", "space")}
    search = Search(**check(options_of(Search), given, "tune", source, path))
    if (search.trials is None) is (search.evaluations is None):
        raise ConfigError(f"{source.where(path)}: tune needs either trials or evaluations, such as trials: 20.")
    if written.get("seeds") is None:
        raise ConfigError(f"{source.where(path)}: tune needs seeds of its own, such as seeds: 100-101.")
    seeds = parse_seeds(written["seeds"], Source({}, source.where((*path, "seeds"))))
    return Tuning(search, tuple(seeds), _space(source, written.get("space")), source)


def check_space(tuning: Tuning, optimizers: Iterable[Mapping[str, Option]]) -> None:
    """Refuse a key of the space that no optimizer has, and ranges and values that do not fit one that has it.

    Args:
        tuning: of a document.
        optimizers: the options of each of the document's optimizers.

    Raises:
        ConfigError: names the line, and the option that may have been meant.
    """
    each = list(optimizers)
    known = dict.fromkeys(BLOCK + key for options in each for key in options if key != "base")
    for key in tuning.space:
        if BLOCK + key not in known:
            place = tuning.where("space", BLOCK + key)
            raise ConfigError(f"{place}: no optimizer here has an option {key!r}; {nearest(BLOCK + key, known)}")
    for options in each:
        tuning.axes(options)


def _space(source: Source, written: Any) -> dict[str, Any]:
    path: KeyPath = ("tune", "space")
    if not isinstance(written, dict) or not written:
        raise ConfigError(f"{source.where(path)}: space must name what is searched, as in tune: {EXAMPLE}.")
    for key in written:
        place = source.where((*path, key))
        if not str(key).startswith(BLOCK):
            example = f"; write {BLOCK}{key}" if "." not in str(key) and str(key) != "optimizer" else ""
            raise ConfigError(f"{place}: only options of optimizers are searched, such as optimizer.lr{example}.")
        if key in (f"{BLOCK}name", f"{BLOCK}base"):
            raise ConfigError(f"{place}: {key} says which optimizers are compared; list them under optimizer:.")
    return {str(key).removeprefix(BLOCK): value for key, value in written.items()}


def _axis(source: Source, path: KeyPath, o: Option, written: Any) -> Axis:
    place = source.where(path)
    if isinstance(written, list) and written:
        values = tuple(_value(place, o, one) for one in written)
        if len({token(value) for value in values}) < len(values):
            raise ConfigError(f"{place}: a value of {path[-1]} stands there twice; remove one.")
        return Choices(values)
    if not isinstance(written, dict):
        raise ConfigError(
            f"{place}: {path[-1]} must be a range such as {{from: 0.001, to: 1.0, log: true}}, or a list of values."
        )
    kinds = get_args(o.type) or (o.type,)
    if o.is_list or o.choices or not {int, float} & set(kinds):
        raise ConfigError(f"{place}: {path[-1]} is no number; list the values to be tried, as in [a, b].")
    return _range(source, path, o, written, whole=float not in kinds)


def _range(source: Source, path: KeyPath, o: Option, written: Mapping[str, Any], *, whole: bool) -> Range:
    place, key = source.where(path), path[-1]
    for word in written:
        if word not in OF_A_RANGE:
            known = nearest(str(word), OF_A_RANGE)
            raise ConfigError(f"{source.where((*path, word))}: a range has no key {word!r}; {known}")
    if not {"from", "to"} <= set(written):
        raise ConfigError(f"{place}: the range of {key} needs from and to.")
    log = written.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"{place}: log must be true or false.")
    low, high = (_value(place, o, written[word]) for word in ("from", "to"))
    numbers = [isinstance(end, int | float) and abs(end) < float("inf") for end in (low, high)]
    if not all(numbers) or low >= high:
        raise ConfigError(f"{place}: the range of {key} must go from a number to a larger one, not {low} to {high}.")
    if log and low <= 0:
        raise ConfigError(f"{place}: with log: true the range of {key} must begin above 0, not at {low}.")
    goes_on = (o.minimum is None or low > o.minimum, o.maximum is None or high < o.maximum)
    return Range(low, high, log, whole, goes_on)


def _value(place: str, o: Option, value: Any) -> Any:
    if not fits(o, value):
        raise ConfigError(f"{place}: {o.name} {sentence(o, value)}")
    return check({o.name: o}, {o.name: value}, o.name, Source({}, place), ())[o.name]
