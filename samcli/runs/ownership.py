"""The ownership of a run's folder: one process trains in it, and whoever looks can tell whether it is still there.

The owner's file `.owner.json` names process, host and machine. On the same machine the process itself is looked at;
from another host or container, the file's time is: the owner touches it every `BEAT` seconds, and after `PATIENCE`
seconds without a sign of life counts as gone. An owner that comes back after that finds another's file, or none, and
stops before it writes anything.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from samcli.errors import ResultsError, RunBusy, RunLost
from samcli.runs.documents import OwnerDocument
from samcli.runs.door import opened, read_json
from samcli.runs.files import write_atomic
from samcli.runs.process import exists, start_of, this_machine

NAME = ".owner.json"
BEAT = 15.0
PATIENCE = 120.0
MOST_BYTES = 10_000


@dataclass(frozen=True)
class Owner:
    """The process that a folder's file names, or that an earlier version's `run.json` does.

    Attributes:
        host, pid: of the process.
        silence: seconds since its last sign of life; None where it gives none.
        certain: whether it was seen to be at work, on this machine.
        alive: whether it may be at work.
        token: the claim that it made; None for one of an earlier version.
    """

    host: str
    pid: int | None
    silence: float | None
    certain: bool
    alive: bool
    token: str | None = None

    def keeps(self, take_over: bool) -> bool:
        """Whether it stays the owner when another process asks for the run.

        >>> gone_silent = Owner("node017", 7, 20.0, certain=False, alive=True)
        >>> gone_silent.keeps(take_over=False), gone_silent.keeps(take_over=True)
        (True, False)
        """
        return self.alive and (self.certain or not take_over)

    def words(self) -> str:
        """Who it is, and what to do if it is gone, in words that follow the run's name.

        >>> print(Owner("node017", 7, 20.0, certain=False, alive=True).words())  # doctest: +ELLIPSIS
        is being trained by process 7 on node017, whose last sign of life is 20 s old; if that process is gone, ...
        """
        who = f"is being trained by process {self.pid} on {self.host}"
        if self.certain:
            return f"{who}; wait for it, or end that process."
        if self.silence is None:
            return f"{who}, an earlier samcli that gives no sign of life; if that process is gone, add --take-over."
        return (
            f"{who}, whose last sign of life is {self.silence:.0f} s old; if that process is gone, "
            f"wait until it is {PATIENCE:.0f} s old, or add --take-over."
        )


def owner_of(folder: Path, status: Mapping[str, Any]) -> Owner | None:
    """The owner of a run's folder; None if it has none.

    Args:
        folder: that of the run.
        status: the content of its `run.json`, which for earlier versions says who trains it.

    >>> owner_of(Path("nowhere"), {"status": "finished", "host": "a", "pid": 1})
    """
    try:
        claim = OwnerDocument.model_validate(read_json(folder / NAME))
        silence = abs(time.time() - (folder / NAME).stat().st_mtime)
    except (ResultsError, ValueError, OSError):  # none, or one that names nobody
        return _earlier_owner(status)
    if claim.machine != this_machine():
        return Owner(claim.host, claim.pid, silence, certain=False, alive=silence < PATIENCE, token=claim.token)
    here = exists(claim.pid) and start_of(claim.pid) == claim.process_started
    # where the system does not tell when a process began, its number may be another's by now
    here = here and (claim.process_started is not None or silence < PATIENCE)
    return Owner(claim.host, claim.pid, silence, certain=here, alive=here, token=claim.token)


class Ownership:
    """The ownership of a folder by this process, for the time of a `with` block.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     with Ownership(Path(name)) as mine:
    ...         owner_of(Path(name), {}).pid == os.getpid(), mine.held()
    ...     owner_of(Path(name), {})
    (True, True)

    Args:
        folder: that of the run; it is made.
        status: the content of its `run.json`, if there is one.
        take_over: whether an owner that is not certainly at work is replaced.
    """

    def __init__(self, folder: Path, status: Mapping[str, Any] | None = None, *, take_over: bool = False) -> None:
        self._folder = folder
        self._file = folder / NAME
        self._status = status or {}
        self._take_over = take_over
        self._token = secrets.token_hex(8)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="samcli-owner", daemon=True)

    def __enter__(self) -> Ownership:
        """Claim the folder.

        Raises:
            RunBusy: another process owns it.
            ResultsError: it cannot be written.
        """
        claim = {
            "token": self._token,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "machine": this_machine(),
            "process_started": start_of(os.getpid()),
        }
        with suppress(OSError):  # what cannot be made is told by what is written into it
            self._folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._folder):
            owner = owner_of(self._folder, self._status)
            if owner and owner.keeps(self._take_over):
                raise RunBusy(f"{self._folder.name} {owner.words()}")
            write_atomic(self._file, json.dumps(claim, indent=2) + "\n")
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        if self.held():
            with suppress(OSError):
                self._file.unlink()

    def held(self) -> bool:
        """Whether the folder is still there, and this process's.

        A file that cannot be read for the moment, as when a network's disk is away, is taken for this process's.
        """
        try:
            with opened(self._file) as file:
                return OwnerDocument.model_validate_json(file.read(MOST_BYTES)).token == self._token
        except FileNotFoundError:
            return False
        except OSError:
            return True
        except ValueError:
            return False

    def check(self) -> None:
        """Return if the folder is still there, and this process's.

        Raises:
            RunLost: it was deleted, or another process took it over.
        """
        if not self.held():
            fate = "another process took it over" if self._file.exists() else "its folder was moved or deleted"
            raise RunLost(
                f"{self._folder.name} is no longer trained here: {fate}. Nothing more is written there; "
                "the same command trains it again where that is left to do."
            )

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            with suppress(OSError):  # deleted, or away for the moment: `check` tells
                if self.held():
                    os.utime(self._file)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Within the block no other process of this host claims the folder; elsewhere the token tells who came last."""
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):  # Windows
        yield
        return
    try:
        for _ in range(100):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:  # a file system without locks
                break
        yield
    finally:
        os.close(descriptor)


def _earlier_owner(status: Mapping[str, Any]) -> Owner | None:
    """The process that an earlier version's `run.json` names; from other hosts it gives no sign of life."""
    if status.get("status") != "running" or "machine" in status:
        return None
    host, pid = status.get("host"), status.get("pid")
    here = host == socket.gethostname()
    alive = exists(pid or 0) if here else True
    return Owner(str(host), pid, None, certain=here and alive, alive=alive)
