"""The Slurm engine: one job for each run, submitted in arrays."""

from __future__ import annotations

import json
import re
import secrets
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samcli.errors import ConfigError, Interrupted, ResultsError
from samcli.launch.cell import Cell
from samcli.launch.engines import _slurm_queue as queue
from samcli.launch.engines._follower import Follower
from samcli.launch.engines._ledger import Ledger
from samcli.launch.engines._slurm_job import ASKED, SlurmJob, warning_of
from samcli.launch.job import record_failure
from samcli.launch.observer import Observer
from samcli.launch.plan import look_again
from samcli.launch.remote import Work, absolute
from samcli.launch.stop import StopRequest
from samcli.launch.terms import Terms
from samcli.runs.door import read_json
from samcli.runs.files import write_atomic

PAUSE = 0.2  # seconds between looks at what was asked
SECONDS_BETWEEN_LOOKS = 5.0  # at the queue
GONE_FOR = 10.0  # seconds that a job is out of the queue before it has ended without a word: disks of networks are late
MOST_IN_ARRAY = 1000  # jobs; Slurm's own limit, unless it is configured otherwise
MOST_REQUEUES = 10_000  # a run that needs more time than a job has is requeued as long as it gets on


@dataclass(frozen=True)
class Request:
    """What each job asks Slurm for.

    Attributes:
        minutes: its time.
        partition: where; None is the cluster's default.
        cpus: for each run.
        gpus: for each run.
        threads: that each run computes with; None is one for each of its CPUs.
        most: how many jobs may run at once; None is as many as Slurm lets.
    """

    minutes: int = 60
    partition: str | None = None
    cpus: int = 1
    gpus: int = 0
    threads: int | None = None
    most: int | None = None


def run_on_slurm(cells: Sequence[Cell], terms: Terms, observer: Observer, request: Request) -> dict[str, str]:
    """Train every cell that is left to do, each as a job of Slurm; one that fails or dies does not stop the others.

    Rows, checkpoints and logs go through the results folder, which every node must see under the same path. Jobs live
    on when this process ends; the same command finds those that are in the queue, and follows them.

    Args:
        cells: the plan.
        terms: where to read and compute, and when to give up.
        observer: is told of progress.
        request: what each job asks for.

    Returns:
        The status of every cell by the name of its folder.

    Raises:
        ConfigError: Slurm refuses the jobs.
        Interrupted: on Ctrl-C: jobs that wait are cancelled, the others finish the epoch under way, or at a second
            one are cancelled too.
        ResultsError: the results of no run can be written.
        OSError: an error of the operating system, such as a full disk.
    """
    jobs = _Jobs(cells, terms, observer, request)
    with StopRequest() as stop:
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the end of a login session leaves the jobs to Slurm
        try:
            return jobs.run(stop)
        except KeyboardInterrupt as error:
            raise Interrupted("Interrupted; the same command continues every run from its last epoch.") from error
        finally:
            jobs.cancel()


@dataclass
class _Submitted:
    """A run whose job is in the queue, or was."""

    cell: Cell
    outcome: Path  # the file in which the job leaves how the run ended
    begun: bool = False
    gone_since: float | None = None


