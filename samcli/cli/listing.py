"""`samcli list`: all that one may name in an experiment, and its options."""

from __future__ import annotations

import difflib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.draft import draft_of
from samcli.cli.output import result, shows_bold, terminal_width, text
from samcli.errors import ConfigError, nearest
from samcli.metrics import scores_on_request
from samcli.shipped import experiment_file, names, path_of, question

if TYPE_CHECKING:
    from samcli.registry import Option, Registry

EXAMPLE = "Example: samcli list optimizers sam"


class What(StrEnum):
    """The sorts of things that can be listed."""

    datasets = "datasets"
    models = "models"
    optimizers = "optimizers"
    schedules = "schedules"
    measures = "measures"
    robustness = "robustness"
    metrics = "metrics"
    experiments = "experiments"


def listing(
    what: Annotated[
        str | None,
        typer.Argument(
            help=f"What to list: {', '.join(What)}; everything if left out.",
            autocompletion=complete.one_of(lambda: complete.LISTS),
        ),
    ] = None,
    name: Annotated[
        str | None, typer.Argument(help="One of them, to see its options.", autocompletion=complete.listed)
    ] = None,
) -> None:
    """List what an experiment may name, and the experiments that come with samcli; of one thing its options."""
    from samcli.report.listing import option_table

    asked = None if what is None else _what(what, name)
    if asked is What.experiments and name is not None:
        text(experiment_file(Path(name)).read_text(encoding="utf-8"))
        return
    if asked is not None and name is not None:
        summary, options = _describe(asked, name)
        result(f"{name}: {summary}")
        text(option_table(options, width=terminal_width(), color=shows_bold()))
        return
    for index, one in enumerate([asked] if asked else What):
        if asked is None:
            result(f"{'' if index == 0 else chr(10)}{one.value}")
        text(_overview(one))


def _what(word: str, name: str | None) -> What:
    """The list that a word stands for.

    Raises:
        ConfigError: there is no such list.
    """
    if word in list(What):
        return What(word)
    if home := _list_with(word):
        raise ConfigError(f"{word} is one of the {home.value}; type samcli list {home.value} {word}.")
    near = next((one for one in What if difflib.get_close_matches(word.lower(), [one], cutoff=0.7)), None)
    meant = f"type samcli list {near.value}{f' {name}' if name else ''}" if near else f"lists are {', '.join(What)}"
    raise ConfigError(f"There is no list of {word!r}; {meant}.")


def _list_with(name: str) -> What | None:
    """The list that has this name; None if none has."""
    from samcli.train import CATALOGUE

    if name in CATALOGUE.optimizer_names():
        return What.optimizers
    if name in scores_on_request():
        return What.metrics
    if path_of(name) is not None:
        return What.experiments
    others = (What.optimizers, What.metrics, What.experiments)
    return next((one for one in What if one not in others and name in _registry(one)), None)


def _overview(what: What) -> str:
    """The table of all names."""
    from samcli.report.listing import metric_table, optimizer_table, registry_table
    from samcli.train import CATALOGUE

    if what is What.experiments:
        return _experiments()
    if what is What.metrics:
        return metric_table(width=terminal_width(), color=shows_bold())
    if what is What.optimizers:
        return optimizer_table(CATALOGUE.bases, CATALOGUE.variants, width=terminal_width(), color=shows_bold())
    return registry_table(_registry(what), width=terminal_width(), color=shows_bold())


def _experiments() -> str:
    """The table of the experiments that come with samcli."""
    from samcli.report.small_table import SmallTable, written

    rows = [
        {"Name": name, "Question": question(file), "Runs": str(len(draft_of(file, chosen={}, shorthand={}).expand()))}
        for name in names()
        if (file := path_of(name)) is not None
    ]
    table = SmallTable(
        "Experiments.", rows, [], ["Run one: samcli train NAME. Read it first: samcli list experiments NAME."]
    )
    return written(table, "table", width=terminal_width(), color=shows_bold())


def _describe(what: What, name: str) -> tuple[str, dict[str, Option]]:
    """The first sentence of documentation of one name, and its options.

    Raises:
        ConfigError: no such name.
    """
    from samcli.train import CATALOGUE

    if what is What.metrics:
        if name not in (known := scores_on_request()):
            raise ConfigError(f"There is no metric named {name!r}; {nearest(name, known)}")
        return known[name].meaning, {}
    if what is What.optimizers:
        options = CATALOGUE.options("optimizer", name)
        registry = CATALOGUE.variants if name in CATALOGUE.variants else CATALOGUE.bases
        return registry.summary(name), options
    registry = _registry(what)
    return registry.summary(name), registry.options(name)


def _registry(what: What) -> Registry[Any]:
    from samcli.robustness import PERTURBATIONS
    from samcli.sharpness import MEASURES
    from samcli.train import CATALOGUE

    return {
        What.datasets: CATALOGUE.datasets,
        What.models: CATALOGUE.models,
        What.schedules: CATALOGUE.schedules,
        What.measures: MEASURES,
        What.robustness: PERTURBATIONS,
    }[what]
