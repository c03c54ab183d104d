"""`samcli robustness`: what does a trained network do when its inputs or weights change?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.each_checkpoint import each_checkpoint
from samcli.cli.options import CacheDir, Checkpoints, Device, KnownDataDir, MovedImages, NeededPlugins, Quiet, Verbose
from samcli.cli.output import say, warn
from samcli.cli.parameters import assignments, parameters_of
from samcli.cli.reading import reading_shown, use_cache_dir
from samcli.cli.values import Format, FormatOption, show_values

if TYPE_CHECKING:
    from collections.abc import Sequence

ALL = "all"  # tests that apply
EXAMPLE = "Example: samcli robustness results/quickstart --test clean,pgd,corruptions --eps 1/255,2/255"


def robustness(
    checkpoints: Checkpoints,
    test: Annotated[
        str | None,
        typer.Option(
            help="Tests, with commas, or all; see samcli list robustness.",
            autocompletion=complete.tests_or_all,
            show_default="a few of each sort",
        ),
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Test examples to try.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the examples, and all that is drawn.")] = 0,
    eps: Annotated[
        str | None,
        typer.Option(
            help="Radius of attacks on pixels from 0 to 1, or several with commas: 1/255,2/255.",
            show_default="four of each attack",
        ),
    ] = None,
    shift: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATASET",
            help="Data set of the same classes, for a row of shift; may be repeated.",
            autocompletion=complete.one_of(lambda: complete.names("datasets")),
        ),
    ] = None,
    other_classes: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATASET",
            help="Data set of other classes, of which the network should be less sure; may be repeated.",
            autocompletion=complete.one_of(lambda: complete.names("datasets")),
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any other parameter, e.g. bits=4,3; may be repeated."),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Examples in a forward pass; no value depends on it.")] = 500,
    plugin: NeededPlugins = None,
    data_dir: KnownDataDir = None,
    cache_dir: CacheDir = None,
    image_folder: MovedImages = None,
    device: Device = "auto",
    format: FormatOption = Format.table,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Try trained networks on changed test images, and with changed weights, in evaluation mode.

    Adversarial inputs, corruptions, few bits, noise, other data, confidence. Read every value beside the clean one: a
    network that is better to begin with is better under small changes too.
    """
    say(quiet=quiet, verbose=verbose)
    use_cache_dir(cache_dir)
    from samcli.registry import load_plugin
    from samcli.report.robustness_table import (
        robustness_document,
        robustness_legend,
        robustness_records,
        robustness_table,
    )
    from samcli.robustness import doubts
    from samcli.runs.folder import find_checkpoints
    from samcli.train.challenged import challenge_checkpoint
    from samcli.train.device import choose_device

    for file in plugin or []:
        load_plugin(file)
    names, parameters = asked_for(test, eps=eps, shift=shift, other_classes=other_classes, set_=set_)
    how: dict[str, Any] = {
        "examples": examples,
        "seed": seed,
        "batch_size": batch_size,
        "parameters": parameters,
        "shifts": shift or [],
        "other_classes": other_classes or [],
        "data_dir": data_dir,
        "image_folder": image_folder,
        "device": choose_device(device),
        "pass_over": test in (ALL, None),
    }
    paths = find_checkpoints(checkpoints)
    with reading_shown():
        rows = list(each_checkpoint(paths, partial(challenge_checkpoint, tests=names, **how), ", ".join(names)))
    show_values(
        format,
        table=partial(robustness_table, rows),
        records=partial(robustness_records, rows),
        documents=partial(robustness_document, rows),
        legend=[line] if (line := robustness_legend(rows)) else [],
    )
    for row in rows:
        for sentence in doubts(row.values):
            warn(f"samcli: {row.run}: {sentence}")
    if len(rows) < len(paths):
        raise typer.Exit(1 if rows else 2)


def asked_for(
    test: str | None,
    *,
    eps: str | None,
    shift: Sequence[str] | None,
    other_classes: Sequence[str] | None,
    set_: Sequence[str] | None,
) -> tuple[list[str], dict[str, Any]]:
    """The tests that options of `samcli robustness` ask for, and their parameters.

    Raises:
        ConfigError: no such test or parameter, or a value that it cannot have.

    >>> asked_for("clean,weight-rounding", eps=None, shift=None, other_classes=None, set_=["bits=3"])
    (['clean', 'weight-rounding'], {'bits': 3})
    """
    from samcli.robustness import PERTURBATIONS
    from samcli.train.challenged import DEFAULT_TESTS

    names, given = _named((test or "").split(","))
    names = list(PERTURBATIONS) if test == ALL else names or list(DEFAULT_TESTS)
    names += [name for name, others in (("shift", shift), ("other-classes", other_classes)) if others]
    return names, _parameters_of(names, assignments({"eps": eps, **given}, list(set_ or [])))


def _named(tests: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The names of tests, and the parameters that stand behind some of them.

    >>> _named(["clean", " cifar10-c:data/CIFAR-10-C"])
    (['clean', 'cifar10-c'], {'dir': 'data/CIFAR-10-C'})
    """
    from samcli.robustness import PERTURBATIONS

    names, given = [], {}
    for test in filter(None, map(str.strip, tests)):
        name, colon, argument = test.partition(":")
        if colon and name in PERTURBATIONS and (key := PERTURBATIONS.kind(name).ARGUMENT):
            given[key] = argument
            names.append(name)
        else:
            names.append(test)
    return names, given


def _parameters_of(names: list[str], given: list[str]) -> dict[str, Any]:
    """The parameters that assignments give to these tests; strengths may be several, and ε a fraction.

    Raises:
        ConfigError: no such test or parameter, or a value that it cannot have.
    """
    from samcli.robustness import PERTURBATIONS
    from samcli.robustness.strength import strength

    options = {key: option for name in names for key, option in PERTURBATIONS.options(name).items() if key != "source"}
    several = {PERTURBATIONS.kind(name).STRENGTH for name in names}
    return parameters_of(given, options, several, "this choice of tests", {"eps": strength})