class _Jobs:
    """The jobs of a command."""

    def __init__(self, cells: Sequence[Cell], terms: Terms, observer: Observer, request: Request) -> None:
        self._terms, self._observer, self._request = terms, observer, request
        self._answered = True  # whether Slurm did when it was asked last
        self._ledger = Ledger(cells, terms, observer)
        self._follower = Follower(observer)
        self._noted: deque[Cell] = deque()  # an earlier command submitted them, and the queue is still to be asked
        self._waiting: deque[Cell] = deque()
        self._jobs: dict[str, _Submitted] = {}
        self._closing = False
        self._looked = 0.0

    def run(self, stop: StopRequest) -> dict[str, str]:
        """Train all of them: the outcome of each.

        Raises:
            KeyboardInterrupt: on a request to stop.
        """
        while True:
            if stop.asked or self._ledger.gives_up:
                self._close(asked=stop.asked)
            if not self._closing:
                self._submit()
            if not (self._jobs or self._noted) and (self._closing or self._ledger.finished):
                if stop.asked:
                    raise KeyboardInterrupt
                return dict(self._ledger.outcome)
            time.sleep(PAUSE)
            self._follower.look()
            if time.monotonic() - self._looked > SECONDS_BETWEEN_LOOKS:
                self._look()
                self._looked = time.monotonic()

    def cancel(self) -> None:
        """Cancel what is in the queue; a run under way has half a minute to save what it finished."""
        if self._jobs:
            queue.cancel(self._jobs)

    def _submit(self) -> None:
        """Submit the runs whose turn it is, and follow those that an earlier command has in the queue."""
        while cell := self._ledger.next():
            if _read_note(cell) is None:
                self._let_wait(cell)
            else:
                self._noted.append(cell)
        # where Slurm does not answer nobody knows what is in its queue, and nothing is submitted twice
        if self._noted and (there := self._queue(self._noted[0])) is not None:
            while self._noted:
                cell = self._noted.popleft()
                note = _read_note(cell)
                if note is not None and note["job"] in there:
                    self._jobs[note["job"]] = _Submitted(cell, _outcome_of(cell, note["token"]))
                elif (left := self._ledger.still_to_do(cell)) is not None:  # its job may have finished it meanwhile
                    self._let_wait(left)
        while self._waiting and not (self._request.most and self._jobs):  # a limit holds within an array
            share = [self._waiting.popleft() for _ in range(min(MOST_IN_ARRAY, len(self._waiting)))]
            self._submit_array(share)

    def _queue(self, cell: Cell) -> dict[str, str] | None:
        """What is in the queue; None while Slurm does not answer, which is told once, with a run that waits for it."""
        there = queue.states()
        if there is None and self._answered:
            self._observer.noticed(cell, "Slurm does not answer (squeue fails); waiting until it does.")
        self._answered = there is not None
        return there

    def _let_wait(self, cell: Cell) -> None:
        if (empty := self._ledger.cleared(cell)) is not None:
            self._waiting.append(empty)

    def _submit_array(self, cells: Sequence[Cell]) -> None:
        import submitit

        executor = self._executor(_hidden(cells[0]))
        tokens = [secrets.token_hex(8) for _ in cells]
        outcomes = [_outcome_of(cell, token) for cell, token in zip(cells, tokens, strict=True)]
        runs = [
            SlurmJob(self._work(cell), self._request.minutes, outcome)
            for cell, outcome in zip(cells, outcomes, strict=True)
        ]
        try:
            with executor.batch():
                jobs = [executor.submit(run) for run in runs]
        except submitit.core.utils.FailedJobError as error:
            reason = str(error).strip().splitlines()[-1][:300]
            raise ConfigError(f"Slurm refuses the jobs: {reason.removeprefix('sbatch: error: ')}") from error
        for job, cell, token, outcome in zip(jobs, cells, tokens, outcomes, strict=True):
            self._jobs[job.job_id] = _Submitted(cell, outcome)
            write_atomic(_note_of(cell), json.dumps({"job": job.job_id, "token": token}))

    def _executor(self, folder: Path) -> Any:
        import submitit

        request = self._request
        executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=MOST_REQUEUES)
        executor.update_parameters(
            name="samcli",
            timeout_min=request.minutes,
            nodes=1,
            tasks_per_node=1,
            cpus_per_task=request.cpus,
            stderr_to_stdout=True,
            slurm_signal_delay_s=warning_of(request.minutes),
            slurm_array_parallelism=request.most or MOST_IN_ARRAY,
            slurm_additional_parameters={"requeue": True},
            slurm_srun_args=[f"--cpus-per-task={request.cpus}"],  # since 22.05 no matter of course
            **({"slurm_partition": request.partition} if request.partition else {}),
            **({"gpus_per_node": request.gpus} if request.gpus else {}),
        )
        return executor

    def _work(self, cell: Cell) -> Work:
        return Work(
            absolute(cell),
            self._terms.data_dir.absolute(),
            self._terms.device,
            self._request.threads or self._request.cpus,
            "slurm",
            self._terms.timeout,
        )

    def _close(self, *, asked: bool) -> None:
        """Cancel what waits, and let the runs under way stop after their epoch."""
        if self._closing:
            return
        self._closing = True
        self._waiting.clear()
        self._noted.clear()
        self._ledger.tell_closing([job.cell for job in self._jobs.values() if job.begun], asked=asked)
        self._looked = 0.0

    def _look(self) -> None:
        """Take what the queue says of the jobs."""
        if self._closing:  # said again at each look, for one that was about to begin
            queue.cancel(self._jobs, "--state=PENDING")
            queue.cancel(self._jobs, "--state=RUNNING", f"--signal={ASKED.name.removeprefix('SIG')}")
        if not self._jobs:
            return
        there = self._queue(next(iter(self._jobs.values())).cell)
        if there is None:
            return
        for number, job in list(self._jobs.items()):
            state = there.get(number)
            if state is not None and state != "PENDING":
                self._begin(job)
            if state is None and self._is_over(job):
                del self._jobs[number]
                self._end(number, job)

    def _begin(self, job: _Submitted) -> None:
        if not job.begun:
            job.begun = True
            self._follower.begin(job.cell)
            self._ledger.begin(job.cell)

    def _is_over(self, job: _Submitted) -> bool:
        """Whether a job that is not in the queue has left how it ended, or had time enough for it."""
        job.gone_since = job.gone_since or time.monotonic()
        return job.outcome.exists() or time.monotonic() - job.gone_since > GONE_FOR

    def _end(self, number: str, job: _Submitted) -> None:
        """Take the end of a job: by its result, or else by what lies in the run's folder."""
        word, told = _outcome(number, job)
        for file in (_note_of(job.cell), job.outcome):
            with suppress(OSError):
                file.unlink()
        if self._closing and not job.begun and told is None:
            return  # it was cancelled while it waited
        self._begin(job)
        self._follower.end(job.cell)
        if word == "stop":
            raise told
        status, message = told if word == "ended" else ("interrupted", "The same command continues it.")
        self._ledger.end(job.cell, status, message)


