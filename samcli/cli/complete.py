"""What the TAB key offers: names read from the files that register them, for nothing is imported or run on a key."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from samcli import shipped

PACKAGE = Path(__file__).parents[1]
_REGISTERED = re.compile(r'^@(\w+)\.register\("([^"]+)"\)', re.MULTILINE)
_NUMBERS = re.compile(r"^    (\w+): (?:int|float)(?: \| None)? = option\(", re.MULTILINE)
_ROOMS = {
    "datasets": ("DATASETS", "data/sources"),
    "models": ("MODELS", "models"),
    "bases": ("BASES", "optim"),
    "variants": ("VARIANTS", "optim/variants"),
    "schedules": ("SCHEDULES", "optim"),
    "measures": ("MEASURES", "sharpness/measures"),
    "robustness": ("PERTURBATIONS", "robustness/perturbations"),
}
STATES = ("finished", "diverged", "failed", "interrupted", "running", "damaged")
LISTS = ("datasets", "models", "optimizers", "schedules", "measures", "robustness", "metrics", "experiments")

Completion = Callable[[str], list[str]]


def names(what: str) -> list[str]:
    """The names of a registry, as they stand in its files; those of plug-ins are not among them.

    >>> names("bases")
    ['adam', 'adamw', 'sgd']
    """
    if what == "optimizers":
        return [*names("bases"), *names("variants")]
    if what == "experiments":
        return shipped.names()
    if what == "metrics":
        from samcli.metrics import scores_on_request

        return sorted(scores_on_request())
    registry, room = _ROOMS[what]
    files = (PACKAGE / room).glob("*.py")
    found = (match for file in files for match in _REGISTERED.findall(file.read_text(encoding="utf-8")))
    return sorted(name for owner, name in found if owner == registry)


def several(what: str) -> Completion:
    """Completes the last of several names with commas between them.

    >>> several("bases")("sgd,ada")
    ['sgd,adam', 'sgd,adamw']
    """

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        return [f"{before}{comma}{name}" for name in names(what) if name.startswith(last) and name not in given]

    return complete


def states(incomplete: str) -> list[str]:
    """The last of several states of runs.

    >>> states("failed,inter")
    ['failed,interrupted']
    """
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{state}" for state in STATES if state.startswith(last) and state not in before.split(",")]


def one_of(known: Callable[[], Iterable[str]]) -> Completion:
    """Completes one name.

    >>> one_of(lambda: ["cpu", "cuda"])("cu")
    ['cuda']
    """
    return lambda incomplete: [name for name in known() if name.startswith(incomplete)]


def metrics() -> list[str]:
    """What runs can be compared by."""
    from samcli.metrics import (
        OF_OWN_LABELS,
        SCORES,
        client_columns,
        columns,
        requested_columns,
        scores_on_request,
        task_scores,
    )

    recorded = (column for score in task_scores() for column in columns(score) if column != "epoch")
    spelled = (score.option for score in SCORES.values())
    asked_for = [*requested_columns(scores_on_request()), *client_columns(), *OF_OWN_LABELS, *spelled]
    return list(dict.fromkeys([*recorded, *asked_for, *names("measures")]))


def numbers() -> list[str]:
    """The options that are numbers, with their blocks; those of optimizers without as well.

    >>> {"rho", "optimizer.rho", "dataset.label_noise", "batch_size"} <= set(numbers())
    True
    """
    blocks = (("optimizer", "optim"), ("dataset", "data"), ("model", "models"), ("schedule", "optim/schedules.py"))
    found = {
        f"{block}.{option}"
        for block, room in blocks
        for file in ([PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py"))
        if block == "schedule" or file.name != "schedules.py"
        for option in _NUMBERS.findall(file.read_text(encoding="utf-8"))
    }
    schema = (PACKAGE / "config/schema.py").read_text(encoding="utf-8").partition("class Training")[2]
    short = {name.removeprefix("optimizer.") for name in found if name.startswith("optimizer.")}
    return sorted(found | short | set(_NUMBERS.findall(schema)))


def measures_or_all(incomplete: str) -> list[str]:
    """Measures, or all."""
    return [*several("measures")(incomplete), *(["all"] if "all".startswith(incomplete) else [])]


def tests_or_all(incomplete: str) -> list[str]:
    """Robustness tests, or all."""
    return [*several("robustness")(incomplete), *(["all"] if "all".startswith(incomplete) else [])]


def listed(ctx: Any, incomplete: str) -> list[str]:
    """The names of the list that was asked for."""
    what = str(ctx.params.get("what") or "")
    return [name for name in names(what) if name.startswith(incomplete)] if what in LISTS else []


def paths(incomplete: str, suffix: str) -> list[str]:
    """Folders, and files with a suffix; what is in a folder too once there is only that one.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("grid.yaml", "notes.txt"):
    ...         Path(folder, name).touch()
    ...     [Path(found).name for found in paths(f"{folder}/", ".yaml")]
    ['grid.yaml']
    """
    folder = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    start = "" if incomplete.endswith("/") else Path(incomplete).name
    try:
        found = [path for path in sorted(folder.iterdir()) if path.name.startswith(start) and _fits(path, suffix)]
        if len(found) == 1 and found[0].is_dir():
            found += [path for path in sorted(found[0].iterdir()) if _fits(path, suffix)]
    except OSError:  # no such folder, or a closed one
        return []
    return [str(path) for path in found if str(path).startswith(incomplete.removeprefix("./"))]


def _fits(path: Path, suffix: str) -> bool:
    return not path.name.startswith(".") and (path.is_dir() or path.suffix == suffix)


def experiments(incomplete: str) -> list[str]:
    """Experiment files, and the names of those that come with samcli.

    >>> experiments("quick")
    ['quickstart']
    """
    return [*paths(incomplete, ".yaml"), *(name for name in shipped.names() if name.startswith(incomplete))]


def claims(incomplete: str) -> list[str]:
    """The claims that come with samcli, and experiment files."""
    known = (name.removeprefix("claims/") for name in shipped.names() if name.startswith("claims/"))
    return [*(name for name in known if name.startswith(incomplete)), *paths(incomplete, ".yaml")]


def python_files(incomplete: str) -> list[str]:
    """Python files."""
    return paths(incomplete, ".py")


def runs(incomplete: str) -> list[str]:
    """Results folders, experiments and runs; the experiments of `results` where nothing is typed yet."""
    return paths(incomplete or ("results/" if Path("results").is_dir() else ""), ".pt")


def runs_or_rm(incomplete: str) -> list[str]:
    """Results folders, experiments and runs, or the word that removes some.

    >>> runs_or_rm("rm")
    ['rm']
    """
    return [*(["rm"] if "rm".startswith(incomplete) else []), *runs(incomplete)]
