"""A run in a process of its own: what an engine starts, and what it hears of it."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import torch

from samcli.allocator import keep_freed_memory
from samcli.data import SharedSource, give_source
from samcli.errors import Interrupted, ResultsError, RunBusy, SamcliError
from samcli.launch.cell import Cell, cleared, train_cell
from samcli.launch.slots import Slot
from samcli.registry import load_plugin
from samcli.runs.folder import RunFolder
from samcli.runs.lease import Lease
from samcli.signals import STOP_SIGNALS
from samcli.train import CATALOGUE
from samcli.train.provenance import now

LOG = "log.txt"


# what a process is sent to end at once; SIGTERM lets it finish the epoch under way
AT_ONCE = getattr(signal, "SIGUSR1", signal.SIGTERM)


@dataclass(frozen=True)
class Job:
    """A run to be trained in a process of its own.

    Attributes:
        cell: the run.
        data_dir: where data sets lie.
        slot: the place that it has.
        jobs: how many runs may train at once on this machine.
        processes: how many share the batches of the run.
        data: the raw data, if the process that starts this one has loaded them.
    """

    cell: Cell
    data_dir: Path
    slot: Slot
    jobs: int
    processes: int = 1
    data: SharedSource | None = None


class _Asked:
    """Whether the process was asked to stop after the epoch under way."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self, number: int = 0, frame: object = None) -> None:
        """Take the signal."""
        del number, frame
        self._asked = True

    def answer(self) -> bool:
        """Whether it was."""
        return self._asked


def main(job: Job, connection: Connection) -> None:
    """Train the run, and send what an observer is told: pairs of a word and what belongs to it.

    `epoch` comes with a row, `notice` with a sentence, and one of these at the end: `ended` with status and message,
    `interrupted` with a sentence, `stop` with an error that would meet every run. A process that dies sends none.

    Whatever it prints, and the traceback of an error, goes to `log.txt` in the run's folder. SIGTERM ends it after the
    epoch under way; `AT_ONCE` as Ctrl-C ends a command, and so does the end of the process that started it. Ctrl-C
    itself, and the end of a terminal, is that one's business.
    """
    asked = _Asked()

    def at_once(number: int, frame: object) -> None:
        asked()  # an interrupt is lost where Python ignores exceptions, as in a destructor: the epoch is then the last
        interrupt(number, frame)

    for number in STOP_SIGNALS:
        signal.signal(number, asked if number == signal.SIGTERM else signal.SIG_IGN)
    signal.signal(AT_ONCE, at_once)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt):
        _tell(connection, *_trained(job, connection, asked))
    # at once: a thread that a plug-in left, or what it wants done at exit, would keep the place of another run
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(0)


def _trained(job: Job, connection: Connection, asked: _Asked) -> tuple[str, Any]:
    try:
        cell = cleared(job.cell)  # before the log is opened in its folder
        with logged(cell.folder.path / LOG):
            _settle(job.slot)
            for file in cell.config.plugins:
                load_plugin(file)
            if job.data is not None:
                give_source(CATALOGUE.create("dataset", cell.config.dataset), job.data_dir, job.data.source())
            status, message = train_cell(
                cell,
                data_dir=job.data_dir,
                device=job.slot.device,
                processes=job.processes,
                conditions={"jobs": job.jobs, "cores": list(job.slot.cores)},
                should_stop=asked.answer,
                on_epoch=partial(_tell, connection, "epoch"),
                on_notice=partial(_tell, connection, "notice"),
            )
            if status == "failed":
                print(message, flush=True)
                message = in_log(message, cell.folder)
            return "ended", (status, message)
    except (Interrupted, KeyboardInterrupt) as error:
        return "interrupted", str(error)
    except (ResultsError, OSError) as error:
        return "stop", error
    except RunBusy as error:
        return "ended", ("busy", str(error))
    except SamcliError as error:  # of a plug-in file that is another one, or gone, since the command began
        return "ended", ("failed", str(error))


def in_log(message: str, folder: RunFolder) -> str:
    r"""Why a run failed, in its last line where it is a traceback, and where its log lies, if it is still there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     _ = Path(name, LOG).write_text("Traceback")
    ...     told = in_log("Traceback\n  ...\nKeyError: 'rho'\n", RunFolder(Path(name)))
    >>> told == f"KeyError: 'rho'; the traceback is in {name}/log.txt."
    True
    >>> in_log("The folder was moved away.", RunFolder(Path("results/a")))
    'The folder was moved away.'
    """
    log = folder.path / LOG
    if message.startswith("Traceback"):
        last = message.strip().splitlines()[-1][:500]
        return f"{last}; the traceback is in {log}." if log.exists() else f"{last}."
    return f"{message} Its log is {log}." if log.exists() else message


def kept(folder: RunFolder) -> str:
    """What is left of a run whose process ended too early.

    >>> kept(RunFolder(Path("results/a")))
    'its finished epochs are kept, its log is results/a/log.txt.'
    """
    return f"its finished epochs are kept, its log is {folder.path / LOG}."


def record_failure(cell: Cell, message: str) -> None:
    """Write into `run.json` why a process ended that could not write it itself, unless another one has the run."""
    with suppress(ResultsError, RunBusy), Lease(cell.folder.path, dead=cell.dead):
        try:
            status = cell.folder.read_status()
        except ResultsError:  # it ended before it wrote one
            cell.folder.write_config(cell.config.document())
            status = {"identity": cell.config.identity, "seed": cell.config.seed, "status": "running"}
        if not cell.folder.metrics.exists():
            cell.folder.write_metrics([])
        if status["status"] in ("running", "interrupted"):
            cell.folder.write_status({**status, "status": "failed", "error": message, "ended": now()})


def _tell(connection: Connection, word: str, told: Any) -> None:
    """Send a message; nobody is left to hear it once the process that started this one has ended."""
    try:
        connection.send((word, told))
    except ConnectionError:
        raise KeyboardInterrupt from None


def _settle(slot: Slot) -> None:
    """Compute on the cores of the slot alone, with its threads."""
    keep_freed_memory()
    if hasattr(os, "sched_setaffinity") and slot.cores:
        os.sched_setaffinity(0, slot.cores)
    torch.set_num_threads(slot.threads)


def interrupt(number: int, frame: object) -> None:
    """Interrupt what runs, once: what that has begun, the writing of what was finished, goes on undisturbed."""
    del frame
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), AT_ONCE)


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Within the block what the process prints is appended to a file, after a line that tells when and which it was.

    In a folder that cannot be written it is lost.
    """
    where = path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError:
        where = Path(os.devnull)
    with where.open("ab", buffering=0) as file:
        for descriptor in (1, 2):
            os.dup2(file.fileno(), descriptor)
        faulthandler.enable()
        file.write(f"{now()} process {os.getpid()} begins\n".encode())
        yield
