"""A run on another machine: what an engine of a cluster sends there, and what comes back."""

from __future__ import annotations

import dataclasses
import faulthandler
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from samcli.allocator import keep_freed_memory
from samcli.data.cache_dir import CACHE_DIR, cache_dir
from samcli.errors import Interrupted, ResultsError, SamcliError
from samcli.launch.cell import Cell, train_cell
from samcli.launch.job import LOG, in_log, interrupt, logged, record_failure
from samcli.launch.plan import look_again
from samcli.registry import load_plugin
from samcli.runs.files import write_atomic
from samcli.runs.folder import RunFolder
from samcli.runs.owner import PATIENCE, Watch

GRACE = 30.0  # seconds that a run told to end at once has for writing what it finished
LATE = signal.SIGALRM if hasattr(signal, "SIGALRM") else signal.SIGTERM


@dataclass(frozen=True)
class Work:
    """A run to be trained on another machine, all its paths absolute.

    Attributes:
        cell: the run; one that was `changed` has been cleared.
        data_dir: where data sets lie.
        device: where to train.
        threads: how many it computes with.
        engine: that of the command, for `run.json`.
        processes: how many share the run there, see `samcli.train.ranks`.
        timeout: the most seconds that it may take; None if there is no such limit.
        directory: where the command was given; relative paths of plug-ins begin there.
        cache_dir: where decoded images are kept, see `samcli.data.cache_dir`.
    """

    cell: Cell
    data_dir: Path
    device: torch.device
    threads: int
    engine: str
    timeout: float | None = None
    processes: int = 1
    directory: Path = dataclasses.field(default_factory=Path.cwd)
    cache_dir: Path | None = dataclasses.field(default_factory=cache_dir)


def absolute(cell: Cell) -> Cell:
    """The cell with a folder that means the same from every directory.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> (run,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "wine.yaml"), CATALOGUE).expand()
    >>> absolute(Cell(run, RunFolder(Path("results/a")), "new", 0)).folder.path.is_absolute()
    True
    """
    shorter = RunFolder(cell.shorter.path.absolute()) if cell.shorter else None
    return dataclasses.replace(cell, folder=RunFolder(cell.folder.path.absolute()), shorter=shorter)


def train_there(work: Work, should_stop: Callable[[], bool]) -> tuple[str, Any]:
    """Train the run in this process, its main thread, and say how it ended.

    What the process prints goes to `log.txt` in the run's folder. An owner on another machine that may be dead is
    watched until that is known. `--timeout` counts from here.

    Args:
        work: the run.
        should_stop: asked before each epoch whether the run is to be interrupted there.

    Returns:
        `ended` with status and message, `interrupted` with a sentence, or `stop` with an error that would meet every
        run.
    """
    with suppress(OSError):
        os.chdir(work.directory)
    if work.cache_dir is not None:
        os.environ[CACHE_DIR] = str(work.cache_dir)
    try:
        cell = _watched(work.cell)
        if not cell.to_do:
            return "ended", (cell.state, cell.detail)
        with logged(cell.folder.path / LOG), _Deadline(work.timeout) as deadline:
            try:
                # an interrupt is lost where Python ignores exceptions, as in a destructor: the epoch is then the last
                return "ended", _trained(work, cell, lambda: deadline.passed or should_stop())
            except (Interrupted, KeyboardInterrupt) as error:
                if not deadline.passed:
                    return "interrupted", str(error)
                message = f"It took longer than --timeout {work.timeout:g} seconds; its finished epochs are kept."
                record_failure(cell, message)
                return "ended", ("failed", in_log(message, cell.folder))
    except KeyboardInterrupt:
        return "interrupted", ""
    except (ResultsError, OSError) as error:
        return "stop", error


def _trained(work: Work, cell: Cell, should_stop: Callable[[], bool]) -> tuple[str, str]:
    keep_freed_memory()
    torch.set_num_threads(work.threads)  # whatever the process did before
    try:
        for file in cell.config.plugins:
            load_plugin(file)
    except SamcliError as error:  # of a plug-in file that is another one, or is not there on this machine
        return "failed", str(error)
    status, message = train_cell(
        cell,
        data_dir=work.data_dir,
        device=work.device,
        processes=work.processes,
        conditions={"engine": work.engine},
        should_stop=should_stop,
    )
    if status == "failed":
        print(message, flush=True)
        message = in_log(message, cell.folder)
    return status, message


def _watched(cell: Cell) -> Cell:
    """The cell as it is by now; whoever has it and gives no sign of life is watched as long as it takes to be sure."""
    watch, end = Watch(), time.monotonic() + PATIENCE + 1
    planned = dataclasses.replace(cell, state="new") if cell.state == "busy" else cell
    while (seen := look_again(planned, watch)).state == "busy" and seen.may_show and time.monotonic() < end:
        time.sleep(0.5)
    return seen


class _Deadline:
    """Within the block the main thread is interrupted after some seconds; what does not listen is ended after more."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self.passed = False
        self._timer = threading.Timer(seconds or 0, self._pass)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        if self._seconds is not None:
            signal.signal(LATE, interrupt)
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        faulthandler.cancel_dump_traceback_later()

    def _pass(self) -> None:
        self.passed = True
        faulthandler.dump_traceback_later(GRACE, exit=True)
        os.kill(os.getpid(), LATE)


class Beacon:
    """A file beside the results by which a command shows its other machines that they see the same folder as it does.

    It also tells them when to stop: it is opened anew after each epoch, which shows the newest content on the file
    systems of networks too.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name, Beacon(Path(name)) as beacon:
    ...     beacon.is_seen(), beacon.says_stop()
    ...     beacon.stop()
    ...     beacon.says_stop()
    (True, False)
    True

    Args:
        folder: the results folder; it is made.
    """

    def __init__(self, folder: Path) -> None:
        self._nonce = secrets.token_hex(8)
        self.file = folder.absolute() / f".command-{self._nonce}"

    def __enter__(self) -> Self:
        write_atomic(self.file, f"{self._nonce} go")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.file.unlink()

    def stop(self) -> None:
        """Ask for the runs to stop after their epoch."""
        write_atomic(self.file, f"{self._nonce} stop")

    def is_seen(self) -> bool:
        """Whether this machine sees the file that the command wrote."""
        return self._read().startswith(self._nonce)

    def says_stop(self) -> bool:
        """Whether the runs are to stop."""
        return self._read() == f"{self._nonce} stop"

    def _read(self) -> str:
        try:
            return self.file.read_text(encoding="utf-8")
        except OSError:
            return ""
