"""`samcli check`: whether a user's own optimizer, model or data set keeps its promises, and what a table holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli import complete
from samcli.cli.options import DataDir, Quiet
from samcli.cli.output import hint, is_quiet, laid_out, result, say, warn
from samcli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from samcli.optim.base import Base

EXAMPLE = "Example: samcli check my_variant.py"
OK = "  ok     "


def check(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Python file that registers what is to be checked; a table; or data, such as image-folder:PATH.",
            autocompletion=complete.python_files,
        ),
    ],
    base: Annotated[
        str,
        typer.Option(
            help="Base optimizer to check variants over.",
            autocompletion=complete.one_of(lambda: complete.names("bases")),
        ),
    ] = "sgd",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="dataset.KEY=VALUE",
            help="Set an option of data, e.g. dataset.target=age; may be repeated.",
        ),
    ] = None,
    data_dir: DataDir = Path("data"),
    quiet: Quiet = False,
) -> None:
    """Check the optimizers, models and data sets that a Python file registers, and say in words what fails.

    An optimizer is put to the promises that all of samcli's keep: ρ = 0 is the base optimizer, the weights come back
    bit for bit, a resumed run is the uninterrupted one, and more. Of csv:FILE, image-folder:PATH,
    wds:PATH, text:PATH, text-csv:FILE and text-folder:PATH it says what would be made.
    """
    say(quiet=quiet)
    from samcli.registry import load_plugin
    from samcli.train import CATALOGUE

    if table := _table(file):
        if any([_check_data(dataset, data_dir) for dataset in _with_options(table, set_ or [])]):
            raise typer.Exit(1)
        return
    if set_:
        raise ConfigError("--set names options of data, such as csv:FILE; leave it out for a Python file.")
    module = load_plugin(file)
    variants = CATALOGUE.variants.of_module(module)
    models = CATALOGUE.models.of_module(module)
    datasets = CATALOGUE.datasets.of_module(module)
    if not (variants or models or datasets):
        raise ConfigError(f"{file} registers no optimizer, model or data set; see docs/extending.md.")
    CATALOGUE.bases.kind(base)
    tried = [name for name in variants if _is_taken(name, base)]
    failed = sum(_check_variant(name, base) for name in tried)
    failed += sum(_check_model(name) for name in models)
    failed += sum(_check_data({"name": name}, data_dir) for name in datasets)
    checked = len(tried) + len(models) + len(datasets)
    if failed:
        keep = "does not keep its" if failed == 1 else "do not keep their"
        warn(f"{failed} of {checked} {keep} promises.")
    if failed or len(tried) < len(variants):
        raise typer.Exit(1)


def _table(file: Path) -> str | None:
    """The name of the data set if data are meant: a table by its file, or any by a prefix, such as `csv:FILE`."""
    from samcli.config.source import TABLES
    from samcli.train import CATALOGUE

    if str(file).startswith(("csv:", "image-folder:", "wds:", "text:", "text-csv:", "text-folder:")):
        return CATALOGUE.datasets.canonical(str(file))
    return CATALOGUE.datasets.canonical(f"csv:{file}") if file.suffix.lower() in TABLES else None


def _is_taken(name: str, base: str) -> bool:
    """Whether a variant takes what it would be tried on; says so if not."""
    from samcli.optim import VARIANTS
    from samcli.optim.promises import Trial

    try:
        Trial(VARIANTS.create(name), _base_of(name, base))
    except ConfigError as error:
        warn(f"{name} is not checked: over {base}, on a network with BatchNorm and dropout, it says: {error}")
        return False
    return True


def _base_of(name: str, base: str) -> Base:
    """The base optimizer with the defaults that a variant wants of it."""
    from samcli.optim import BASES, VARIANTS

    options = BASES.options(base)
    return BASES.create(base, **{k: v for k, v in VARIANTS.kind(name).base_defaults.items() if k in options})


def _check_variant(name: str, base: str) -> bool:
    """Print which promises a variant keeps; True if it breaks one."""
    from samcli.optim import VARIANTS
    from samcli.optim.promises import broken_promises, meaning

    found = broken_promises(VARIANTS.create(name), _base_of(name, base))
    result(f"optimizer {name} over {base}")
    for promise, fault in found.items():
        if is_quiet() and not fault:
            continue
        result(f"  {'FAILS' if fault else 'ok   '}  {meaning(promise)}{f' Found: {fault}.' if fault else ''}")
    return any(found.values())


def _with_options(name: str, assignments: Sequence[str]) -> list[dict[str, Any]]:
    """The data set with options as `samcli train` would have it; several where an option has several values.

    Raises:
        ConfigError: an option of something else, or one that does not fit.
    """
    from samcli.cli.draft import draft_of

    for assignment in assignments:
        if not assignment.startswith("dataset."):
            raise ConfigError(f"--set {assignment}: only options of data are checked, such as dataset.target=age.")
    runs = draft_of(None, chosen={"dataset": [name]}, shorthand={}, assignments=assignments).expand()
    return list({repr(run.dataset): run.dataset for run in runs}.values())


def _check_model(name: str) -> bool:
    """Print what is wrong with a model; True if anything is."""
    from samcli.train.soundness import model_faults

    faults = model_faults(name)
    _tell_faults(f"model {name}", faults)
    if not faults and not is_quiet():
        result("  ok")
    return bool(faults)


def _check_data(dataset: Mapping[str, Any], data_dir: Path) -> bool:
    """Print what is wrong with a data set, or what it holds; True if anything is wrong."""
    from samcli.train.digests import told_of
    from samcli.train.soundness import dataset_faults

    faults = dataset_faults(dataset, data_dir)
    _tell_faults(f"data set {dataset['name']}", faults)
    if not faults and not is_quiet():
        clauses, guessed = told_of(dataset, data_dir)
        first, *others = laid_out(clauses, indent=len(OK))
        for line in (f"{OK}{first}", *others):
            result(line)
        if guessed:
            hint(f"Note: {guessed}")
    return bool(faults)


def _tell_faults(what: str, faults: Sequence[str]) -> None:
    result(what)
    for fault in faults:
        result(f"  FAILS  {fault}")
