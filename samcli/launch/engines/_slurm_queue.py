"""The queue of Slurm: which jobs are in it, and signals to them. Its commands tell without an accounting database."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence

SECONDS = 60.0  # that a command of Slurm may take


def states() -> dict[str, str] | None:
    """The state of each of the user's jobs in the queue, by its number; None if Slurm does not answer."""
    try:
        told = _slurm(["squeue", "--me", "--noheader", "--array", "--format=%i %T"])
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.split(maxsplit=1) for line in told.splitlines() if " " in line.strip())


def cancel(jobs: Iterable[str], *flags: str) -> None:
    """Cancel jobs, or what the flags say: `--state=PENDING` those that have not begun, `--signal=USR1` a signal."""
    numbers = list(jobs)
    for start in range(0, len(numbers), 500):  # a command line has an end
        try:
            _slurm(["scancel", "--quiet", *flags, *numbers[start : start + 500]])
        except (OSError, subprocess.SubprocessError):
            continue  # they have ended, or Slurm does not answer: whoever waits looks again


def _slurm(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS).stdout
