"""Where the numbers of a comparison come from, in a sentence that goes with them wherever they are printed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from samcli.config.schema import without_newer
from samcli.runs.reader import Run
from samcli.words import count, some_of

MOST = 3  # different values that are named
DIGITS = 12  # of a commit
OF_THE_LOSS = ("class_weight", "label_smoothing", "mixup")
SHORTEST = 3  # seeds in a row that are written as a range


def origin(runs: Sequence[Run], budget: str) -> str:
    """The seeds, the length and the hardware of finished runs, the versions and commits that made them, and when.

    What the runs do not record is left out.

    Args:
        runs: of a comparison; only finished ones count.
        budget: what they have equal.

    >>> from samcli.report.example import example_runs
    >>> origin(example_runs(), "epochs")
    'Made of seeds 0, 1, with 2 epochs.'
    """
    finished = [run for run in runs if run.state == "finished"]
    if not finished:
        return ""
    length = _of_numbers([run.config.get("epochs") for run in finished], "epoch")
    within = {"gradients": " within equal gradient evaluations", "seconds": " within equal training seconds"}
    what = [
        f"Made of {ranges(run.seed for run in finished)}",
        f", with {length}" * bool(length),
        within.get(budget, ""),
        f", all with {told}"
        if (told := " ".join(filter(None, (common_data(finished), common_loss(finished)))))
        else "",
    ]
    where = _different(finished, _hardware)
    with_ = [*_different(finished, _threads), *_different(finished, _jobs)]
    by = [
        *(f"samcli {value}" for value in _different(finished, lambda run: _version(run, "samcli"))),
        *_different(finished, _commit),
        *(f"torch {value}" for value in _different(finished, lambda run: _version(run, "torch"))),
    ]
    days = sorted({str(run.status["started"])[:10] for run in finished if run.status.get("started")})
    parts = [
        "".join(what),
        f", on {some_of(where, MOST)}{f' ({some_of(with_, MOST)})' if with_ else ''}" if where else "",
        f", by {', '.join(by)}" if by else "",
        f", {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}" if days else "",
    ]
    return f"{''.join(parts)}."


def common_data(runs: Sequence[Run]) -> str:
    """What all runs have done to their data that not every run does: label noise, a subset, augmentation.

    >>> from samcli.report.example import example_runs
    >>> common_data(example_runs())
    ''
    """
    first, *others = (without_newer({"dataset": run.config["dataset"]})["dataset"] for run in runs)
    return " ".join(
        f"{key}={_text(value)}"
        for key, value in first.items()
        if key != "name" and value and all(other.get(key) == value for other in others)
    )


def common_loss(runs: Sequence[Run]) -> str:
    """What the training loss of all runs has that not every run's does: weights of classes, smoothing, mixup.

    >>> common_loss([])
    ''
    """
    configs = [run.config for run in runs]
    return " ".join(
        f"{key}={_text(configs[0][key])}"
        for key in OF_THE_LOSS
        if configs and configs[0].get(key) and all(one.get(key) == configs[0][key] for one in configs)
    )


def _text(value: Any) -> str:
    return "+".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def ranges(numbers: Iterable[int]) -> str:
    """Seeds in words, those in a row as a range.

    >>> ranges([2, 0, 1, 3, 7, 7]), ranges([5]), ranges([0, 1])
    ('seeds 0-3, 7', 'seed 5', 'seeds 0, 1')
    """
    ordered = sorted(set(numbers))
    parts = []
    for _, group in itertools.groupby(enumerate(ordered), key=lambda pair: pair[1] - pair[0]):
        row = [number for _, number in group]
        parts += [f"{row[0]}-{row[-1]}"] if len(row) >= SHORTEST else [str(number) for number in row]
    return f"seed{'s' * (len(ordered) > 1)} {', '.join(parts)}"


def _different(runs: Sequence[Run], look: Callable[[Run], str]) -> list[str]:
    """What there is of something among runs, each once; a number of them where they are many."""
    found = list(dict.fromkeys(filter(None, map(look, runs))))
    return found if len(found) <= MOST else [f"{found[0]} and {len(found) - 1} others"]


def _of_numbers(values: Iterable[Any], noun: str) -> str:
    numbers = sorted({value for value in values if isinstance(value, int)})
    if not numbers:
        return ""
    most = count(numbers[-1], noun)
    return most if len(numbers) == 1 else f"{numbers[0]:,} to {most}"


def _hardware(run: Run) -> str:
    """What computed: the accelerator, or the processor."""
    hardware = run.status.get("hardware")
    parts: Mapping[str, Any] = hardware if isinstance(hardware, Mapping) else {}
    device = str(run.status.get("device") or "")
    named = parts.get("processor") if device == "cpu" else parts.get("accelerator") or device
    return str(named or device)


def _threads(run: Run) -> str:
    threads = run.status.get("threads")
    return f"{threads} thread{'s' * (threads != 1)}" if threads and run.status.get("device") == "cpu" else ""


def _jobs(run: Run) -> str:
    jobs = run.status.get("jobs")
    return f"{jobs} runs at once" if isinstance(jobs, int) and jobs > 1 else ""


def _version(run: Run, name: str) -> str:
    versions = run.status.get("versions")
    return str(versions.get(name) or "") if isinstance(versions, Mapping) else ""


def _commit(run: Run) -> str:
    git = run.status.get("git")
    if not isinstance(git, Mapping) or not git.get("commit"):
        return ""
    return f"commit {str(git['commit'])[:DIGITS]}{' with changes' if git.get('dirty') else ''}"
