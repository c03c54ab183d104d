"""Signals that ask a command to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from samcli.signals import STOP_SIGNALS

SECONDS_OF_PATIENCE = 10.0  # to write what was finished


def ignore_further() -> None:
    """Ignore requests to stop from now on: the process is ending, and none of them shall change its exit code.

    Python itself takes its handlers away while it ends, and would die of the next signal. And it remembers an interrupt
    that came while it executed a text, as where a dataclass is made, until it executes another one; a module that was
    run with -m would die of that in the end, although it was caught.
    """
    exec("")
    if threading.current_thread() is threading.main_thread():
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def signals_as_interrupt() -> Iterator[None]:
    """Let what schedulers and closed terminals send (SIGTERM, SIGHUP) act like Ctrl-C, and only the first of several.

    Whoever stops a command often sends a signal twice: to the process and to its group, or TERM after INT. What the
    first one has begun, the writing of what was finished, goes on undisturbed for a while. What the process was told
    to ignore, as by nohup, stays ignored.

    Once there was one the process is about to end, and a later one shall not change its exit code: the handlers stay.

    >>> usual = signal.getsignal(signal.SIGTERM)
    >>> with signals_as_interrupt():
    ...     signal.getsignal(signal.SIGTERM) == usual
    False
    >>> signal.getsignal(signal.SIGTERM) == usual
    True
    """
    first: float | None = None

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        nonlocal first
        now = time.monotonic()
        if first is None or now - first > SECONDS_OF_PATIENCE:
            first = now
            raise KeyboardInterrupt

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():  # others may not
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            # what an engine heard, it has put its own handler for
            if first is None and signal.getsignal(number) is interrupt:
                signal.signal(number, handler)
