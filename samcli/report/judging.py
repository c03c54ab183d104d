"""The hypotheses of experiments, judged by all of their runs, whichever of these are compared."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from samcli.report.groups import grouped, one_per_seed
from samcli.report.judgement import Judgement, judge
from samcli.runs.hypotheses_file import recorded
from samcli.runs.reader import Run, folders_below, scan


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
        hypotheses = [one for one in recorded(Path(experiment)) if one.withdrawn is None]
        if not hypotheses:
            continue
        folders, _ = folders_below([Path(experiment)])
        members: Sequence[Run] = given
        if {folder.resolve() for folder in folders} - {run.folder.resolve() for run in given}:
            members, _ = scan([Path(experiment)])
            if len(members) > len(given):
                notes.append(
                    f"The hypotheses of {Path(experiment).name} are judged by all {len(members)} of its runs, of which "
                    f"{len(given)} are compared here."
                )
        judged = judge(hypotheses, one_per_seed(members)[0])
        found += [dataclasses.replace(one, experiment=experiment) for one in judged]
    return found, notes