def _left_by(job: _Submitted) -> tuple[str, Any] | None:
    """How a run ended, as its job has left it; None if it has left nothing that can be read."""
    try:
        left = read_json(job.outcome)
    except ResultsError:
        return None
    word, told = left.get("word"), left.get("told")
    if word == "ended" and isinstance(told, list) and len(told) == 2:
        return "ended", (str(told[0]), str(told[1]))
    if word == "stop":
        return "stop", ResultsError(str(told))
    return ("interrupted", str(told)) if word == "interrupted" else None


def _outcome(number: str, job: _Submitted) -> tuple[str, Any]:
    """How a run ended, as `train_there` says it."""
    if (left := _left_by(job)) is not None:
        return left
    if not job.begun:
        return "interrupted", None
    state = look_again(job.cell)
    if state.state in ("finished", "diverged", "failed"):
        return "ended", (state.state, state.detail)
    with suppress(ResultsError):
        if job.cell.folder.read_status()["status"] == "interrupted":
            return "interrupted", ""
    message = (
        f"Its job {number} ended without a word, as when its node dies or its memory runs out; its finished epochs are "
        f"kept, and what Slurm said is in {_hidden(job.cell)}."
    )
    record_failure(state, message)
    return "ended", ("failed", message)


def _hidden(cell: Cell) -> Path:
    """Where the jobs of an experiment have their files; no reader of results looks into hidden folders."""
    return cell.folder.path.absolute().parent / ".slurm"


def _outcome_of(cell: Cell, token: str) -> Path:
    """The file in which a job leaves how the run ended; each submission has a token of its own."""
    return _hidden(cell) / f"{cell.folder.path.name}.{token}.json"


def _note_of(cell: Cell) -> Path:
    """The file that says which job a run has."""
    return _hidden(cell) / f"{cell.folder.path.name}.json"


def _read_note(cell: Cell) -> dict[str, str] | None:
    try:
        note = read_json(_note_of(cell))
    except ResultsError:
        return None
    job, token = str(note.get("job")), str(note.get("token"))
    # the results folder may be a stranger's: nothing else becomes the name of a file
    return {"job": job, "token": token} if re.fullmatch("[0-9a-f]{16}", token) else None
