"""Errors that a user can cause: one or two plain sentences that end with what to do next, and a fixed exit code.

Anything else that goes wrong is a defect of samcli and keeps its traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SamcliError(Exception):
    """Base of all errors that are shown as a sentence instead of a traceback."""

    exit_code = 2


class ConfigError(SamcliError):
    """A file or flags that a user wrote cannot be run."""


class LossError(ConfigError, ValueError):
    """A loss that is no mean over the examples of its batch."""


class NotApplicable(ConfigError):
    """A measure that is not defined for this model, task or optimizer."""


class DataError(SamcliError):
    """A data set is missing or unreadable."""


class ExamplesError(DataError, ValueError):
    """Batches of examples that a measure or an optimizer cannot work with."""


class CheckpointError(SamcliError):
    """A checkpoint is missing, cannot be read for the moment, or is of a later version."""


class UnusableCheckpoint(CheckpointError):
    """A checkpoint that will never serve the run: damaged, of another program, holding code, or of another run."""


class ResultsError(SamcliError):
    """The results folder cannot be read or written."""


class ProcessError(SamcliError):
    """A process that shares the work of a run ended too early; what was finished is kept, the rest can be resumed."""

    exit_code = 1


class RunBusy(SamcliError):
    """A run is being trained by another process."""

    exit_code = 1


class RunLost(SamcliError):
    """The folder of a run was taken away while it was being trained."""

    exit_code = 1


class NothingToCompare(SamcliError):
    """There are no runs to compare."""

    exit_code = 3


class Interrupted(SamcliError):
    """The user or the system asked to stop; what was finished is kept and the rest can be resumed."""

    exit_code = 75


def nearest(name: str, known: Iterable[str]) -> str:
    """A clause that names the nearest known name, or all of them when none is near.

    >>> nearest("smg", ["sgd", "sam", "adam"])
    'did you mean sgd?'
    >>> nearest("quick", ["sgd", "sam"])
    'known are: sgd, sam.'
    """
    candidates = list(known)
    match = difflib.get_close_matches(name.lower(), candidates, n=1)
    return f"did you mean {match[0]}?" if match else f"known are: {', '.join(candidates)}."
