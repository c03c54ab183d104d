"""The local engine: several runs at once on this machine, each in a process of its own."""

from __future__ import annotations

import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from samcli import forkserver
from samcli.errors import Interrupted
from samcli.launch import job
from samcli.launch.cell import Cell
from samcli.launch.engines._ledger import Ledger
from samcli.launch.job import AT_ONCE, Job, kept, record_failure
from samcli.launch.observer import Observer
from samcli.launch.shared_data import SharedData
from samcli.launch.slots import Slot
from samcli.launch.stop import StopRequest
from samcli.launch.terms import Terms
from samcli.runs.process import exists, start_of

PATIENCE = 30.0  # seconds that a process has to write what was finished
PATIENCE_AT_EXIT = 5.0  # seconds that it has to end after its last word
PAUSE = 0.2  # seconds between looks at the clock and at what was asked
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
UNKNOWN = 255  # what a process is said to have ended with when the server that it was forked from is gone


def run_at_once(cells: Sequence[Cell], terms: Terms, observer: Observer, slots: Sequence[Slot]) -> dict[str, str]:
    """Train every cell that is left to do, several at once; one that fails or dies does not stop the others.

    Each run has a process of its own, forked from a server that has torch imported, and a share of the cores to which
    it is pinned, so that runs beside each other do not slow each other down. What it prints is in `log.txt` in its
    folder. The bits of a result depend on the number of threads, and on nothing else of this.

    Args:
        cells: the plan.
        terms: where to read and compute, and when to give up.
        observer: is told of progress.
        slots: places for as many runs as train at once, see `slots_of`.

    Returns:
        The status of every cell by the name of its folder.

    Raises:
        Interrupted: on Ctrl-C, once every run has finished the epoch under way, or at a second one has saved what it
            finished.
        ResultsError: the results of no run can be written.
        OSError: an error of the operating system, such as a full disk.
    """
    pool = _Pool(cells, terms, observer, slots)
    with StopRequest() as stop:
        try:
            return pool.run(stop)
        except KeyboardInterrupt as error:
            raise Interrupted("Interrupted; the same command continues every run from its last epoch.") from error
        finally:
            pool.stop()


@dataclass
class _Running:
    """A run under way."""

    cell: Cell
    slot: Slot
    process: BaseProcess
    process_started: str | None  # as `samcli.runs.process` tells it
    begun: float
    given_up: float | None = None  # when it was told to end at once, for it took too long
    is_lost: bool = False  # whether it was seen that the server is gone

    @property
    def is_orphan(self) -> bool:
        """Whether it goes on though the server that it was forked from was killed, and cannot tell how it ends."""
        pid = self.process.pid
        return (
            self.process.exitcode == UNKNOWN
            and pid is not None
            and exists(pid)
            and start_of(pid) == self.process_started
        )

    def send(self, number: int) -> None:
        """Send it a signal, if it is at work."""
        pid = self.process.pid
        if pid is not None and (self.process.exitcode is None or self.is_orphan):
            with suppress(OSError):
                os.kill(pid, number)

    def end_within(self, seconds: float) -> None:
        """Give it time to end, and kill it if it does not."""
        end = time.monotonic() + seconds
        self.process.join(max(0.0, seconds))
        while self.is_orphan and time.monotonic() < end:
            time.sleep(PAUSE / 10)
        self.send(KILL)
        self.process.join()


