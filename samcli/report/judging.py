"""The hypotheses of experiments, judged by all of their runs, whichever of these are compared."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from samcli.report.groups import grouped, one_per_seed
from samcli.report.judgement import Judgement, judge
from samcli.runs.folder import RunFolder
from samcli.runs.hypotheses_file import lost, recorded
from samcli.runs.reader import Run, scan


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
        hypotheses = [one for one in recorded(Path(experiment)) if one.withdrawn is None]
        members: Sequence[Run] = given
        if (there := _runs_in(Path(experiment))) > len(given):
            members = scan([Path(experiment)])[0] if hypotheses else given
            judged_by = "; its hypotheses are judged by all of its runs" if hypotheses else ""
            notes.append(
                f"{len(given)} of the {there} runs of {Path(experiment).name} are compared: p is adjusted for the rows "
                f"shown, and whoever picks rows afterwards makes it too small{judged_by}."
            )
        if not hypotheses:
            continue
        judged = judge(hypotheses, one_per_seed(members)[0])
        found += [dataclasses.replace(one, experiment=experiment) for one in judged]
    return found, notes


def _runs_in(experiment: Path) -> int:
    """How many folders of runs an experiment has; none where it cannot be looked into."""
    try:
        with os.scandir(experiment) as entries:
            folders = [Path(entry.path) for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return 0
    return sum(RunFolder(folder).config.exists() for folder in folders)
