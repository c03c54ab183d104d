"""Claims of folders by other processes, and a clock that a test sets."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from samcli.runs.owner import NAME, owner_of
from samcli.runs.process import start_of, this_machine


def claim(folder: Path, *, silence: float = 0.0, **fields: Any) -> None:
    """The file of an owner that gave its last sign of life some seconds ago."""
    here = {"pid": os.getpid(), "process_started": start_of(os.getpid()), "machine": this_machine()}
    (folder / NAME).write_text(json.dumps({"token": "t", "host": "node017", **here, **fields}))
    os.utime(folder / NAME, times=(time.time() - silence,) * 2)


def ended_process() -> int:
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    return int(subprocess.run(command, capture_output=True, check=True).stdout)


def is_alive(folder: Path, **status: Any) -> bool:
    owner = owner_of(folder, status)
    return owner is not None and owner.alive


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now
