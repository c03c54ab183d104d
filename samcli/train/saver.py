"""The files of an epoch, written while the next one trains."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from samcli.errors import ResultsError
from samcli.runs import checkpoint
from samcli.runs.files import write_atomic
from samcli.runs.folder import RunFolder
from samcli.runs.rows import EpochMetrics


@dataclass(frozen=True)
class _Copy:
    """The state after an epoch, as it was when it was given."""

    encoded: bytes
    rows: Sequence[EpochMetrics]
    epoch: int
    is_best: bool


class Saver:
    """Replaces a run's checkpoint, `metrics.csv` and status in a thread of its own.

    Training waits until the state is copied, as the bytes of its file. What is left to the thread is waiting for the
    disk, so that it takes no processor from the epoch whose time is measured. Where epochs are shorter than the disk
    takes, a copy that still waits for it gives way to that of the next epoch. At the end of the block the latest is on
    the disk.

    >>> import torch
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = RunFolder(Path(folder))
    ...     with Saver(run, {"status": "running"}) as saver:
    ...         saver.save({"model": {"w": torch.ones(2)}, "epoch": 1, "rows": [{"epoch": 1, "train_loss": 0.5}]})
    ...     run.read_status()["epochs_done"], checkpoint.load(run.checkpoint)["epoch"]
    (1, 1)

    Args:
        folder: the run's folder.
        status: the entries of `run.json` besides the number of epochs.
        check: raises an error if nothing more is to be written there.
        saved: the epoch that the checkpoint of the folder is of.

    Attributes:
        saved: the epoch that it is of now; behind the session's where a file could not be written.
    """

    def __init__(
        self,
        folder: RunFolder,
        status: Mapping[str, Any],
        check: Callable[[], None] = lambda: None,
        *,
        saved: int = 0,
    ) -> None:
        self.saved = saved
        self._folder = folder
        self._check = check
        self._status = dict(status)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="samcli-saver")
        self._begun: list[Future[None]] = []
        self._waiting: _Copy | None = None  # one of those that were begun will take it
        self._taking = threading.Lock()

    def __enter__(self) -> Saver:
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.wait()
        finally:
            self._thread.shutdown()

    def save(self, state: Mapping[str, Any], *, is_best: bool = False) -> None:
        """Copy the state of a session, see `Session.state`, and have it written.

        Args:
            state: after the latest epoch.
            is_best: whether it is kept as the best one too, see `samcli.train.best`; such a copy gives way to none.

        Raises:
            ResultsError: the files of an earlier epoch could not be written.
            RunLost: the folder is not this process's any more.
        """
        self._hear(lambda one: one.done())
        copy = _Copy(checkpoint.encode(state), list(state["rows"]), int(state["epoch"]), is_best)
        with self._taking:
            gives_way = self._waiting is not None and not self._waiting.is_best
            if gives_way:
                self._waiting = copy
        if not gives_way:
            if self._waiting is not None:
                self.wait()
            self._waiting = copy
            self._begun.append(self._thread.submit(self._write_waiting))

    def wait(self) -> None:
        """Return when nothing is left to write.

        Raises:
            ResultsError: it could not be written.
            RunLost: the folder is not this process's any more.
        """
        self._hear(lambda one: True)

    def _hear(self, which: Callable[[Future[None]], bool]) -> None:
        """Wait for some of what was begun, and raise what it ended with."""
        while self._begun and which(self._begun[0]):
            self._begun.pop(0).result()

    def _write_waiting(self) -> None:
        with self._taking:
            copy, self._waiting = self._waiting, None
        if copy is not None:
            self._write(copy)

    def _write(self, copy: _Copy) -> None:
        try:
            sealed = checkpoint.sealed(copy.encoded)
            if copy.is_best:  # beside the old one, which counts until there is a checkpoint of this epoch
                self._check()
                write_atomic(self._folder.next_best, sealed)
            self._check()
            write_atomic(self._folder.checkpoint, sealed)
            self.saved = copy.epoch
            if copy.is_best:
                self._check()
                os.replace(self._folder.next_best, self._folder.best)
            self._check()
            self._folder.write_metrics(copy.rows)
            self._check()
            self._folder.write_status({**self._status, "epochs_done": copy.epoch})
        except ResultsError:
            self._check()  # the folder may have been deleted while a file was written
            raise
