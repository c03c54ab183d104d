"""What `only:`, `exclude:` and `--only` ask of a run, as written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samcli.config.block import as_list
from samcli.config.source import KeyPath, Source, parse_scalar
from samcli.errors import ConfigError

NAMED = ("dataset", "model", "optimizer", "schedule")  # alone they stand for the name in their block


@dataclass(frozen=True)
class Wanted:
    """A key of a run and what it may be, as written.

    Attributes:
        value: one, or a list of alternatives; for an option that is a list by itself, that list or a list of such.
        where: it stands, for messages.
        cut: whether the value is a list because a flag has commas.
    """

    key: str
    value: Any
    where: str
    cut: bool = False


class Pattern(tuple[Wanted, ...]):
    """What is asked of a run: all of it must hold."""

    __slots__ = ()


@dataclass(frozen=True)
class Patterns:
    """Patterns one of which must hold.

    Attributes:
        patterns: these.
        subject: of a message on all of them: `x.yaml, line 3: only`.
        is_flag: whether the command line has them.
    """

    patterns: tuple[Pattern, ...]
    subject: str
    is_flag: bool = False


def patterns_of(source: Source, key: str) -> Patterns:
    """The patterns that a document has under `only` or `exclude`: a mapping of keys to values, or a list of such.

    Raises:
        ConfigError: it is something else, or names no key.

    >>> found = patterns_of(Source({"only": {"optimizer": {"name": "sam"}, "seeds": 3}}), "only")
    >>> [(wanted.key, wanted.value) for wanted in found.patterns[0]]
    [('optimizer.name', 'sam'), ('seeds', 3)]
    """
    value, found = source.data[key], []
    for index, item in enumerate(as_list(value)):
        path: KeyPath = (key, index) if isinstance(value, list) else (key,)
        if not isinstance(item, dict) or not item:
            raise ConfigError(
                f"{source.where(path)}: {key} must be a block such as {{optimizer: sam, seeds: 0-2}}, "
                "or a list of these."
            )
        found.append(Pattern(_wanted(source, path, item)))
    if not found:
        raise ConfigError(f"{source.where((key,))}: {key} is an empty list; name a key, or leave it out.")
    return Patterns(tuple(found), f"{source.where((key,))}: {key}")


def pattern_of(source: Source, path: KeyPath, block: Any) -> Pattern:
    """The pattern in a block of a document.

    Raises:
        ConfigError: it is no block, or empty.

    >>> [wanted.key for wanted in pattern_of(Source({}), ("better",), {"optimizer": {"name": "sam", "rho": 0.1}})]
    ['optimizer.name', 'optimizer.rho']
    """
    if not isinstance(block, dict) or not block:
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a block such as {{optimizer: sam}}.")
    return Pattern(_wanted(source, path, block))


def _wanted(source: Source, path: KeyPath, block: Mapping[str, Any], prefix: str = "") -> Iterator[Wanted]:
    for key, value in block.items():
        if isinstance(value, dict) and value and not prefix:
            yield from _wanted(source, (*path, key), value, f"{key}.")
        else:
            yield Wanted(f"{prefix}{key}", value, source.where((*path, key)))


def patterns_of_flags(texts: Sequence[str], names_in: Callable[[list[str]], list[str]]) -> Patterns:
    """The one pattern of all `--only KEY=VALUE`, where commas stand between alternatives.

    Args:
        texts: of the flags.
        names_in: cuts names at their commas.

    Raises:
        ConfigError: not of this form.
    """
    pattern = []
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        where = f"--only {text}"
        if not (key and equals and value):
            raise ConfigError(f"{where} must be written KEY=VALUE, such as --only optimizer=sam.")
        if key == "seeds":
            pattern.append(Wanted(key, value, where))
        elif value.startswith("["):
            pattern.append(Wanted(key, parse_scalar(value), where))
        elif key.removesuffix(".name") in NAMED:
            pattern.append(Wanted(key, names_in([value]), where))
        else:
            pattern.append(Wanted(key, [parse_scalar(part) for part in value.split(",")], where, cut=True))
    return Patterns((Pattern(pattern),), " ".join(f"--only {text}" for text in texts), is_flag=True)
