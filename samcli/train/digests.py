"""Digests of what a configuration only names: plug-in files, data, and the weights that a run begins with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from samcli.config import RunConfig, trainings_of
from samcli.data import DatasetKind, contents, digest, untrained_classes
from samcli.errors import CheckpointError, DataError
from samcli.registry import plugin_digests
from samcli.train.catalogue import CATALOGUE
from samcli.train.initial import digest_of, file_at_hand


def plugins_of(config: RunConfig) -> dict[str, str]:
    """The SHA-256 of each plug-in file that one of the run's parts comes from, or of its stages', by its path.

    It is that of the file alone, as it was when it was run: what it imports is not looked at.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> plugins_of(config)
    {}
    """
    found: dict[str, str] = {}
    for kind in (kind for training in trainings_of(config) for kind in _kinds_of(training)):
        found |= plugin_digests(kind)
    return dict(sorted(found.items()))


def data_of(config: RunConfig, data_dir: Path) -> dict[str, Any]:
    """What the run's data set holds, with its digest, see `samcli.data.Contents`; and which classes it takes none of.

    Beside it stand the digests of the data of its stages, if it has any.

    Raises:
        DataError: it is missing, unreadable or not sound.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> data_of(config, Path("data"))["summary"]
    'wine: 178 examples, 3 classes, 13 columns'
    """
    kind = CATALOGUE.create("dataset", config.dataset)
    whole = contents(kind, data_dir)
    found = {key: value for key, value in asdict(whole).items() if key not in ("clauses", "guessed")}
    found["summary"] = "; ".join([whole.summary, *_of_the_subset(kind, data_dir)])
    if config.stages:
        found["stages"] = [digest(CATALOGUE.create("dataset", one["dataset"]), data_dir) for one in config.stages]
    return found


def told_of(dataset: Mapping[str, Any], data_dir: Path) -> tuple[list[str], str]:
    """The clauses of `data_of` on a data set, and what a user may have meant otherwise, see `samcli.data.Source`.

    >>> told_of({"name": "wine"}, Path("data"))
    (['wine: 178 examples, 3 classes, 13 columns'], '')
    """
    kind = CATALOGUE.create("dataset", dataset)
    whole = contents(kind, data_dir)
    return [*whole.clauses, *_of_the_subset(kind, data_dir)], whole.guessed


def _of_the_subset(kind: DatasetKind, data_dir: Path) -> list[str]:
    """A clause on the classes of which no example is trained on."""
    classes = untrained_classes(kind, data_dir)
    named = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
    return [f"the subset that is trained on has none of {named}"] if classes else []


class Digests:
    """What runs would be trained on today, to be held against what is recorded of runs that are there.

    Args:
        data_dir: where data sets lie.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._data: dict[str, str | None] = {}

    def change(self, config: RunConfig, status: Mapping[str, Any]) -> str | None:
        """What is another one today, in words that follow "trained with"; None if nothing is, or nothing is recorded.

        Args:
            config: the run.
            status: the content of its `run.json`.
        """
        plugins = status.get("plugins")
        if plugins is not None:
            today = plugins_of(config)
            if sorted(plugins.values()) != sorted(today.values()):
                return f"another {_names(today) or _names(plugins)}"
        blocks = [config.dataset, *(stage["dataset"] for stage in config.stages)]
        return self._change_of_data(blocks, status) or _change_of_init(config, status)

    def change_of_network(self, config: RunConfig, status: Mapping[str, Any]) -> str | None:
        """What is another one today of that by which a trained network is judged, its data and its own code.

        Args:
            config: the run.
            status: the content of its `run.json`.
        """
        parts = (CATALOGUE.datasets.kind(config.dataset["name"]), CATALOGUE.models.kind(config.model["name"]))
        today = {file: sha for kind in parts for file, sha in plugin_digests(kind).items()}
        recorded = status.get("plugins")
        if recorded is not None and not set(today.values()) <= set(recorded.values()):
            return f"another {_names(today)}"
        return self._change_of_data([config.dataset], status)

    def _change_of_data(self, blocks: Sequence[Mapping[str, Any]], status: Mapping[str, Any]) -> str | None:
        known = status.get("dataset") or {}
        for block, recorded in zip(blocks, [known.get("digest"), *(known.get("stages") or [])], strict=False):
            if recorded is not None and self._data_digest(block) not in (None, recorded):
                return f"other data of {block['name']}"
        return None

    def _data_digest(self, dataset: Mapping[str, Any]) -> str | None:
        """The digest of a data set; None where it is not at hand, so that nothing can be said."""
        key = repr(dataset)
        if key not in self._data:
            try:
                self._data[key] = digest(CATALOGUE.create("dataset", dataset), self._data_dir)
            except DataError:
                self._data[key] = None
        return self._data[key]


def _change_of_init(config: RunConfig, status: Mapping[str, Any]) -> str | None:
    """Whether the file that a run began with has another content today; nothing is said where it is not at hand."""
    recorded = (status.get("init") or {}).get("digest")
    if recorded is None or (file := file_at_hand(config)) is None:
        return None
    try:
        return None if digest_of(file) == recorded else f"another {file.name} to begin with"
    except CheckpointError:
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
