"""Blocks of an experiment as written, and the choices that their lists stand for."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samcli.config.source import KeyPath, Source
from samcli.errors import ConfigError

MOST_CELLS = 100_000


@dataclass
class Block:
    """One component as written: `name` and options, whose values may be lists; and where it stands."""

    values: dict[str, Any]
    path: KeyPath

    def names_and_bases(self) -> Iterator[tuple[Any, Any]]:
        """Every choice of a name and a base optimizer, which is None where the block names none."""
        return itertools.product(as_list(self.values.get("name")), as_list(self.values.get("base")))


def blocks_of(source: Source, section: str, value: Any) -> list[Block]:
    """The alternatives of a section: a name, a block with a name, or a list of these.

    Raises:
        ConfigError: it is something else.

    >>> [block.values for block in blocks_of(Source({}), "optimizer", ["sgd", {"name": "sam", "rho": 0.1}])]
    [{'name': 'sgd'}, {'name': 'sam', 'rho': 0.1}]
    """
    items: Sequence[Any] = value if isinstance(value, list) else [value]
    if not items:
        raise ConfigError(f"{source.where((section,))}: {section} is an empty list; name one, or leave the key out.")
    blocks = []
    for index, item in enumerate(items):
        path: KeyPath = (section, index) if isinstance(value, list) else (section,)
        if isinstance(item, str):
            blocks.append(Block({"name": item}, path))
        elif isinstance(item, dict):
            blocks.append(Block(dict(item), path))
        else:
            raise ConfigError(
                f"{source.where(path)}: {section} must be a name, a block such as {{name: ...}}, or a list of these."
            )
    return blocks


def as_list(value: Any) -> list[Any]:
    """The value, or a list of it alone.

    >>> as_list("sgd"), as_list(["sgd", "sam"])
    (['sgd'], ['sgd', 'sam'])
    """
    return value if isinstance(value, list) else [value]


def check_size(cells: int) -> None:
    """Refuse a grid that nobody can have meant, before it fills the memory.

    >>> check_size(100)

    Raises:
        ConfigError: it has more than `MOST_CELLS`.
    """
    if cells > MOST_CELLS:
        raise ConfigError(
            f"The lists multiply to {cells:,} settings, more than {MOST_CELLS:,}; leave values out, or part the "
            "experiment into several files."
        )


def choices_of(values: Mapping[str, Any], options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every choice of one value per key; the value of a list option is a choice itself, a list of lists several.

    >>> list(choices_of({"rho": [0.05, 0.1], "k": 5}, {}))
    [{'rho': 0.05, 'k': 5}, {'rho': 0.1, 'k': 5}]
    """
    choices: list[list[Any]] = []
    for key, value in values.items():
        own_list = key in options and options[key].is_list
        is_axis = isinstance(value, list) and (not own_list or any(isinstance(item, list) for item in value))
        choices.append(value if is_axis else [value])
    check_size(math.prod(map(len, choices)))
    for cell in itertools.product(*choices):
        yield dict(zip(values, cell, strict=True))
