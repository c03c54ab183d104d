"""`claim:` of an experiment file: what the literature says, where, and how the experiment differs from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from samcli.config.source import KeyPath, Source
from samcli.errors import ConfigError, nearest

LONGEST = 2000  # characters of a text
PICTURES = ("curves", "axis", "cost", "pareto", "sharpness")  # kinds of `samcli plot` that need no more than runs
AFTERWARDS = ("sharpness", "robustness", "bound")  # commands that look at the networks of finished runs
NEVER_FULL = ("claim", "name", "base")  # keys that the setting of the literature cannot have otherwise
EXAMPLE = "{says: SAM beats SGD, source: 'Foret et al., ICLR 2021', where: Table 1}"


@dataclass(frozen=True)
class Claim:
    """A claim, and how the experiment of its file stands to it.

    Attributes:
        says: the claim as its source makes it.
        source: who made it, when.
        where: in the source it stands: a table, a figure, a section.
        published: the numbers that the source gives.
        setting: of these numbers.
        differs: how the experiment differs from that setting.
        traps: what may be mistaken for the effect, or hide it.
        seconds: that all runs take on two cores, about; None where nobody has timed them.
        not_at_size: why the claim cannot be shown at its own size on a CPU; empty where this is its size.
        picture: the options of `samcli plot` by which it is drawn; None for no picture.
        afterwards: commands on networks with their options, such as "robustness --test pgd", each of which is called on
            all runs once they are trained.
        full: top-level keys of the experiment at the source's own size, in place of those of the file.
    """

    says: str
    source: str
    where: str
    published: str = ""
    setting: str = ""
    differs: str = ""
    traps: tuple[str, ...] = ()
    seconds: float | None = None
    not_at_size: str = ""
    picture: Mapping[str, str] | None = None
    afterwards: tuple[str, ...] = ()
    full: Mapping[str, Any] = field(default_factory=dict)


def claim_of(source: Source) -> Claim | None:
    """The claim of a document; None if it has none.

    Raises:
        ConfigError: not a block, an unknown key, a missing one, or a value that does not fit; names the line.

    >>> found = claim_of(Source({"claim": {"says": "it helps", "source": "Foret et al.", "where": "Table 1"}}))
    >>> found.says, found.traps, claim_of(Source({})) is None
    ('it helps', (), True)
    """
    block = source.data.get("claim")
    if block is None:
        return None
    if not isinstance(block, dict):
        raise ConfigError(f"{source.where(('claim',))}: claim must be a block such as {EXAMPLE}.")
    found = {}
    for key, value in block.items():
        path: KeyPath = ("claim", key)
        if key not in READERS:
            raise ConfigError(f"{source.where(path)}: claim has no key {key!r}; {nearest(str(key), READERS)}")
        found[key] = READERS[key](source, path, value)
    for key in ("says", "source", "where"):
        if key not in found:
            raise ConfigError(f"{source.where(('claim',))}: claim needs {key}, as in {EXAMPLE}.")
    return Claim(**found)


def at_full_size(source: Source) -> Source:
    """The document at the size of its claim's source: with the keys of `claim.full`, which keep their lines.

    Raises:
        ConfigError: it has no claim, or the claim no `full`.

    >>> claim = {"says": "x", "source": "y", "where": "z", "full": {"epochs": 200}}
    >>> found = at_full_size(Source({"name": "noise", "epochs": 30, "claim": claim}))
    >>> found.data["epochs"], found.data["name"]
    (200, 'noise-full')
    """
    claim = claim_of(source)
    if claim is None or not claim.full:
        raise ConfigError(f"{source.name} says nothing of a full size; leave --full out.")
    lines = {path: line for path, line in source.lines.items() if path[0] not in claim.full}
    lines |= {path[2:]: line for path, line in source.lines.items() if path[:2] == ("claim", "full") and path[2:]}
    name = source.data.get("name") or Path(source.name).stem  # which is that of the small size without one
    data = {**source.data, **claim.full, "name": f"{name}-full"}
    return replace(source, data=data, lines=lines)


Reader = Callable[[Source, KeyPath, Any], Any]


def _text(source: Source, path: KeyPath, value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST:
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a text of up to {LONGEST} characters.")
    return " ".join(value.split())


def _texts(source: Source, path: KeyPath, value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(_text(source, path, one) for one in values)


def _seconds(source: Source, path: KeyPath, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e9:
        raise ConfigError(f"{source.where(path)}: {path[-1]} must be a number of seconds.")
    return float(value)


def _picture(source: Source, path: KeyPath, value: Any) -> dict[str, str]:
    options = ("kind", "metric", "axis", "over")
    if not isinstance(value, dict) or value.get("kind") not in PICTURES or not set(value) <= set(options):
        raise ConfigError(
            f"{source.where(path)}: picture must be a block with kind, one of {', '.join(PICTURES)}, and where it "
            "needs them metric, axis or over, as samcli plot has them."
        )
    return {key: _text(source, (*path, key), one) for key, one in value.items()}


def _afterwards(source: Source, path: KeyPath, value: Any) -> tuple[str, ...]:
    commands = _texts(source, path, value)
    for command in commands:
        if command.split()[0] not in AFTERWARDS:
            raise ConfigError(
                f"{source.where(path)}: afterwards must be commands that look at networks, with their options and "
                f"without samcli and runs, such as 'robustness --test pgd'; known are: {', '.join(AFTERWARDS)}."
            )
    return commands


def _full(source: Source, path: KeyPath, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value or set(value) & set(NEVER_FULL):
        raise ConfigError(
            f"{source.where(path)}: full must be a block with what the experiment has otherwise at the source's own "
            f"size, such as {{epochs: 200}}; {', '.join(NEVER_FULL)} cannot be among it."
        )
    return dict(value)


READERS: Mapping[str, Reader] = {
    **dict.fromkeys(("says", "source", "where", "published", "setting", "differs", "not_at_size"), _text),
    "traps": _texts,
    "seconds": _seconds,
    "picture": _picture,
    "afterwards": _afterwards,
    "full": _full,
}
