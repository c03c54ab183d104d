"""Digests of what a configuration only names: the plug-in files and the data that a run uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from samcli.config import RunConfig
from samcli.registry import plugin_digests
from samcli.train.catalogue import CATALOGUE


def plugins_of(config: RunConfig) -> dict[str, str]:
    """The SHA-256 of each plug-in file that one of the run's parts comes from, by its path.

    It is that of the file alone, as it was when it was run: what it imports is not looked at.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> plugins_of(config)
    {}
    """
    found: dict[str, str] = {}
    for kind in _kinds_of(config):
        found |= plugin_digests(kind)
    return dict(sorted(found.items()))


class Digests:
    """What runs would be trained on today, to be held against what is recorded of runs that are there.

    Args:
        data_dir: where data sets lie.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir

    def change(self, config: RunConfig, status: Mapping[str, Any]) -> str | None:
        """What is another one today, in words that follow "trained with"; None if nothing is, or nothing is recorded.

        Args:
            config: the run.
            status: the content of its `run.json`.
        """
        recorded = status.get("plugins")
        if recorded is not None:
            today = plugins_of(config)
            if sorted(recorded.values()) != sorted(today.values()):
                names = _names(today) or _names(recorded)
                return f"another {names}"
        return None


def _kinds_of(config: RunConfig) -> Iterable[type]:
    yield CATALOGUE.datasets.kind(config.dataset["name"])
    yield CATALOGUE.models.kind(config.model["name"])
    yield CATALOGUE.schedules.kind(config.schedule["name"])
    for name in config.sharpness.measures:
        yield CATALOGUE.measures.kind(name)
    names = {str(config.optimizer["name"]), str(config.optimizer.get("base"))}
    for registry in (CATALOGUE.variants, CATALOGUE.bases):
        yield from (registry.kind(name) for name in sorted(names) if name in registry)


def _names(files: Iterable[str]) -> str:
    return ", ".join(Path(file).name for file in files)
