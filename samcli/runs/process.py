"""Processes and the machines they run on, told apart across hosts, containers, reboots and reused numbers."""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path


@cache
def this_machine() -> str:
    """A text that is the same for processes that can see each other's numbers, and for no others.

    It is made of the host's name, the boot (where the system tells it), and the namespace of process numbers, which
    containers have of their own.

    >>> this_machine() == this_machine(), len(this_machine())
    (True, 12)
    """
    parts = [socket.gethostname(), _text("/proc/sys/kernel/random/boot_id"), _link("/proc/self/ns/pid")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def start_of(pid: int) -> str | None:
    """When a process of this machine began, in the system's own unit; None if there is none, or it is not told.

    A number and its start name one process, however often numbers are given again.

    >>> start_of(os.getpid()) == start_of(os.getpid())
    True
    """
    fields = _fields(pid)
    return fields[19] if len(fields) > 19 else None


def exists(pid: int) -> bool:
    """Whether this machine has a process of this number at work, be it another user's.

    One that has ended keeps its number until its parent asks how; in a container perhaps nobody ever does.

    >>> exists(os.getpid()), exists(2**40), exists(-1)
    (True, False, False)
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)  # signal 0 only asks whether the process exists
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return _fields(pid)[:1] not in (["Z"], ["X"])


def _fields(pid: int) -> list[str]:
    """What the system tells of a process, from its state on; empty where it tells nothing."""
    # the name of the program, in brackets, may hold anything
    return _text(f"/proc/{pid}/stat").rpartition(")")[2].split()


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
