"""Which cells of a grid are runs of the experiment: `only:` and `exclude:` of a file, and `--only`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from samcli.config.block import as_list
from samcli.config.pattern import NAMED, Pattern, Patterns, Wanted
from samcli.config.schema import RunConfig
from samcli.config.seeds import parse_seeds
from samcli.config.source import Source
from samcli.errors import ConfigError, nearest
from samcli.words import count

LARGEST = sys.float_info.max
UNTOLD = ("name", "plugins")  # keys of a document in which the runs of one experiment do not differ

Canonical = Callable[[str], str]


@dataclass
class Selection:
    """Which runs are kept: those that each of `only` holds for, and none of `exclude`."""

    only: list[Patterns] = field(default_factory=list)
    exclude: list[Patterns] = field(default_factory=list)

    def of(
        self, runs: Sequence[RunConfig], canonical: Canonical, as_written: Callable[[], Iterable[RunConfig]]
    ) -> list[RunConfig]:
        """The runs that are kept, in their order.

        Args:
            runs: of the whole grid.
            canonical: the name by which a data set is known, from one that a user may write.
            as_written: makes the grid of the file without flags. What a file selects may be there alone: it is no
                mistake then, the flags have left it out.

        Raises:
            ConfigError: a key or a value that no run has, a pattern that holds for none, or nothing is kept.
        """
        if not (self.only or self.exclude):
            return list(runs)
        grid, kept = _Grid(_flat(runs), canonical), list(range(len(runs)))
        for patterns, is_only in [*((p, True) for p in self.only), *((p, False) for p in self.exclude)]:
            _check(patterns, grid, canonical, as_written)
            held = set[int]().union(*map(grid.holding, patterns.patterns))
            before, kept = len(kept), [index for index in kept if (index in held) is is_only]
            if not kept:
                left = "keeps none" if is_only else "leaves none"
                raise ConfigError(
                    f"{patterns.subject} {left} of {count(before, 'run')}; see what there is without it: --dry-run."
                )
        return [runs[index] for index in kept]


def flatten(document: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run by dotted keys.

    >>> flatten({"name": "a", "optimizer": {"name": "sgd", "lr": 0.1}, "epochs": 2, "seeds": 0})
    {'optimizer.name': 'sgd', 'optimizer.lr': 0.1, 'epochs': 2, 'seeds': 0}
    """
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{option}": setting for option, setting in value.items()}
        elif key not in UNTOLD:
            flat[key] = value
    return flat


def _flat(runs: Iterable[RunConfig]) -> Iterator[dict[str, Any]]:
    return (flatten(run.document()) for run in runs)


class _Grid:
    """Runs by their values: for each key each value by its token, and the runs that have it."""

    def __init__(self, flat: Iterable[Mapping[str, Any]], canonical: Canonical) -> None:
        self._canonical = canonical
        self.values: dict[str, dict[Any, Any]] = {}
        self.holders: dict[tuple[str, Any], set[int]] = {}
        for index, settings in enumerate(flat):
            for key, value in settings.items():
                token = _token(value)
                self.values.setdefault(key, {}).setdefault(token, value)
                self.holders.setdefault((key, token), set()).add(index)

    def holding(self, pattern: Pattern) -> set[int]:
        """The runs that a pattern holds for; a key and a value may be in no run."""
        held = [
            set[int]().union(*(self.holders.get((_full(wanted.key), _token(value)), ()) for value in self._of(wanted)))
            for wanted in pattern
        ]
        return set.intersection(*held)

    def check(self, pattern: Pattern) -> None:
        """Refuse a key or a value that no run has.

        Raises:
            ConfigError: there is one.
        """
        for wanted in pattern:
            known = self.values.get(_full(wanted.key))
            if known is None:
                raise ConfigError(f"{wanted.where}: no run has {wanted.key!r}; {self._meant(wanted.key)}")
            for value in self._of(wanted):
                if _token(value) not in known:
                    what = f"no run has {wanted.key} {_word(value)[:100]}"
                    raise ConfigError(f"{wanted.where}: {what}; {_nearest(value, known.values())}")

    def _of(self, wanted: Wanted) -> Sequence[Any]:
        """The alternatives that are wanted."""
        key = _full(wanted.key)
        if wanted.value == [] and not self._holds_lists(key):
            raise ConfigError(f"{wanted.where}: {wanted.key} is an empty list; give it a value.")
        if key == "seeds":
            return parse_seeds(wanted.value, Source({}, wanted.where))
        if self._holds_lists(key):
            several = [as_list(part) for part in wanted.value] if wanted.cut else as_list(wanted.value)
            return several if any(isinstance(part, list) for part in several) else [several]
        names = as_list(wanted.value)
        is_dataset = key == "dataset.name"
        return [self._canonical(name) if is_dataset and isinstance(name, str) else name for name in names]

    def _holds_lists(self, key: str) -> bool:
        return any(isinstance(value, list) for value in self.values.get(key, {}).values())

    def _meant(self, key: str) -> str:
        known = [*NAMED, *(name for name in self.values if not name.endswith(".name"))]
        if places := [name for name in known if name.partition(".")[2] == key]:
            return f"did you mean {' or '.join(sorted(places))}?"
        clause = nearest(key, known)
        # all of them are too many to read: those that have something to select from
        return clause if clause.startswith("did") else nearest(key, [k for k in known if self._differs(_full(k))])

    def _differs(self, key: str) -> bool:
        return len(self.values[key]) > 1


def _check(
    patterns: Patterns, grid: _Grid, canonical: Canonical, as_written: Callable[[], Iterable[RunConfig]]
) -> None:
    """Refuse patterns of which one holds for no run, be it of this grid or of the file's own."""
    for pattern in patterns.patterns:
        try:
            _check_one(patterns, pattern, grid)
        except ConfigError:
            if patterns.is_flag:
                raise
            try:
                _check_one(patterns, pattern, _Grid(_flat(as_written()), canonical))
            except ConfigError:
                pass
            else:
                continue
            raise


def _check_one(patterns: Patterns, pattern: Pattern, grid: _Grid) -> None:
    grid.check(pattern)
    if not grid.holding(pattern):
        where = patterns.subject if patterns.is_flag else pattern[0].where
        raise ConfigError(f"{where}: no run has all of this; alternatives are values of one key, in a list.")


def _full(key: str) -> str:
    return f"{key}.name" if key in NAMED else key


def _token(value: Any) -> Any:
    """What is equal for equal values: 1 and 1.0 are, 1 and true are not."""
    if isinstance(value, list | tuple):
        return ("list", *map(_token, value))
    if isinstance(value, bool) or value is None:
        return ("word", str(value))
    return ("number", value) if isinstance(value, int | float) else ("text", str(value))


def _word(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_word, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _nearest(value: Any, known: Iterable[Any]) -> str:
    """A clause with the value that may have been meant: of numbers the one that is least away."""
    numbers = [one for one in known if isinstance(one, int | float) and not isinstance(one, bool)]
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        # within their range, of which the width is known; an integer may be too large for a float
        value = float(max(-LARGEST, min(LARGEST, max(min(numbers), min(max(numbers), value)))))
        return f"the nearest is {_word(min(numbers, key=lambda one: abs(one - value)))}."
    return nearest(_word(value), dict.fromkeys(map(_word, known)))
