"""The Ray engine: one task for each run, on the machines of a Ray cluster or on this one alone."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from samcli.errors import Interrupted, ProcessError
from samcli.launch.cell import Cell
from samcli.launch.engines._follower import Follower
from samcli.launch.engines._ledger import Ledger
from samcli.launch.engines._ray_cluster import connected, nodes_for, places_on, prove
from samcli.launch.job import kept, record_failure
from samcli.launch.observer import Observer
from samcli.launch.remote import GRACE, Beacon, Work, absolute, train_there
from samcli.launch.stop import StopRequest
from samcli.launch.terms import Terms

PAUSE = 0.2  # seconds between looks at what was asked
MOST_DEATHS = 5  # of processes or nodes under one run, after which it counts as failed


def run_on_ray(
    cells: Sequence[Cell],
    terms: Terms,
    observer: Observer,
    *,
    address: str | None = None,
    cpus: int = 1,
    threads: int | None = None,
) -> dict[str, str]:
    """Train every cell that is left to do, each as a task of Ray; one that fails or dies does not stop the others.

    Rows, checkpoints and logs go through the results folder, which every node shows that it sees before the first run.
    A run whose process or node dies goes on from its last epoch on another one, as soon as its lease is known to be
    dead: Ray's own retries do not know of leases, and are not used.

    Args:
        cells: the plan.
        terms: where to read and compute, and when to give up.
        observer: is told of progress.
        address: of the cluster's head; None starts a Ray that listens on this machine's loopback alone, for the time
            of the call.
        cpus: that each run has; a GPU besides for each of its processes if the device is one.
        threads: that each run computes with; one for each of its CPUs if left out.

    Returns:
        The status of every cell by the name of its folder.

    Raises:
        ConfigError: Ray is not there, no node is large enough, or one does not see the results.
        ProcessError: no node is left.
        Interrupted: on Ctrl-C, as the local engine does.
        ResultsError: the results of no run can be written.
        OSError: an error of the operating system, such as a full disk.
    """
    ledger = Ledger(cells, terms, observer)
    if ledger.finished:
        return dict(ledger.outcome)
    request = {"CPU": float(cpus)} | ({"GPU": float(terms.processes)} if terms.device.type == "cuda" else {})
    with connected(address), Beacon(_results_of(cells)) as beacon:
        prove(nodes_for(request), beacon)
        tasks = _Tasks(ledger, terms, observer, beacon, request, threads or cpus)
        with StopRequest() as stop:  # after Ray, which has a handler of its own for SIGTERM
            try:
                return tasks.run(stop)
            except KeyboardInterrupt as error:
                raise Interrupted("Interrupted; the same command continues every run from its last epoch.") from error
            finally:
                tasks.cancel()


def _results_of(cells: Sequence[Cell]) -> Path:
    """The folder above the experiments."""
    return cells[0].folder.path.absolute().parents[1]


def _train(work: Work, beacon: Beacon) -> tuple[str, Any]:
    """What a task does; a node that came after the first run shows here what the others did before it."""
    if not beacon.is_seen():
        import socket

        message = f"Node {socket.gethostname()} does not see the results folder {beacon.file.parent}."
        return "ended", ("failed", message)
    return train_there(work, beacon.says_stop)


class _Tasks:
    """The tasks under way."""

    def __init__(
        self,
        ledger: Ledger,
        terms: Terms,
        observer: Observer,
        beacon: Beacon,
        request: Mapping[str, float],
        threads: int,
    ) -> None:
        import ray

        self._ledger, self._terms, self._beacon = ledger, terms, beacon
        self._request, self._threads = request, threads
        self._follower = Follower(observer)
        self._running: dict[Any, Cell] = {}
        self._deaths: Counter[str] = Counter()
        self._closing = False
        # a process for each run: torch, the log and the cores are that one's alone
        self._task = ray.remote(max_calls=1, max_retries=0, retry_exceptions=False)(_train).options(
            num_cpus=request["CPU"], num_gpus=request.get("GPU", 0.0)
        )

    def run(self, stop: StopRequest) -> dict[str, str]:
        """Train all of them: the outcome of each.

        Raises:
            KeyboardInterrupt: on a request to stop.
        """
        import ray

        while True:
            if stop.asked or self._ledger.gives_up:
                self._close(asked=stop.asked)
            if not self._closing:
                self._fill()
            if not self._running and (self._closing or self._ledger.finished):
                if stop.asked:
                    raise KeyboardInterrupt
                return dict(self._ledger.outcome)
            if not self._running:  # other commands have the runs that are left
                time.sleep(PAUSE)
                continue
            ready, _ = ray.wait(list(self._running), timeout=PAUSE)
            self._follower.look()
            for reference in ready:
                self._hear(reference)

    def cancel(self) -> None:
        """Have every run save what it finished, and end."""
        import ray

        for force in (False, True):
            if self._running:
                for reference in self._running:
                    with suppress(Exception):  # it has ended, or the cluster is gone
                        ray.cancel(reference, force=force)
                with suppress(Exception):
                    ended, _ = ray.wait(list(self._running), num_returns=len(self._running), timeout=GRACE)
                    for reference in ended:
                        del self._running[reference]

    def _fill(self) -> None:
        """Begin as many runs as the nodes that are there now have places for; Ray finds each its node.

        Raises:
            ProcessError: no node is left.
        """
        import ray

        places = sum(places_on(node, self._request) for node in ray.nodes() if node["Alive"])
        if not (places or self._running or self._ledger.finished):
            raise ProcessError("No node is left for the runs that wait; the same command continues them.")
        while len(self._running) < places and (planned := self._ledger.next()):
            cell = self._ledger.cleared(planned)
            if cell is None:
                continue
            work = Work(
                absolute(cell),
                self._terms.data_dir.absolute(),
                self._terms.device,
                self._threads,
                "ray",
                self._terms.timeout,
                self._terms.processes,
            )
            self._running[self._task.remote(work, self._beacon)] = cell
            self._follower.begin(cell)
            self._ledger.begin(cell)

    def _close(self, *, asked: bool) -> None:
        """Let the runs under way stop after their epoch, and begin no other."""
        if self._closing:
            return
        self._closing = True
        self._beacon.stop()
        self._ledger.tell_closing(list(self._running.values()), asked=asked)

    def _hear(self, reference: Any) -> None:
        """Take the end of a task."""
        import ray

        cell = self._running.pop(reference)
        try:
            word, told = ray.get(reference)
        except ray.exceptions.RayTaskError:  # a defect: what a run meets is told in words
            raise
        except ray.exceptions.RayError as error:
            self._follower.end(cell)
            self._bury(cell, error)
            return
        self._follower.end(cell)
        if word == "ended":
            self._ledger.end(cell, *told)
        elif word == "interrupted":
            self._ledger.end(cell, "interrupted", "The same command continues it.")
        else:
            raise told

    def _bury(self, cell: Cell, error: Exception) -> None:
        """A run's process or node died: it is tried again, unless it happens again and again."""
        import ray

        name = cell.folder.path.name
        self._deaths[name] += 1
        if isinstance(error, ray.exceptions.OutOfMemoryError):
            what = "Its process was ended because its node ran out of memory"
        elif isinstance(error, ray.exceptions.NodeDiedError):
            what = "Its node died"
        else:
            what = "Its process or its node died"
        if self._closing:
            self._ledger.end(cell, "interrupted", f"{what}; the same command continues it.")
        elif self._deaths[name] < MOST_DEATHS:
            self._ledger.retry(cell, f"{what}; it goes on from its last epoch in another one.")
        else:
            message = f"{what}, for the {MOST_DEATHS}th time; {kept(cell.folder)}"
            record_failure(cell, message)
            self._ledger.end(cell, "failed", message)
