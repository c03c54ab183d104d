"""The plan of an experiment: each of its runs with the folder it has and the state that folder is in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from samcli.config import RunConfig
from samcli.errors import ResultsError
from samcli.launch.cell import Cell
from samcli.runs.folder import RunFolder, is_alive


def plan(runs: Sequence[RunConfig], results: Path) -> list[Cell]:
    """The cells of an experiment, from what lies in the results folder and nothing else.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> runs = Draft.of(parse("{dataset: wine, optimizer: [sgd, sam], seeds: 0-1}", "wine.yaml"), CATALOGUE).expand()
    >>> [cell.state for cell in plan(runs, Path("nowhere"))]
    ['new', 'new', 'new', 'new']

    Args:
        runs: of the grid.
        results: the results folder.
    """
    return [_cell(run, RunFolder(results / run.name / run.slug)) for run in runs]


def _cell(run: RunConfig, folder: RunFolder) -> Cell:
    try:
        status = folder.read_status()
    except ResultsError:  # none yet, or damaged: what counts is in the checkpoint
        status = {}
    done = int(status.get("epochs_done") or 0)
    kept = str(status.get("status"))
    complete = done == run.training.epochs or run.training.stop_at_train_loss is not None
    if kept == "diverged" or (kept == "finished" and complete):
        return Cell(run, folder, kept, done)
    if kept == "running" and is_alive(status):
        return Cell(run, folder, "busy", done)
    return Cell(run, folder, "resume" if folder.checkpoint.exists() else "new", done)
