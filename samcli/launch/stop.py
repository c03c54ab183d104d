"""A request to stop: Ctrl-C and what schedulers and closed terminals send."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any

from samcli.signals import STOP_SIGNALS

ONE_REQUEST = 1.0  # seconds; signals that come so close are one: to a process and to its group, or TERM after INT
PATIENCE = 10.0  # seconds for what was finished to be written before yet another signal counts


class StopRequest:
    """Within the block, the first Ctrl-C (SIGTERM, SIGHUP) is kept in mind and interrupts nothing; a second one does.

    What the process was told to ignore, as by nohup, stays ignored. Once there was one the command is about to end, and
    a later one shall not change its exit code: the handlers stay.

    >>> with StopRequest() as stop:
    ...     before = stop.asked
    ...     signal.raise_signal(signal.SIGTERM)
    ...     before, stop.asked
    (False, True)
    >>> _ = signal.signal(signal.SIGTERM, signal.SIG_DFL)

    Attributes:
        asked: whether there was one.
    """

    def __init__(self) -> None:
        self.asked = False
        self._last = 0.0
        self._raised = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # others may not
            for number in STOP_SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.asked:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        now, before = time.monotonic(), self._last
        if self.asked and now - before < (PATIENCE if self._raised else ONE_REQUEST):
            return
        first, self.asked, self._last = not self.asked, True, now
        if not first:
            self._raised = True
            raise KeyboardInterrupt
