"""The epoch with the best score on the validation part, whose weights a run may keep."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from samcli.errors import CheckpointError
from samcli.metrics import score_named
from samcli.runs import EpochMetrics, checkpoint
from samcli.runs.folder import RunFolder


def best_epoch(rows: Sequence[EpochMetrics], score: str) -> int | None:
    """The epoch whose validation score is the best, of several equal ones the first; None where none was evaluated.

    Args:
        rows: those of `metrics.csv`.
        score: the name of the task's score, such as "accuracy".

    >>> scores = [0.5, None, 0.7, 0.7]
    >>> rows = [{"epoch": epoch, "validation_accuracy": score} for epoch, score in enumerate(scores, start=1)]
    >>> best_epoch(rows, "accuracy"), best_epoch([], "accuracy")
    (3, None)
    """
    sign = 1.0 if score_named(score).higher_is_better else -1.0
    evaluated = [row for row in rows if row.get(f"validation_{score}") is not None]
    # of equal ones `max` takes the first
    best = max(evaluated, key=lambda row: sign * (row[f"validation_{score}"] or 0.0), default=None)
    return None if best is None or best["epoch"] is None else int(best["epoch"])


def settle_best(folder: RunFolder, epoch: int) -> None:
    """Have the folder hold the best weights of the epochs up to one, as a kill between two files left them.

    A new best is written beside the old one, and takes its place once the checkpoint of its epoch is written; see
    `samcli.train.saver`. So the old one is still there if that epoch is to be trained again.

    Args:
        folder: the run's.
        epoch: that of its checkpoint; 0 if it begins anew.

    >>> from pathlib import Path
    >>> settle_best(RunFolder(Path("nowhere")), 0)
    """
    if epoch == 0:
        for file in (folder.best, folder.next_best):
            with suppress(FileNotFoundError):
                file.unlink()
        return
    if not folder.next_best.exists():
        return
    try:
        counts = checkpoint.load(folder.next_best)["epoch"] <= epoch
    except (CheckpointError, KeyError, TypeError):
        counts = False
    if counts:
        os.replace(folder.next_best, folder.best)
    else:
        folder.next_best.unlink()
