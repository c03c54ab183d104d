"""The cells of a grid by their values: which of them a pattern asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from samcli.config.block import as_list
from samcli.config.pattern import NAMED, Pattern, Wanted
from samcli.config.seeds import parse_seeds
from samcli.config.source import Source
from samcli.config.stages import flat_stages
from samcli.errors import ConfigError, nearest

LARGEST = sys.float_info.max
UNTOLD = ("name", "plugins")  # keys of a document in which the runs of one experiment do not differ

Canonical = Callable[[str], str]


def flatten(document: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run by dotted keys.

    >>> flatten({"name": "a", "optimizer": {"name": "sgd", "lr": 0.1}, "epochs": 2, "seeds": 0})
    {'optimizer.name': 'sgd', 'optimizer.lr': 0.1, 'epochs': 2, 'seeds': 0}
    """
    flat: dict[str, Any] = {}
    for key, value in document.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{option}": setting for option, setting in value.items()}
        elif key == "stages":
            flat |= flat_stages(value)
        elif key not in UNTOLD:
            flat[key] = value
    return flat


class Grid:
    """Runs by their values.

    Args:
        flat: the settings of each run, see `flatten`.
        canonical: the name by which a data set or a model is known, from one that a user may write.

    Attributes:
        values: for each key each value by its token.
        holders: the runs, by their number, that have a value.

    >>> grid = Grid([{"optimizer.name": "sgd", "seeds": 0}, {"optimizer.name": "sam", "seeds": 0}], str)
    >>> from samcli.config.pattern import pattern_of
    >>> grid.holding(pattern_of(Source({}), (), {"optimizer": "sam"}))
    {1}
    """

    def __init__(self, flat: Iterable[Mapping[str, Any]], canonical: Canonical) -> None:
        self._canonical = canonical
        self.values: dict[str, dict[Any, Any]] = {}
        self.holders: dict[tuple[str, Any], set[int]] = {}
        for index, settings in enumerate(flat):
            for key, value in settings.items():
                self.values.setdefault(key, {}).setdefault(token(value), value)
                self.holders.setdefault((key, token(value)), set()).add(index)

    def holding(self, pattern: Pattern) -> set[int]:
        """The runs that a pattern holds for; a key and a value may be in no run."""
        keys = [full_key(wanted.key) for wanted in pattern]
        held = [
            set[int]().union(*(self.holders.get((key, token(value)), ()) for value in self._of(wanted)))
            for wanted, key in zip(pattern, keys, strict=True)
        ]
        return set.intersection(*held)

    def check(self, pattern: Pattern) -> None:
        """Refuse a key or a value that no run has.

        Raises:
            ConfigError: there is one.
        """
        for wanted in pattern:
            known = self.values.get(full_key(wanted.key))
            if known is None:
                raise ConfigError(f"{wanted.where}: no run has {wanted.key!r}; {self.meant(wanted.key)}")
            for value in self._of(wanted):
                if token(value) not in known:
                    what = f"no run has {wanted.key} {word(value)[:100]}"
                    raise ConfigError(f"{wanted.where}: {what}; {_nearest(value, known.values())}")

    def _of(self, wanted: Wanted) -> Sequence[Any]:
        """The alternatives that are wanted."""
        key = full_key(wanted.key)
        if wanted.value == [] and not self._holds_lists(key):
            raise ConfigError(f"{wanted.where}: {wanted.key} is an empty list; give it a value.")
        if key == "seeds":
            return parse_seeds(wanted.value, Source({}, wanted.where))
        if self._holds_lists(key):
            several = [as_list(part) for part in wanted.value] if wanted.cut else as_list(wanted.value)
            return several if any(isinstance(part, list) for part in several) else [several]
        names = as_list(wanted.value)
        may_be_path = key in ("dataset.name", "model.name")
        return [self._canonical(name) if may_be_path and isinstance(name, str) else name for name in names]

    def _holds_lists(self, key: str) -> bool:
        return any(isinstance(value, list) for value in self.values.get(key, {}).values())

    def meant(self, key: str) -> str:
        """A clause with the settings that may have been meant by one that no run has."""
        known = [*NAMED, *(name for name in self.values if not name.endswith(".name"))]
        if places := [name for name in known if name.partition(".")[2] == key]:
            return f"did you mean {' or '.join(sorted(places))}?"
        clause = nearest(key, known)
        # all of them are too many to read: those that have something to select from
        return clause if clause.startswith("did") else nearest(key, [k for k in known if self._differs(full_key(k))])

    def _differs(self, key: str) -> bool:
        return len(self.values[key]) > 1


def full_key(key: str) -> str:
    """A key with the block that a bare section stands for.

    >>> full_key("optimizer"), full_key("epochs")
    ('optimizer.name', 'epochs')
    """
    return f"{key}.name" if key in NAMED else key


def setting_of(key: str, known: Collection[str]) -> str | None:
    """The full name of a setting that runs have; an option of the optimizer may go without its block.

    >>> known = ["optimizer.name", "optimizer.lr", "epochs"]
    >>> [setting_of(key, known) for key in ("optimizer", "lr", "optimizer.lr", "epochs", "rho")]
    ['optimizer.name', 'optimizer.lr', 'optimizer.lr', 'epochs', None]
    """
    return next((name for name in (full_key(key), f"optimizer.{key}") if name in known), None)


def token(value: Any) -> Any:
    """What is equal for equal values: 1 and 1.0 are, 1 and true are not.

    >>> token(1) == token(1.0), token(1) == token(True)
    (True, False)
    """
    if isinstance(value, list | tuple):
        return ("list", *map(token, value))
    if isinstance(value, bool) or value is None:
        return ("word", str(value))
    return ("number", value) if isinstance(value, int | float) else ("text", str(value))


def word(value: Any) -> str:
    """A value as a user would write it.

    >>> word(None), word([0.9, True])
    ('null', '[0.9, true]')
    """
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(word, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _nearest(value: Any, known: Iterable[Any]) -> str:
    """A clause with the value that may have been meant: of numbers the one that is least away."""
    numbers = [one for one in known if isinstance(one, int | float) and not isinstance(one, bool)]
    if numbers and isinstance(value, int | float) and not isinstance(value, bool):
        # within their range, of which the width is known; an integer may be too large for a float
        value = float(max(-LARGEST, min(LARGEST, max(min(numbers), min(max(numbers), value)))))
        return f"the nearest is {word(min(numbers, key=lambda one: abs(one - value)))}."
    return nearest(word(value), dict.fromkeys(map(word, known)))
