"""The local engine: several runs at once on this machine, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from typing import Any

from samcli.errors import Interrupted, ResultsError
from samcli.launch import job
from samcli.launch.cell import Cell
from samcli.launch.engines._ledger import Ledger
from samcli.launch.job import LOG, Job, Slot
from samcli.launch.observer import Observer
from samcli.launch.terms import Terms

PATIENCE = 30.0  # seconds that a process has to write what was finished


def slots_of(jobs: int, cores: Sequence[int], threads: int | None = None) -> list[Slot]:
    """Places for so many runs at once, with equal shares of the cores.

    >>> slots_of(2, [0, 1, 2, 3, 4])
    [Slot(cores=(0, 1), threads=2), Slot(cores=(2, 3), threads=2)]
    >>> slots_of(3, [0, 1])[2]
    Slot(cores=(0,), threads=1)

    Args:
        jobs: how many.
        cores: the numbers of those there are; a run without a core of its own shares one.
        threads: of each run; one for each of its cores if left out.
    """
    share = max(1, len(cores) // jobs)
    groups = [tuple(cores[i % len(cores)] for i in range(n * share, (n + 1) * share)) for n in range(jobs)]
    return [Slot(group, threads or len(group)) for group in groups]


def run_at_once(
    cells: Sequence[Cell],
    terms: Terms,
    observer: Observer,
    *,
    jobs: int,
    threads: int | None = None,
) -> dict[str, str]:
    """Train every cell that is left to do, several at once; one that fails or dies does not stop the others.

    Each run has a process of its own, forked from a server that has torch imported, and a share of the cores to which
    it is pinned, so that runs beside each other do not slow each other down. What it prints is in `log.txt` in its
    folder. The bits of a result depend on the number of threads, and on nothing else of this.

    Args:
        cells: the plan.
        terms: where to read and compute, and when to give up.
        observer: is told of progress.
        jobs: how many runs train at once.
        threads: of each; one for each core that it has if left out.

    Returns:
        The status of every cell by the name of its folder.

    Raises:
        Interrupted: on Ctrl-C, once every run has saved what it finished.
        ResultsError: the results of no run can be written.
        OSError: an error of the operating system, such as a full disk.
    """
    pool = _Pool(terms, observer, slots_of(jobs, available_cores(), threads))
    try:
        return pool.run(cells)
    except KeyboardInterrupt as error:
        raise Interrupted("Interrupted; the same command continues every run from its last epoch.") from error
    finally:
        pool.stop()


def available_cores() -> list[int]:
    """The numbers of the cores that this process may use.

    >>> len(available_cores()) >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


@dataclass(frozen=True)
class _Running:
    """A run under way."""

    cell: Cell
    slot: Slot
    process: BaseProcess


class _Pool:
    """The processes of the runs under way."""

    def __init__(self, terms: Terms, observer: Observer, slots: Sequence[Slot]) -> None:
        self._terms, self._observer = terms, observer
        self._ledger = Ledger(terms, observer)
        self._jobs = len(slots)
        self._free = deque(slots)
        self._running: dict[Connection, _Running] = {}
        self._context = _context()

    def run(self, cells: Sequence[Cell]) -> dict[str, str]:
        """Train all of them: the outcome of each."""
        waiting = deque(cells)
        while True:
            while waiting and self._free:
                cell = self._ledger.turn(waiting.popleft())
                if cell and not self._ledger.gives_up:
                    self._start(cell)
            if not self._running:
                return dict(self._ledger.outcome)
            for ready in wait(list(self._running)):
                assert isinstance(ready, Connection)
                self._hear(ready)

    def stop(self) -> None:
        """Have every process save what it finished, and end."""
        for running in self._running.values():
            with suppress(OSError):
                running.process.terminate()
        end = time.monotonic() + PATIENCE
        for connection, running in self._running.items():
            running.process.join(max(0.0, end - time.monotonic()))
            running.process.kill()
            running.process.join()
            connection.close()
        self._running.clear()

    def _start(self, cell: Cell) -> None:
        slot = self._free.popleft()
        ours, theirs = self._context.Pipe(duplex=False)
        work = Job(cell, self._terms.data_dir, self._terms.device, slot, self._jobs)
        process = self._context.Process(target=job.main, args=(work, theirs), daemon=False)  # type: ignore[attr-defined]
        process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        self._running[ours] = _Running(cell, slot, process)
        self._ledger.begin(cell)

    def _hear(self, connection: Connection) -> None:
        """Take one message of a run, or its end."""
        running = self._running[connection]
        try:
            word, told = connection.recv()
        except (EOFError, OSError):
            self._end(connection, "failed", _account(running))
            return
        if word == "epoch":
            self._observer.epoch_done(running.cell, told)
        elif word == "notice":
            self._observer.noticed(running.cell, told)
        elif word == "ended":
            self._end(connection, *told)
        elif word == "interrupted":  # by someone who ended this process alone
            self._end(connection, "interrupted", told)
        else:
            raise told

    def _end(self, connection: Connection, status: str, message: str) -> None:
        running = self._running.pop(connection)
        connection.close()
        running.process.join()
        self._free.append(running.slot)
        self._ledger.end(running.cell, status, message)


def _account(running: _Running) -> str:
    """Why a run's process ended without a word; `run.json` says so too."""
    running.process.join(PATIENCE)
    code, folder = running.process.exitcode, running.cell.folder
    if code == -signal.SIGKILL:
        what = "Its process was killed, as the system does when memory runs out"
    elif code is not None and code < 0:
        what = f"Its process was ended by signal {-code}"
    else:
        what = f"Its process ended with code {code}"
    message = f"{what}; see {folder.path / LOG}. The same command continues it."
    with suppress(ResultsError):
        status: dict[str, Any] = folder.read_status()
        # another command may have it by now
        if (status["status"], status.get("pid")) == ("running", running.process.pid):
            folder.write_status({**status, "status": "failed", "error": message})
    return message


def _context() -> BaseContext:
    """How processes are started: forked from a server that has imported all that a run needs, where there is fork."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([job.__name__])
    return context
