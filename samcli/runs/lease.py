"""The lease of a run's folder: one process trains in it, and whoever looks can tell whether it is still there.

What the holder's file says is in `samcli.runs.owner`. A holder that comes back after it was taken for dead finds
another's file, or none, and stops before it writes anything.
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
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from samcli.errors import RunBusy, RunLost
from samcli.runs.files import atomic_path
from samcli.runs.owner import NAME, Owner, claim_in, owner_of
from samcli.runs.process import start_of, this_machine

BEAT = 10.0  # seconds between two signs of life


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
            found = claim_in(aside)[0].token
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
            return claim_in(self._file)[0].token == self._token
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
