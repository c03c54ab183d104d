"""The hypotheses of experiments, judged by all of their runs, whichever of these are compared."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from samcli.errors import ResultsError
from samcli.report.groups import grouped, one_per_seed
from samcli.report.judgement import Judgement, judge
from samcli.runs.folder import RunFolder
from samcli.runs.hypotheses_file import asked_settings, lost, recorded
from samcli.runs.reader import Run, scan, setting_digest
from samcli.words import count


def judged_experiments(runs: Sequence[Run]) -> tuple[list[Judgement], list[str]]:
    """What the experiments of some runs make of their hypotheses, each by all the runs in its own folder.

    Whoever names fewer runs gets the same verdicts: a part that was picked after the fact proves nothing.

    Args:
        runs: any.

    Returns:
        The judgements, and a sentence on each experiment that has more runs than were given.

    >>> from samcli.report.example import example_runs
    >>> judged_experiments(example_runs())
    ([], [])
    """
    found: list[Judgement] = []
    notes = []
    for experiment, given in grouped(runs, lambda run: str(run.folder.parent)).items():
        if sentence := lost(Path(experiment)):
            notes.append(sentence)
        notes += withdrawn(Path(experiment), given)
        hypotheses = [one for one in recorded(Path(experiment)) if one.withdrawn is None]
        members: Sequence[Run] = given
        if others := _others(Path(experiment), given):
            members = scan([Path(experiment)])[0] if hypotheses else given
            judged_by = "; its hypotheses are judged by all of its runs" if hypotheses else ""
            part = f"{len(given)} of the {len(given) + others} runs of {Path(experiment).name} are compared"
            notes.append(
                f"{part}: p is adjusted for the rows shown, and whoever picks rows afterwards makes it too "
                f"small{judged_by}."
            )
        if not hypotheses:
            continue
        members, sentence = runs_asked_for(Path(experiment), members)
        if sentence:
            notes.append(sentence)
        judged = judge(hypotheses, one_per_seed(members)[0])
        found += [dataclasses.replace(one, experiment=experiment) for one in judged]
    return found, notes


def withdrawn(experiment: Path, runs: Sequence[Run]) -> list[str]:
    """A sentence on each hypothesis that an experiment stated and no longer does, if it had finished runs by then.

    >>> withdrawn(Path("nowhere"), [])
    []
    """
    ends = [str(run.status["ended"]) for run in runs if run.status.get("ended")]
    first = min(ends, default="9")
    return [
        f"{experiment.name} no longer states {one.hypothesis.says!r}, as it did on {one.first_seen[:10]}; it was "
        f"withdrawn on {one.withdrawn[:10]}, after runs had finished."
        for one in recorded(experiment)
        if one.withdrawn is not None and first <= one.withdrawn
    ]


def runs_asked_for(experiment: Path, runs: Sequence[Run]) -> tuple[list[Run], str]:
    """The runs that the experiment's file asks for as it stands, and a sentence on others, of an earlier version of it.

    >>> runs_asked_for(Path("nowhere"), [])
    ([], '')
    """
    settings = asked_settings(experiment)
    kept = list(runs) if settings is None else [run for run in runs if setting_digest(run.config) in settings]
    others = len(runs) - len(kept)
    if not others:
        return kept, ""
    return kept, (
        f"{count(others, 'run')} of {experiment.name} {'has' if others == 1 else 'have'} settings that its file did "
        "not ask for when it was last trained, and no hypothesis is judged by them."
    )


def _others(experiment: Path, given: Sequence[Run]) -> int:
    """How many runs an experiment has besides those given; one that cannot be read is told where runs are read."""
    known, others = {run.folder.name for run in given}, 0
    try:
        with os.scandir(experiment) as entries:
            folders = [Path(e.path) for e in entries if not e.name.startswith(".") and e.name not in known]
    except OSError:
        return 0
    for folder in folders:
        with suppress(ResultsError):
            others += bool(RunFolder(folder).read_status())
    return others
