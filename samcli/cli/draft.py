"""The experiment that the file and the flags of `samcli train` describe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from samcli import shipped

if TYPE_CHECKING:
    from samcli.config import Draft


def draft_of(
    experiment: Path | None,
    *,
    full: bool = False,
    plugins: Sequence[str] = (),
    chosen: Mapping[str, Sequence[str] | None],
    seeds: Sequence[str] | None = None,
    name: str | None = None,
    shorthand: Mapping[str, Sequence[str] | None],
    assignments: Sequence[str] = (),
    only: Sequence[str] = (),
    results: Path | None = None,
) -> Draft:
    """The experiment of a file, changed by flags.

    Args:
        experiment: the file, or the name of one that comes with samcli; None is the quickstart, or with names of a
            section an empty one.
        full: whether it is meant at the size of its claim's source, see `samcli.config.claim`.
        plugins: Python files to load.
        chosen: names for the sections dataset, model and optimizer.
        seeds: in the words of `--seeds`.
        name: of the experiment.
        shorthand: values by the name of their flag, such as `lr`.
        assignments: those of `--set`, which count where a flag gives the same key.
        only: which runs of the grid, in the words of `--only`.
        results: the folder where results go, if any do.

    Raises:
        ConfigError: the file or a flag is not sound.

    >>> draft = draft_of(None, chosen={"dataset": ["wine"]}, shorthand={}, assignments=["epochs=3"])
    >>> draft.expand()[0].training.epochs
    3
    """
    from samcli import config

    draft = _read(experiment, full=full, from_flags=any(chosen.values()))
    with suppress(OSError):  # there are none yet
        draft.folders = frozenset(entry.name for entry in results.iterdir()) if results else frozenset()
    for file in plugins:
        draft.plug_in(file)
    for section, names in chosen.items():
        if names:
            draft.choose(section, config.names_in(list(names)))
    if seeds:
        draft.assign("seeds", ",".join(seeds))
    if name is not None:
        draft.assign("name", name)
    # names before their options, whatever the order of the flags: a name starts from its defaults
    names_first: list[str] = []
    options: list[str] = []
    for assignment in sorted(assignments, key=lambda text: "." in text.partition("=")[0]):
        (names_first if assignment.partition("=")[0] in config.SECTIONS else options).append(assignment)
    for assignment in names_first:
        draft.set(assignment)
    for flag, texts in shorthand.items():
        if texts:
            config.apply_shorthand(draft, flag, list(texts))
    for assignment in options:
        draft.set(assignment)
    config.keep_only(draft, only)
    return draft


def _read(experiment: Path | None, *, full: bool, from_flags: bool) -> Draft:
    """The experiment file, the quickstart, or for flags alone an empty draft of defaults."""
    from samcli import config
    from samcli.train import CATALOGUE

    if experiment is not None:
        experiment = shipped.experiment_file(experiment)
        source = config.at_full_size(config.read(experiment)) if full else config.read(experiment)
        draft = config.Draft.of(source, CATALOGUE)
        draft.name = experiment.stem if draft.name is None else draft.name
        return draft
    if from_flags:
        return config.Draft.of(config.Source({}), CATALOGUE)
    text = (shipped.folder() / "quickstart.yaml").read_text(encoding="utf-8")
    return config.Draft.of(config.parse(text, "quickstart.yaml"), CATALOGUE)
