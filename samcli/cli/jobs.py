"""How many runs `samcli train` trains at once, and how many processes share each of them."""

from __future__ import annotations

from collections.abc import Mapping

from samcli.errors import ConfigError
from samcli.launched import launched

MOST_JOBS = 1024


def jobs_of(text: str) -> int | None:
    """How many runs train at once; None for what suits the machine.

    Raises:
        ConfigError: it is neither `auto` nor such a number.

    >>> jobs_of("auto"), jobs_of("4")
    (None, 4)
    """
    if text == "auto":
        return None
    if not (text.isdecimal() and text.isascii() and len(text) < 10 and int(text) <= MOST_JOBS):
        raise ConfigError(f"--jobs must be auto or a whole number from 0 to {MOST_JOBS}, not {text!r}.")
    return int(text)


def check_in_this_process(jobs: str, flags: Mapping[str, object]) -> None:
    """Refuse what only runs in processes of their own can have.

    Raises:
        ConfigError: it was asked for.

    >>> check_in_this_process("0", {"--timeout": 60.0})
    Traceback (most recent call last):
    samcli.errors.ConfigError: --timeout is for runs in processes of their own, and --jobs 0 trains in the command's ...
    """
    for flag, value in flags.items():
        if value is not None:
            why = "--jobs 0 trains in the command's own process" if jobs == "0" else "torchrun started this process"
            raise ConfigError(f"{flag} is for runs in processes of their own, and {why}; leave one of the two out.")


def sharing_of(processes: int | None, jobs: int | None, jobs_per_gpu: int | None) -> tuple[int, int | None]:
    """How many processes share the batches of each run, and how many runs train at once because of that.

    Raises:
        ConfigError: they were asked for in ways that exclude each other.

    >>> sharing_of(2, None, None), sharing_of(None, 4, None)
    ((2, 1), (1, 4))
    """
    _, started = launched()
    if started > 1 and processes not in (None, started):
        raise ConfigError(f"torchrun started {started} processes, and --processes asks for {processes}; leave it out.")
    size = processes or started
    if size == 1:
        return 1, jobs
    if (jobs or 1) > 1 or jobs_per_gpu is not None:
        raise ConfigError(
            f"{size} processes share one run after the other: leave out --jobs and --jobs-per-gpu, or --processes."
        )
    return size, 0 if started > 1 else 1 if jobs is None else jobs
