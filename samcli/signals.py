"""The signals that ask a process to stop."""

from __future__ import annotations

import signal

# Ctrl-C, what schedulers send, and the end of a terminal, which Windows does not tell
STOP_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