class _Pool:
    """The processes of the runs under way."""

    def __init__(self, cells: Sequence[Cell], terms: Terms, observer: Observer, slots: Sequence[Slot]) -> None:
        self._terms, self._observer = terms, observer
        self._ledger = Ledger(cells, terms, observer)
        self._jobs = len(slots)
        self._free = deque(slots)
        self._running: dict[Connection, _Running] = {}
        self._data = SharedData(terms.data_dir)
        forkserver.begin()
        self._context = forkserver.context()
        self._closing = False  # whether the runs under way were told to stop after their epoch

    def run(self, stop: StopRequest) -> dict[str, str]:
        """Train all of them: the outcome of each.

        Raises:
            KeyboardInterrupt: on a request to stop.
        """
        while True:
            if stop.asked or self._ledger.gives_up:
                self._close(asked=stop.asked)
            while self._free and not self._closing and (cell := self._ledger.next()):
                self._start(cell)
            if not self._running and (self._closing or self._ledger.finished):
                if stop.asked:
                    raise KeyboardInterrupt
                return dict(self._ledger.outcome)
            if not self._running:  # other commands have the runs that are left
                time.sleep(PAUSE)
            for ready in wait(list(self._running), PAUSE):
                assert isinstance(ready, Connection)
                self._hear(ready)
            self._end_late_ones()
            self._end_dead_ones()

    def stop(self) -> None:
        """Have every process save what it finished, and end."""
        for running in self._running.values():
            running.send(AT_ONCE)
        end = time.monotonic() + PATIENCE
        for connection, running in self._running.items():
            running.end_within(end - time.monotonic())
            connection.close()
        self._running.clear()
        self._data.close()

    def _close(self, *, asked: bool) -> None:
        """Let the runs under way stop after their epoch, and begin no other."""
        if self._closing:
            return
        self._closing = True
        for running in self._running.values():
            running.send(signal.SIGTERM)
        self._ledger.tell_closing([running.cell for running in self._running.values()], asked=asked)

    def _start(self, cell: Cell) -> None:
        slot = self._free.popleft()
        ours, theirs = self._context.Pipe(duplex=False)
        shared = self._data.of(cell.config)
        work = Job(cell, self._terms.data_dir, slot, self._jobs, self._terms.processes, shared)
        process = self._context.Process(target=job.main, args=(work, theirs), daemon=False)  # type: ignore[attr-defined]
        process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        started = None if process.pid is None else start_of(process.pid)
        self._running[ours] = _Running(cell, slot, process, started, time.monotonic())
        self._ledger.begin(cell)

    def _hear(self, connection: Connection) -> None:
        """Take one message of a run, or its end."""
        running = self._running[connection]
        try:
            word, told = connection.recv()
        except (EOFError, OSError):
            self._end(connection, *self._account(running))
            return
        if word == "epoch":
            self._observer.epoch_done(running.cell, told)
        elif word == "notice":
            self._observer.noticed(running.cell, told)
        elif word == "ended":
            self._end(connection, *told)
        elif word == "interrupted":
            self._end(connection, "interrupted", "The same command continues it.")
        else:
            raise told

    def _end(self, connection: Connection, status: str, message: str) -> None:
        running = self._running.pop(connection)
        connection.close()
        running.end_within(PATIENCE_AT_EXIT)
        self._free.append(running.slot)
        if running.given_up is not None and status in ("interrupted", "failed"):
            status = "failed"
            message = f"It took longer than --timeout {self._terms.timeout:g} seconds; {kept(running.cell.folder)}"
            record_failure(running.cell, message)
        self._ledger.end(running.cell, status, message)

    def _end_late_ones(self) -> None:
        """End the runs that take longer than they may; what does not listen is killed."""
        for running in self._running.values():
            now_ = time.monotonic()
            if running.given_up is None:
                if self._terms.timeout is not None and now_ - running.begun > self._terms.timeout:
                    running.given_up = now_
                    running.send(AT_ONCE)
            elif now_ - running.given_up > PATIENCE:
                running.send(KILL)

    def _end_dead_ones(self) -> None:
        """Miss the runs whose process has ended, though a process that it started holds the other end of the pipe."""
        for connection, running in list(self._running.items()):
            if running.process.exitcode == UNKNOWN and not running.is_lost:
                running.is_lost = True
                forkserver.begin()  # another one, for the runs to come
            if running.process.exitcode is not None and not running.is_orphan and not connection.poll():
                self._end(connection, *self._account(running))

    def _account(self, running: _Running) -> tuple[str, str]:
        """What became of a run whose process ended without a word; `run.json` says so too."""
        running.process.join(PATIENCE)
        code = running.process.exitcode
        if self._closing and code in (-signal.SIGTERM, -AT_ONCE):  # before it could listen
            return "interrupted", "The same command continues it."
        if code == -signal.SIGKILL:
            what = "Its process was killed, as the system does when memory runs out"
        elif code is not None and code < 0:
            what = f"Its process was ended by signal {-code}"
        else:
            what = f"Its process ended with code {code}"
        message = f"{what}; {kept(running.cell.folder)}"
        record_failure(running.cell, message)
        return "failed", message
