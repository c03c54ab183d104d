"""`samcli list`: all that one may name in an experiment, and its options."""

from __future__ import annotations

import difflib
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.draft import draft_of
from samcli.cli.output import document, result, shows_bold, terminal_width, text
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
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """List what an experiment may name, and the experiments that come with samcli; of one thing its options."""
    asked = None if what is None else _what(what, name)
    if asked is not None and name is not None:
        _show_one(asked, name, json)
    elif json:
        document(_rows(asked) if asked else {one.value: _rows(one) for one in What})
    elif asked is not None:
        text(_overview(asked))
    else:
        for index, one in enumerate(What):
            result(f"{'' if index == 0 else chr(10)}{one.value}")
            text(_overview(one))


def _show_one(what: What, name: str, json: bool) -> None:
    """Print what one name means and its options; of an experiment its file.

    Raises:
        ConfigError: no such name.
    """
    from samcli.report.listing import option_records, option_table

    if what is What.experiments:
        file = experiment_file(Path(name))
        if json:
            document({**_experiment(name, file), "file": str(file)})
        else:
            text(file.read_text(encoding="utf-8"))
        return
    summary, options = _describe(what, name)
    if json:
        document({"name": name, "meaning": summary, "options": option_records(options)})
        return
    result(f"{name}: {summary}")
    text(option_table(options, width=terminal_width(), color=shows_bold()))


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


def _rows(what: What) -> list[dict[str, Any]]:
    """A row for each name of a list."""
    from samcli.report.listing import metric_rows, optimizer_rows, registry_rows
    from samcli.train import CATALOGUE

    rows: list[dict[str, Any]] = []
    if what is What.experiments:
        rows += [_experiment(name, file) for name in names() if (file := path_of(name)) is not None]
    elif what is What.metrics:
        rows += metric_rows()
    elif what is What.optimizers:
        rows += optimizer_rows(CATALOGUE.bases, CATALOGUE.variants)
    else:
        rows += registry_rows(_registry(what))
    return rows


def _experiment(name: str, file: Path) -> dict[str, Any]:
    """What an experiment asks, and the number of its runs."""
    runs = draft_of(file, chosen={}, shorthand={}).expand()
    return {"name": name, "question": question(file), "runs": len(runs)}


def _overview(what: What) -> str:
    """The table of all names."""
    from samcli.report.small_table import SmallTable, written

    rows = _rows(what)
    texts = [{heading: str(value) for heading, value in row.items()} for row in rows]
    legend = ["Run one: samcli train NAME. Its file: samcli list experiments NAME."] if what is What.experiments else []
    return written(SmallTable("", texts, rows, legend), "table", width=terminal_width(), color=shows_bold())


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
