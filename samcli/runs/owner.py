"""The owner of a run's folder, as the file of its lease tells whoever looks.

The owner's file `.owner.json` names process, host and machine, and its time is touched every few seconds, see
`samcli.runs.lease`. On the same machine the process itself is looked at. From another host or container it cannot be:
there a lease is dead when it was looked at for `PATIENCE` seconds, by the clock of whoever looks, without a change, see
`Watch`. What clocks say of the time of day does not enter.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from samcli.runs.documents import OwnerDocument
from samcli.runs.door import opened
from samcli.runs.process import exists, start_of, this_machine

NAME = ".owner.json"
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
        claim, beat = claim_in(folder / NAME)
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


def claim_in(file: Path) -> tuple[OwnerDocument, int]:
    """What the file of a lease says, and its last sign of life.

    Raises:
        ValueError: it names nobody.
        OSError: it cannot be read; FileNotFoundError: there is none.
    """
    with opened(file) as stream:  # a network's file system asks anew when a file is opened, not before
        return OwnerDocument.model_validate_json(stream.read(MOST_BYTES)), os.fstat(stream.fileno()).st_mtime_ns


def _earlier_owner(status: Mapping[str, Any]) -> Owner | None:
    """The process that an earlier version's `run.json` names; from other hosts it gives no sign of life."""
    if status.get("status") != "running" or "machine" in status:
        return None
    host, pid = status.get("host"), status.get("pid")
    if host != socket.gethostname():
        return Owner(str(host), pid, "unknown")
    return Owner(str(host), pid, "at work" if exists(pid or 0) else "gone")
