"""An experiment file that begins from another: `base: other.yaml`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from samcli.config import source as door
from samcli.config.pattern import NAMED
from samcli.config.source import KeyPath, Source
from samcli.errors import ConfigError

MOST_FILES = 10
OWN = ("name",)  # not inherited: an experiment without a name has that of its own file
WHOLE = ("only", "exclude")  # replaced as a whole: two selections in one would be a third


def read(path: Path) -> Source:
    """The document in a file over the one that its `base` names, and so on.

    What the file says replaces what its base says. Blocks are merged key by key where they have the same name or the
    file gives none; lists are replaced. Each key keeps the file and the line that it stands on.

    Raises:
        ConfigError: as `samcli.config.source.read` for each file; bases that lead back to a file, or are too many.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "base.yaml").write_text("{epochs: 2, optimizer: {name: sam, lr: 0.1, rho: 0.05}}")
    ...     _ = Path(folder, "wide.yaml").write_text("{base: base.yaml, optimizer: {rho: 0.5}}")
    ...     read(Path(folder, "wide.yaml")).data
    {'epochs': 2, 'optimizer': {'name': 'sam', 'lr': 0.1, 'rho': 0.5}}
    """
    chain = [door.read(path)]
    seen = [_real(path)]
    while "base" in chain[-1].data:
        place = chain[-1].where(("base",))
        path = _base_of(chain[-1], path.parent)
        if _real(path) in seen:
            raise ConfigError(f"{place}: the base {path} has this file as its base in turn; take one of the keys out.")
        if len(chain) == MOST_FILES:
            raise ConfigError(
                f"{place}: more than {MOST_FILES} files stand on each other; write some of them together."
            )
        seen.append(_real(path))
        chain.append(door.read(path))
    whole = chain.pop()
    while chain:
        whole = _over(chain.pop(), whole)
    return whole


def _base_of(source: Source, folder: Path) -> Path:
    """The file that a document names as its base.

    Raises:
        ConfigError: it names none that there is.
    """
    value, place = source.data["base"], source.where(("base",))
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{place}: base must be the path of one experiment file, such as other.yaml.")
    path = folder / Path(value).expanduser()
    if os.path.isdir(path):
        raise ConfigError(f"{place}: the base {path} is a directory; name an experiment file in it.")
    if not os.path.exists(path):
        raise ConfigError(f"{place}: there is no file {path}; a base is looked for from the folder of {source.name}.")
    return path


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _over(source: Source, base: Source) -> Source:
    """A document over its base."""
    inherited = {key: value for key, value in base.data.items() if key not in OWN}
    own = {key: value for key, value in source.data.items() if key != "base"}
    merge = _Merge()
    merged = Source(merge.of(own, inherited, ()), source.name)
    for path, line in base.lines.items():
        if not any(path[:length] in merge.replaced for length in range(1, len(path) + 1)):
            merged.lines[path], merged.files[path] = line, base.files.get(path, base.name)
    merged.lines |= source.lines
    merged.files |= {path: source.files.get(path, source.name) for path in source.lines}
    for path in merge.kept:  # a key may stand where an alias does
        file, nearest_line = base.place(path)
        if nearest_line:
            merged.lines[path], merged.files[path] = nearest_line, file
    return merged


class _Merge:
    """Blocks over blocks, in the order of the base.

    Attributes:
        replaced: the paths at which the base has something that counts no more.
        kept: the paths at which a block of both has something of the base.
    """

    def __init__(self) -> None:
        self.replaced: set[KeyPath] = set()
        self.kept: set[KeyPath] = set()

    def of(self, own: Mapping[str, Any], base: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
        """One block over another."""
        found: dict[str, Any] = {}
        for key in dict.fromkeys([*base, *own]):
            here = (*path, key)
            if key not in own:
                found[key] = base[key]
                self.kept.add(here)
            elif key in base and (both := _as_blocks(own[key], base[key], here)):
                found[key] = self.of(*both, here)
            else:
                found[key] = own[key]
                self.replaced.add(here)
        return found


def _as_blocks(own: Any, base: Any, path: KeyPath) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """Two values as blocks that are merged; None if the one replaces the other."""
    if path[0] in WHOLE:
        return None
    if path in [(section,) for section in NAMED]:  # a name alone is a block of that name
        own, base = ({"name": value} if isinstance(value, str) else value for value in (own, base))
    if not (isinstance(own, dict) and isinstance(base, dict)):
        return None
    # a block without a name takes the other's
    return (own, base) if own.get("name", base.get("name")) == base.get("name", own.get("name")) else None
