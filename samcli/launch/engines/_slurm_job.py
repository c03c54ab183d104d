"""A run as a job of Slurm: what it does when its time is nearly over, when it is cancelled, and when it is asked."""

from __future__ import annotations

import json
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.errors import ResultsError
from samcli.launch.job import in_log, interrupt, record_failure
from samcli.launch.remote import Work, train_there
from samcli.runs.files import write_atomic

WARNING = 90  # seconds before its end at which a job is told, or a third of its time if that is less
TOLD = signal.SIGUSR2  # that the time is nearly over: what submitit has Slurm send
ASKED = signal.SIGUSR1  # to stop after the epoch under way: what the command sends
BEFORE_KILL = 15  # seconds; Slurm kills 30 after SIGTERM unless it is configured otherwise


@dataclass
class SlurmJob:
    """The run of a job, which submitit pickles, and pickles again for a requeue.

    Attributes:
        work: the run.
        minutes: that the job has.
        outcome: the file in which it leaves how the run ended, as JSON: the command reads no pickle.
    """

    work: Work
    minutes: int
    outcome: Path | None = None

    def __call__(self) -> tuple[str, Any]:
        """Train the run, see `train_there`, and leave how it ended."""
        word, told = self._train()
        if self.outcome is not None:
            plain = list(told) if word == "ended" else str(told)
            write_atomic(self.outcome, json.dumps({"word": word, "told": plain}))
        return word, told

    def _train(self) -> tuple[str, Any]:
        """Train the run.

        Told that the time is nearly over, it finishes the epoch under way, or drops it where that takes more than half
        of the time that is left, and is requeued. Cancelled or preempted it drops the epoch if that takes too long,
        and Slurm requeues what it preempted.
        """
        self._stopping = self._time_is_over = False
        requeue = signal.getsignal(TOLD)  # by submitit, which ends the process after it
        signal.signal(signal.SIGALRM, interrupt)
        for number in (TOLD, ASKED, signal.SIGTERM):
            signal.signal(number, self._hear)
        began_with, began_at = self._epochs_done(), time.monotonic()
        word, told = train_there(self.work, lambda: self._stopping)
        signal.alarm(0)
        if word != "interrupted" or not self._time_is_over:
            return word, told
        had_its_time = time.monotonic() - began_at > self.minutes * 60 / 2  # not told early, as when it is preempted
        if had_its_time and self._epochs_done() == began_with:
            return "ended", ("failed", self._too_short())
        assert callable(requeue)
        requeue(TOLD, None)
        return word, told

    def checkpoint(self) -> Any:
        """What submitit requeues: the same, for the epochs are in the run's folder."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"work": self.work, "minutes": self.minutes, "outcome": self.outcome}

    def _hear(self, number: int, frame: object) -> None:
        del frame
        self._stopping = True
        if number == TOLD:
            self._time_is_over = True
            signal.alarm(max(1, warning_of(self.minutes) // 2))
        elif number == signal.SIGTERM:
            signal.alarm(BEFORE_KILL)

    def _epochs_done(self) -> int:
        try:
            return int(self.work.cell.folder.read_status().get("epochs_done") or 0)
        except ResultsError:
            return 0

    def _too_short(self) -> str:
        message = f"No epoch fits into --time {self.minutes} minutes; give it more."
        record_failure(self.work.cell, message)
        return in_log(message, self.work.cell.folder)


def warning_of(minutes: int) -> int:
    """How many seconds before its end a job of so many minutes is told.

    >>> warning_of(60), warning_of(1)
    (90, 20)
    """
    return min(WARNING, minutes * 60 // 3)
