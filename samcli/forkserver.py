"""The server that processes of runs are forked from, with all imported that a run needs."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from contextlib import suppress
from multiprocessing.context import BaseContext
from typing import Any

from samcli.signals import STOP_SIGNALS

# torch imports its compiler when it makes an optimizer, which takes as long as torch itself
PRELOADED = ["samcli.__main__", "samcli.launch.job", "torch._dynamo"]


def context() -> BaseContext:
    """How processes are started: forked from the server, where a system has fork, else spawned.

    >>> context().get_start_method() in ("forkserver", "spawn")
    True
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    chosen = multiprocessing.get_context("forkserver")
    chosen.set_forkserver_preload(PRELOADED)
    return chosen


def begin() -> None:
    """Start the server now, unless it is there, so that it imports what it needs while this process does other things.

    It ignores requests to stop from its first moment on, which a terminal or a scheduler sends to the whole group: the
    command decides what becomes of the runs, and needs the server in order to hear how they ended.
    """
    if context().get_start_method() != "forkserver":
        return
    from multiprocessing import forkserver

    in_main = threading.current_thread() is threading.main_thread()  # others may not change it
    before: dict[int, Any] = {}
    try:
        for number in STOP_SIGNALS if in_main else ():
            before[number] = signal.signal(number, signal.SIG_IGN)
        with suppress(OSError):  # what is wrong is told when a process is to be started
            forkserver.ensure_running()
    finally:
        for changed, handler in before.items():
            signal.signal(changed, signal.SIG_DFL if handler is None else handler)
