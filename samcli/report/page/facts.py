"""What a page tells of the runs themselves: what was compared, how they ended, and where they came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.metrics import score_of, shown, title
from samcli.report.groups import grouped
from samcli.report.kept import KeptMeasure, kept_measures, kept_tests
from samcli.report.order import by_size
from samcli.report.origin import common_data, common_loss
from samcli.report.settings import dataset_and_model, distinguishing, label, spoken
from samcli.runs.documents import STATUSES
from samcli.runs.hypotheses_file import Recorded, recorded
from samcli.runs.reader import NO_SETTINGS, Run
from samcli.stats import Summary, summarise
from samcli.words import count, joined, some_of

MOST_NAMES = 6  # of optimizers, data sets or models in a sentence
HASH = 12  # digits of a hash or a commit that are shown


@dataclass(frozen=True)
class SettingFacts:
    """A setting with its runs.

    Attributes:
        name: data set, model and optimizer, with the options that tell it from others.
        config: the resolved configuration, without what its runs differ in.
        states: how its runs ended: "9 finished, 1 diverged".
        runs: a mapping from headings to texts for each run.
    """

    name: str
    config: Mapping[str, Any]
    states: str
    runs: tuple[Mapping[str, str], ...]


def title_of(runs: Sequence[Run]) -> str:
    """The experiments that the runs belong to.

    >>> from samcli.report.example import example_runs
    >>> title_of(example_runs())
    'example'
    """
    return some_of(list(dict.fromkeys(run.experiment for run in runs)), MOST_NAMES)


def what_was_compared(runs: Sequence[Run]) -> str:
    """Data sets, models, optimizers, seeds and the number of runs, by how they ended, in two sentences.

    >>> from samcli.report.example import example_runs
    >>> what_was_compared(example_runs())
    'sam and sgd on digits with the model cnn: 2 settings, each with 2 seeds. Of 4 runs, all finished.'
    """
    labels = spoken(run.config["dataset"]["name"] for run in runs)
    datasets, models, optimizers = (
        sorted({name(run) for run in runs}, key=by_size)
        for name in (
            lambda run: labels[run.config["dataset"]["name"]],
            lambda run: run.config["model"]["name"],
            lambda run: run.config["optimizer"]["name"],
        )
    )
    seeds = {len({run.seed for run in group}) for group in grouped(runs, lambda run: run.setting).values()}
    often = f"{min(seeds)} to {max(seeds)} seeds" if len(seeds) > 1 else count(max(seeds), "seed")
    settings = len({run.setting for run in runs})
    who = f"{len(optimizers)} optimizers" if len(optimizers) > MOST_NAMES else joined(optimizers)
    told = f" ({told})" if (told := common_data(runs)) else ""
    loss = f", trained with {loss}" if (loss := common_loss(runs)) else ""
    return (
        f"{who} on {some_of(datasets, MOST_NAMES)}{told} with the model{'s' * (len(models) > 1)} "
        f"{some_of(models, MOST_NAMES)}{loss}: {count(settings, 'setting')}, {'each ' if settings > 1 else ''}"
        f"with {often}. Of {count(len(runs), 'run')}, {states_of(runs)}."
    )


def states_of(runs: Sequence[Run]) -> str:
    """How runs ended, each state with its number.

    >>> from samcli.report.example import example_runs
    >>> states_of(example_runs())
    'all finished'
    """
    states = Counter(run.state for run in runs)
    if len(states) == 1:
        (state,) = states
        return f"all {state}" if len(runs) > 1 else f"it is {state}" if state == "running" else f"it {_ENDED[state]}"
    return joined(_counted(runs))


_ENDED = {
    "finished": "finished",
    "diverged": "diverged",
    "failed": "failed",
    "interrupted": "was interrupted",
}


def when_and_with_what(runs: Sequence[Run]) -> str:
    """When the runs were trained, by which version of samcli and at which commits; no date of today has a part in it.

    >>> from samcli.report.example import example_runs
    >>> when_and_with_what(example_runs())
    'When these runs were trained was not recorded.'
    """
    starts = sorted(str(run.status["started"]) for run in runs if run.status.get("started"))
    ends = sorted(str(run.status["ended"]) for run in runs if run.status.get("ended"))
    if not starts:
        return "When these runs were trained was not recorded."
    versions = sorted({str((run.status.get("versions") or {}).get("samcli", "")) for run in runs} - {""}, key=by_size)
    commits = sorted({_commit(run) for run in runs} - {""})
    last = max([*starts, *ends])
    first, until = _moment(starts[0]), _moment(last)
    when = f"Trained {first}" if first == until else f"Trained from {first} to {until}"
    by = f" by samcli {joined(versions)}" if versions else ""
    at = f" at {'commit' if len(commits) == 1 else 'commits'} {some_of(commits)}" if commits else ""
    return f"{when}{by}{at}."


def settings_of_runs(runs: Sequence[Run]) -> list[SettingFacts]:
    """All settings with all of their runs, whatever became of them.

    >>> from samcli.report.example import example_runs
    >>> found = settings_of_runs(example_runs())
    >>> [(one.name, one.states, len(one.runs)) for one in found]
    [('digits, cnn: sam rho=0.05', '2 finished', 2), ('digits, cnn: sgd', '2 finished', 2)]
    """
    groups = list(grouped(runs, lambda run: run.setting).values())
    names = names_of([group[0] for group in groups])
    found = []
    for name, group in zip(names, groups, strict=True):
        config = {key: value for key, value in group[0].config.items() if key not in NO_SETTINGS}
        members = sorted(group, key=lambda run: (run.seed, str(run.folder)))
        found.append(SettingFacts(name, config, joined(_counted(group)), tuple(map(_run, members))))
    return sorted(found, key=lambda one: by_size(one.name))


def names_of(runs: Sequence[Run]) -> list[str]:
    """A name for each run by data set, model, optimizer and the options that tell it from the others; not by its seed.

    >>> from samcli.report.example import example_runs
    >>> names_of(example_runs()[1:3])
    ['digits, cnn: sgd', 'digits, cnn: sam rho=0.05']
    """
    found = []
    for run, words in zip(runs, distinguishing([run.config for run in runs]), strict=True):
        where = " ".join(filter(None, (dataset_and_model(run.config), label(words, "dataset", "model"))))
        found.append(f"{where}: " + " ".join(filter(None, (run.config["optimizer"]["name"], label(words)))))
    return found


def hypotheses_of_runs(runs: Sequence[Run]) -> list[Recorded]:
    """The hypotheses of the experiments that the runs lie in, those that were withdrawn too.

    >>> from samcli.report.example import example_runs
    >>> hypotheses_of_runs(example_runs())
    []
    """
    folders = dict.fromkeys(str(run.folder.parent) for run in runs)
    return [one for folder in folders for one in recorded(Path(folder))]


def measures_of_runs(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """What `samcli sharpness` has kept, as headings and rows: the mean over the runs of each setting.

    >>> from samcli.report.example import example_runs
    >>> measures_of_runs(example_runs())
    ([], [])
    """
    return _kept_of_runs(runs, kept_measures(runs), "converged")


def robustness_of_runs(runs: Sequence[Run]) -> tuple[list[str], list[list[str]]]:
    """What `samcli robustness` has kept, likewise; of more tests than settings each test has a row.

    >>> from samcli.report.example import example_runs
    >>> robustness_of_runs(example_runs())
    ([], [])
    """
    headings, rows = _kept_of_runs(runs, kept_tests(runs), "numbers")
    if len(headings) <= len(rows) + 1:
        return headings, rows
    first, *others = map(list, zip(headings, *rows, strict=True))  # many tests of few settings: a row each
    return ["Test", *first[1:]], others


def _kept_of_runs(runs: Sequence[Run], kept: Sequence[KeptMeasure], sound: str) -> tuple[list[str], list[list[str]]]:
    if not kept:
        return [], []
    groups = [
        g for g in grouped(runs, lambda run: run.setting).values() if any(r.folder in k.values for r in g for k in kept)
    ]
    rows = []
    for name, group in zip(names_of([group[0] for group in groups]), groups, strict=True):
        texts = [name]
        for one in kept:
            mean = summarise(one.values[run.folder] for run in group if run.folder in one.values)
            texts.append(_mean_and_spread(mean, one.name))
        rows.append(texts)
    headings = [
        (title(one.name) if score_of(one.name) else one.name)
        + ("" if "examples=" in one.name else f", {one.examples} examples")
        + f", {one.unconverged} not {sound}" * bool(one.unconverged)
        for one in kept
    ]
    return ["Setting", *headings], sorted(rows, key=lambda row: by_size(row[0]))


def _mean_and_spread(mean: Summary, name: str) -> str:
    if mean.mean is None:
        return ""
    if score_of(name) is None:
        spread = "" if mean.sd is None else f" ± {mean.sd:.2g}"
        return f"{mean.mean:.4g}{spread} ({mean.n})"
    spread = "" if mean.sd is None else f" ± {shown(mean.sd, name)}"
    return f"{shown(mean.mean, name)}{spread} ({mean.n})"


def _counted(runs: Sequence[Run]) -> list[str]:
    """The states of runs with their numbers, finished ones first."""
    states = Counter(run.state for run in runs)
    order = ("finished", *(state for state in STATUSES if state != "finished"))
    return [f"{states[state]} {state}" for state in order if states[state]]


def _run(run: Run) -> Mapping[str, str]:
    """What is told of one run."""
    status = run.status
    done, planned = status.get("epochs_done"), run.config.get("epochs")
    epochs = "" if done is None else f"{done} of {planned}" if planned is not None else str(done)
    reason = "" if run.state in ("finished", "running") else str(status.get("error") or "").strip()
    return {
        "Seed": str(run.seed),
        "State": run.state,
        "Epochs": epochs,
        "Started": _moment(status.get("started")),
        "Ended": _moment(status.get("ended")),
        "Device": str(status.get("device") or ""),
        "Threads": str(status.get("threads") or ""),
        "Commit": _commit(run),
        "Configuration": str(status.get("identity") or "")[:HASH],
        "Folder": str(run.folder),
        "Error": reason.splitlines()[-1] if reason else "",
    }


def _commit(run: Run) -> str:
    git = run.status.get("git") or {}
    return f"{str(git['commit'])[:HASH]}{' (changed)' if git.get('dirty') else ''}" if git.get("commit") else ""


def _moment(written: Any) -> str:
    """A time of `run.json` to the minute; it is UTC."""
    text = str(written or "")
    return f"{text[:10]} {text[11:16]}{' UTC' if text.endswith('+00:00') else ''}".strip()
