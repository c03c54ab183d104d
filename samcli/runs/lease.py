"""The lease of a run's folder: one process trains in it, and whoever looks can tell whether it is still there.

The holder's file `.owner.json` names process, host and machine, and its time is touched every `BEAT` seconds. On the
same machine the process itself is looked at. From another host or container it cannot be: there a lease is dead when
it was looked at for `PATIENCE` seconds, by the clock of whoever looks, without a change, see `Watch`. What clocks say
of the time of day does not enter. A holder that comes back after that finds another's file, or none, and stops before
it writes anything.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from samcli.errors import RunBusy, RunLost
from samcli.runs.documents import OwnerDocument
from samcli.runs.door import opened
from samcli.runs.files import atomic_path
from samcli.runs.process import exists, start_of, this_machine

NAME = ".owner.json"
BEAT = 10.0
PATIENCE = 45.0
LONG_SILENCE = 3600.0  # seconds after which a reader, who does not watch, takes a lease for dead
MOST_BYTES = 10_000


@dataclass(frozen=True)
class Owner:
    """The process that a folder's lease names, or that an earlier version's `run.json` does.

    Attributes:
        host, pid: of the process.
        standing: `at work` or `gone`, as it was seen; `unknown` where one look does not tell.
        silence: seconds since its last sign of life by this machine's clock; None where it gives none.
        since: when it claimed the folder, in words; None if that is not told.
        token: the claim that it made; None for one of an earlier version.
        beat: its last sign of life, in nanoseconds of its own file system.
    """

    host: str
    pid: int | None
    standing: Literal["at work", "unknown", "gone"]
    silence: float | None = None
    since: str | None = None
    token: str | None = None
    beat: int | None = None

    @property
    def alive(self) -> bool:
        """Whether a reader takes it for being at work.

        >>> Owner("node017", 7, "unknown", silence=90.0).alive, Owner("node017", 7, "unknown", silence=9e9).alive
        (True, False)
        """
        return self.standing == "at work" or (
            self.standing == "unknown" and (self.silence is None or self.silence < LONG_SILENCE)
        )

    @property
    def may_show(self) -> bool:
        """Whether waiting tells if it is at work: an earlier version gives no sign of life to other hosts."""
        return self.standing == "at work" or self.token is not None

    def keeps(self, *, take_over: bool = False, dead: str | None = None) -> bool:
        """Whether it stays the owner when another process asks for the run.

        >>> silent = Owner("node017", 7, "unknown", silence=20.0, token="a")
        >>> silent.keeps(), silent.keeps(dead="a"), silent.keeps(take_over=True)
        (True, False, False)

        Args:
            take_over: whether one that is not seen at work is replaced.
            dead: a claim that was watched in vain.
        """
        if self.standing == "unknown":
            return not take_over and (self.token is None or self.token != dead)
        return self.standing == "at work"

    def words(self) -> str:
        """Who it is, and what to do if it is gone, in words that follow the run's name.

        >>> print(Owner("node017", 7, "unknown", silence=20.0, token="a").words())  # doctest: +ELLIPSIS
        is being trained by process 7 on node017, whose last sign of life is 20 s old; if that process is gone, ...
        """
        since = f" since {self.since}" if self.since else ""
        who = f"is being trained by process {self.pid} on {self.host}{since}"
        if self.standing == "at work":
            return f"{who}; wait for it, or end that process."
        if self.silence is None:
            return f"{who}, an earlier samcli that gives no sign of life; if that process is gone, add --take-over."
        return (
            f"{who}, whose last sign of life is {self.silence:.0f} s old; if that process is gone, "
            "samcli train takes the run over within a minute, with --take-over at once."
        )


def owner_of(folder: Path, status: Mapping[str, Any]) -> Owner | None:
    """The owner of a run's folder as one look tells it; None if it has none.

    Args:
        folder: that of the run.
        status: the content of its `run.json`, which for earlier versions says who trains it.

    >>> owner_of(Path("nowhere"), {"status": "finished", "host": "a", "pid": 1})
    """
    try:
        claim, beat = _read(folder / NAME)
    except (ValueError, OSError):  # none, or one that names nobody
        return _earlier_owner(status)
    standing: Literal["at work", "unknown", "gone"] = "unknown"
    if claim.machine == this_machine():
        if not exists(claim.pid) or start_of(claim.pid) != claim.process_started:
            standing = "gone"
        # where the system does not tell when a process began, its number may be another's by now
        elif claim.process_started is not None:
            standing = "at work"
    return Owner(
        claim.host,
        claim.pid,
        standing,
        silence=abs(time.time() - beat / 1e9),
        since=claim.since,
        token=claim.token,
        beat=beat,
    )


class Watch:
    """Looks at leases again and again: one that does not change for `PATIENCE` seconds is dead.

    Only the clock of this process counts, which never jumps.

    >>> Watch().owner_of(Path("nowhere"), {})

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Path, tuple[tuple[str | None, int], float]] = {}

    def owner_of(self, folder: Path, status: Mapping[str, Any]) -> Owner | None:
        """The owner of a run's folder, see the function of this name; one that was watched in vain is `gone`."""
        owner = owner_of(folder, status)
        if owner is None or owner.standing != "unknown" or owner.beat is None:
            self._seen.pop(folder, None)
            return owner
        sign, now = (owner.token, owner.beat), self._clock()
        if folder not in self._seen or self._seen[folder][0] != sign:
            self._seen[folder] = (sign, now)
        silent = now - self._seen[folder][1] >= PATIENCE
        return dataclasses.replace(owner, standing="gone") if silent else owner


