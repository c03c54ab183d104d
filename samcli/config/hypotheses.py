"""`hypotheses:` of an experiment file: what its author expects, in a form that can be judged."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samcli.config.grid import Canonical, Grid, flatten, setting_of
from samcli.config.pattern import Pattern, pattern_of
from samcli.config.schema import RunConfig
from samcli.config.source import KeyPath, Source
from samcli.errors import ConfigError, nearest
from samcli.metrics import column_called

MOST = 100  # in one file
AXES = {"grows_with": 2, "falls_with": 2, "best_of": 3, "range_of": 2, "along": 3}  # and how many values each needs
LONGEST = 300  # characters of what one says
LARGEST = 1e100  # of a number; squares of larger ones are infinite
BESIDE = ("published", "contrast")  # what no run is judged by
DATASETS = ("dataset", "dataset.name")  # keys of a pattern
EXAMPLE = "{says: SAM beats SGD, better: {optimizer: sam}, than: {optimizer: sgd}}"


@dataclass(frozen=True)
class Relation:
    """A bound on a correlation: τ above or below it."""

    above: bool
    bound: float


@dataclass(frozen=True)
class Hypothesis:
    """What an experiment is expected to show.

    Attributes:
        says: it in words.
        kind: the key that begins it, one of `KINDS`.
        fields: the values by their keys, defaults filled in: patterns of runs, names of metrics and axes, numbers.
        document: it as written, plain values.
        where: it stands, for messages.
        published: what others found of it, in words, to stand beside what is found here.
        contrast: whether a claim does not rest on it: it is there for what it shows beside.
    """

    says: str
    kind: str
    fields: Mapping[str, Any]
    document: Mapping[str, Any]
    where: str
    published: str = ""
    contrast: bool = False

    @property
    def digest(self) -> str:
        """The SHA-256 of what is expected; another order of keys is the same, and so is what is said beside it."""
        expected = {key: value for key, value in self.document.items() if key not in BESIDE}
        return hashlib.sha256(json.dumps(expected, sort_keys=True).encode()).hexdigest()

    @property
    def patterns(self) -> Iterator[Pattern]:
        """All that it says of runs."""
        for value in self.fields.values():
            if isinstance(value, Pattern):
                yield value
            elif isinstance(value, tuple):
                yield from (one for one in value if isinstance(one, Pattern))


def hypotheses_of(source: Source, canonical: Canonical = str) -> tuple[Hypothesis, ...]:
    """The hypotheses of a document; none if it has no such key.

    Args:
        source: the document.
        canonical: see `samcli.config.grid.Grid`. A hypothesis outlives the command that it was written for, and names
            of data sets are kept as its runs have them: a folder of images by its whole path.

    Raises:
        ConfigError: not a list of blocks, an unknown key, a missing one, or a value that does not fit; names the line.

    >>> source = Source({"hypotheses": [{"says": "it helps", "better": {"optimizer": "sam"}, "than": {"seeds": 0}}]})
    >>> (found,) = hypotheses_of(source)
    >>> found.kind, found.fields["by"]
    ('better', 0.0)
    """
    written = source.data.get("hypotheses")
    if written is None:
        return ()
    if not isinstance(written, list) or not written or len(written) > MOST:
        raise ConfigError(
            f"{source.where(('hypotheses',))}: hypotheses must be a list of 1 to {MOST} blocks such as {EXAMPLE}."
        )
    found = tuple(
        _hypothesis(source, ("hypotheses", index), _canonical(block, canonical)) for index, block in enumerate(written)
    )
    for index, one in enumerate(found):
        if any(one.says == other.says for other in found[:index]):
            raise ConfigError(f"{one.where}: two hypotheses say {one.says!r}; say what tells them apart.")
    return found


def _canonical(block: Any, canonical: Canonical) -> Any:
    """A block with the canonical names of the data sets that its patterns have."""
    if isinstance(block, list):
        return [_canonical(one, canonical) for one in block]
    if not isinstance(block, dict):
        return block
    return {
        key: _names(value, canonical) if key in DATASETS else _canonical(value, canonical)
        for key, value in block.items()
    }


def _names(value: Any, canonical: Canonical) -> Any:
    if isinstance(value, list):
        return [_names(one, canonical) for one in value]
    return canonical(value) if isinstance(value, str) else value


def check_hypotheses(hypotheses: Iterable[Hypothesis], runs: Iterable[RunConfig], canonical: Canonical) -> None:
    """Refuse a hypothesis on what no run of the experiment has.

    Args:
        hypotheses: of a document.
        runs: all that the document asks for, before flags.
        canonical: see `samcli.config.grid.Grid`.

    Raises:
        ConfigError: names the line, and what there is instead.

    >>> check_hypotheses([], [], str)
    """
    grid = Grid((flatten(run.document()) for run in runs), canonical)
    for one in hypotheses:
        for pattern in one.patterns:
            grid.check(pattern)
            if not grid.holding(pattern):
                raise ConfigError(f"{pattern[0].where}: no run has all of this; see what there is: --dry-run.")
        for key in one.fields.get("holding", ()):
            if setting_of(key, grid.values) is None:
                raise ConfigError(f"{one.where}: no run has {key!r} to hold; {grid.meant(key)}")
        for key, least in AXES.items():
            if key in one.fields:
                _check_axis(grid, one, str(one.fields[key]), least)


def _check_axis(grid: Grid, one: Hypothesis, axis: str, least: int) -> None:
    if axis not in grid.values:
        numeric = [key for key, values in grid.values.items() if all(map(is_number, values.values()))]
        if places := [key for key in numeric if key.partition(".")[2] == axis]:
            raise ConfigError(f"{one.where}: no run has {axis!r}; did you mean {' or '.join(sorted(places))}?")
        raise ConfigError(f"{one.where}: no run has {axis!r}; {nearest(axis, numeric)}")
    levels = [value for value in grid.values[axis].values() if is_number(value)]
    if len(levels) < least:
        raise ConfigError(f"{one.where}: {axis} has {len(levels)} values, and {one.kind} needs {least}; give it more.")


def is_number(value: object) -> bool:
    """Whether a setting is a number that may stand on an axis.

    >>> is_number(0.1), is_number(True)
    (True, False)
    """
    return isinstance(value, int | float) and not isinstance(value, bool)


def _hypothesis(source: Source, path: KeyPath, block: Any) -> Hypothesis:
    where = source.where(path)
    if not isinstance(block, dict):
        raise ConfigError(f"{where}: a hypothesis must be a block such as {EXAMPLE}.")
    kinds = [key for key in block if key in KINDS]
    if len(kinds) != 1:
        what = f"has {' and '.join(kinds)}" if kinds else "says nothing that can be judged"
        raise ConfigError(f"{where}: a hypothesis {what}; it begins with one of {', '.join(KINDS)}.")
    (kind,) = kinds
    readers = {"says": _words, "published": _words, "contrast": _flag, **KINDS[kind].readers}
    for key in block:
        if key not in readers:
            raise ConfigError(f"{source.where((*path, key))}: {kind} has no key {key!r}; {nearest(str(key), readers)}")
    fields = dict(KINDS[kind].defaults)
    for key, value in block.items():
        fields[key] = readers[key](source, (*path, key), value)
    says, published, contrast = (fields.pop(key, None) for key in ("says", "published", "contrast"))
    if says is None:
        raise ConfigError(f"{where}: a hypothesis needs says: what it means, in words.")
    for choice in KINDS[kind].required:
        if sum(key in fields for key in choice) != 1:
            raise ConfigError(f"{where}: {kind} needs {' or '.join(choice)}{', and one alone' * (len(choice) > 1)}.")
    return Hypothesis(says, kind, fields, block, where, published or "", bool(contrast))


Reader = Callable[[Source, KeyPath, Any], Any]


def _words(source: Source, path: KeyPath, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a text of up to {LONGEST} characters.")
    return " ".join(value.split())


def _runs(source: Source, path: KeyPath, value: Any) -> Pattern:
    return pattern_of(source, path, value)


def _two_runs(source: Source, path: KeyPath, value: Any) -> tuple[Pattern, ...]:
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigError(
            f"{source.where(path)}: {path[-1]} must be a list of two, [{{optimizer: sam}}, {{optimizer: sgd}}]."
        )
    return tuple(pattern_of(source, (*path, index), one) for index, one in enumerate(value))


def _name(source: Source, path: KeyPath, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a name.")
    return value.strip()


def _metric(source: Source, path: KeyPath, value: Any) -> str:
    return column_called(_name(source, path, value))


def _two_metrics(source: Source, path: KeyPath, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) != 2:
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a list of two names, such as [lambda-max, gap].")
    return tuple(_metric(source, path, one) for one in value)


def _names_of_settings(source: Source, path: KeyPath, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(_name(source, path, one) for one in values)


def _number(source: Source, path: KeyPath, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a number, not {value!r:.60}.")
    return float(value)


def _above(least: float) -> Reader:
    def read(source: Source, path: KeyPath, value: Any) -> float:
        number = _number(source, path, value)
        if number <= least:
            raise ConfigError(f"{source.where(path)}: {path[-1]} must be above {least:g}, not {number:g}.")
        return number

    return read


def _flag(source: Source, path: KeyPath, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be true or false.")
    return value


def _relation(source: Source, path: KeyPath, value: Any) -> Relation:
    found = re.fullmatch(r"\s*([<>])\s*([-+]?\d*\.?\d+)\s*", value) if isinstance(value, str) else None
    if found is None or abs(float(found[2])) >= 1.0:
        raise ConfigError(
            f"{source.where(path)}: {path[-1]} must be '> 0' or '< 0', or another bound between -1 and 1."
        )
    return Relation(found[1] == ">", float(found[2]))


@dataclass(frozen=True)
class Kind:
    """What a kind of hypothesis may and must say.

    Attributes:
        readers: by key, what makes of a written value one that is checked.
        required: for each choice of keys, exactly one has to be there.
        defaults: of keys that may be left out.
    """

    readers: Mapping[str, Reader]
    required: Sequence[tuple[str, ...]] = ()
    defaults: Mapping[str, Any] = ()  # type: ignore[assignment]


KINDS = {
    "better": Kind(
        {"better": _runs, "than": _runs, "metric": _metric, "less": _metric, "by": _number}, [("than",)], {"by": 0.0}
    ),
    "equal": Kind({"equal": _two_runs, "within": _above(0.0), "metric": _metric, "less": _metric}, [("within",)]),
    "lead_of": Kind(
        {"lead_of": _runs, "over": _runs, "grows_with": _name, "falls_with": _name, "metric": _metric},
        [("over",), ("grows_with", "falls_with")],
    ),
    "best_of": Kind({"best_of": _name, "inside": _flag, "among": _runs, "metric": _metric}, [], {"inside": True}),
    "range_of": Kind(
        {"range_of": _name, "beats": _runs, "spans": _above(1.0), "among": _runs, "metric": _metric},
        [("beats",), ("spans",)],
    ),
    "correlated": Kind(
        {"correlated": _two_metrics, "tau": _relation, "among": _runs, "holding": _names_of_settings},
        [],
        {"tau": Relation(above=True, bound=0.0)},
    ),
    "mean_of": Kind(
        {"mean_of": _runs, "metric": _metric, "below": _number, "above": _number},
        [("metric",), ("below", "above")],
    ),
    "ratio_of": Kind(
        {"ratio_of": _runs, "to": _runs, "metric": _metric, "below": _above(0.0), "above": _above(0.0)},
        [("to",), ("metric",), ("below", "above")],
    ),
    "wider": Kind(
        {"wider": _runs, "than": _runs, "along": _name, "within": _above(0.0), "times": _above(0.0), "metric": _metric},
        [("than",), ("along",), ("within",)],
        {"times": 1.0},
    ),
}
