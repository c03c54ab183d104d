"""The server that processes of runs are forked from, with all imported that a run needs."""

from __future__ import annotations

import multiprocessing
from contextlib import suppress
from multiprocessing.context import BaseContext

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
    """Start the server now, so that it imports what it needs while this process does other things."""
    if context().get_start_method() == "forkserver":
        from multiprocessing import forkserver

        with suppress(OSError):  # what is wrong is told when a process is to be started
            forkserver.ensure_running()