class Lease:
    """The lease of a folder by this process, for the time of a `with` block.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     with Lease(Path(name)) as mine:
    ...         owner_of(Path(name), {}).pid == os.getpid(), mine.held()
    ...     owner_of(Path(name), {})
    (True, True)

    Args:
        folder: that of the run; it is made.
        status: the content of its `run.json`, if there is one.
        take_over: whether an owner that is not seen at work is replaced.
        dead: the claim of an owner that was watched in vain, see `Watch`, and is replaced.
    """

    def __init__(
        self,
        folder: Path,
        status: Mapping[str, Any] | None = None,
        *,
        take_over: bool = False,
        dead: str | None = None,
    ) -> None:
        self._folder = folder
        self._file = folder / NAME
        self._status = status or {}
        self._take_over, self._dead = take_over, dead
        self._token = secrets.token_hex(8)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="samcli-lease", daemon=True)

    def __enter__(self) -> Lease:
        """Claim the folder.

        Raises:
            RunBusy: another process owns it.
            ResultsError: it cannot be written.
        """
        with suppress(OSError):  # what cannot be made is told by what is written into it
            self._folder.mkdir(parents=True, exist_ok=True)
        with _locked(self._folder):
            owner = self._owner()
            while owner is None or not owner.keeps(take_over=self._take_over, dead=self._dead):
                odd = self._file.exists() and not self._file.is_file()
                if not odd:
                    self._remove(None if owner is None else owner.token)
                if self._create(replace=odd):
                    break
                owner = self._owner()
            else:
                raise RunBusy(f"{self._folder.name} {owner.words()}")
        self._thread.start()
        return self

    def _owner(self) -> Owner | None:
        return owner_of(self._folder, self._status)

    def _remove(self, token: str | None) -> None:
        """Take the file of a dead lease away, or one that names nobody; if it is another's by now it is given back.

        Raises:
            RunBusy: another process claimed the folder in the meantime.
        """
        aside = self._folder / f"{NAME}.{self._token[:8]}.tmp"
        try:
            os.rename(self._file, aside)
        except FileNotFoundError:
            return
        except OSError:
            return  # what stands in its place is told by what is written there
        try:
            found = _read(aside)[0].token
        except (ValueError, OSError):
            found = None
        if found is not None and found != token:
            with suppress(OSError):
                os.link(aside, self._file)
            aside.unlink(missing_ok=True)
            raise RunBusy(f"{self._folder.name} was claimed by another process at this moment.")
        aside.unlink(missing_ok=True)

    def _create(self, *, replace: bool) -> bool:
        """Make the file of the lease, all at once, if there is none: whether it could be.

        Raises:
            ResultsError: it cannot be written.
        """
        claim = {
            "token": self._token,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "machine": this_machine(),
            "process_started": start_of(os.getpid()),
            "since": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        }
        with atomic_path(self._file, replace=replace) as temporary:
            temporary.write_text(json.dumps(claim, indent=2) + "\n", encoding="utf-8")
        return self.held()

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
            return _read(self._file)[0].token == self._token
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


def _read(file: Path) -> tuple[OwnerDocument, int]:
    """What the file of a lease says, and its last sign of life.

    Raises:
        ValueError: it names nobody.
        OSError: it cannot be read; FileNotFoundError: there is none.
    """
    with opened(file) as stream:  # a network's file system asks anew when a file is opened, not before
        return OwnerDocument.model_validate_json(stream.read(MOST_BYTES)), os.fstat(stream.fileno()).st_mtime_ns


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
    if host != socket.gethostname():
        return Owner(str(host), pid, "unknown")
    return Owner(str(host), pid, "at work" if exists(pid or 0) else "gone")
