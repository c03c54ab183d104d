"""Errors that a user can cause: one or two plain sentences that end with what to do next, and a fixed exit code.

Anything else that goes wrong is a defect of samcli and keeps its traceback.
"""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable


class SamcliError(Exception):
    """Base of all errors that are shown as a sentence instead of a traceback."""

    exit_code = 2


class ConfigError(SamcliError):
    """A file or flags that a user wrote cannot be run."""


class OptionError(ConfigError, ValueError):
    """A value that an option cannot have, given in Python."""


class LossError(ConfigError, ValueError):
    """A loss that is no mean over the examples of its batch."""


class NotApplicable(ConfigError):
    """A measure that is not defined for this model, task or optimizer."""


class PluginNeeded(ConfigError):
    """A run needs what a Python file registers, and the file is run only if the user says so.

    Attributes:
        files: the files that the run names.
    """

    def __init__(self, message: str, files: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.files = files


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


class RunBlocked(ResultsError):
    """A file of one run cannot be written, because of what stands in its place; other runs can be."""


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


_RESULTS = "choose another folder with --results, or another name"
_OF_SYSTEM = {
    errno.ENOSPC: "The disk is full; free some space and run the same command again, finished epochs are kept",
    errno.EDQUOT: "The disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "A file became larger than this system allows; raise the limit and run the same command again",
    errno.EACCES: "Permission denied; choose another folder with --results, or change its permissions",
    errno.EPERM: "Permission denied; choose another folder with --results, or change its permissions",
    errno.EROFS: "The file system is read-only; choose another folder with --results",
    errno.ENOTDIR: f"A file stands where a folder is needed; {_RESULTS}",
    errno.EEXIST: f"Something else has this name already; {_RESULTS}",
    errno.EISDIR: f"A folder stands where a file is needed; {_RESULTS}",
    errno.ENAMETOOLONG: "A name is longer than this system allows; choose a shorter one",
    errno.ELOOP: "Symbolic links go round in a circle; mend them, or name the folder that is meant",
    errno.EMFILE: "Too many files are open; raise the limit (ulimit -n) and run the same command again",
    errno.ENFILE: "Too many files are open on this machine; close some programs and run the same command again",
    errno.EIO: "The disk or the network drive reports an error; check it and run the same command again",
    errno.ESTALE: "The network drive lost this file; run the same command again",
    errno.ETIMEDOUT: "The network or a network drive does not answer; run the same command again",
}
_SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO, errno.ESTALE, errno.ENOMEM}
_OUT_OF_MEMORY = (
    "Out of memory; take a smaller --batch-size, --set accumulate=2, or fewer examples (--set dataset.train_examples=N)"
)
_SIGNS_OF_NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def in_words(error: BaseException) -> str | None:
    """A sentence for what the machine refuses: disk, memory, names, permissions; None for a defect of samcli.

    >>> in_words(OSError(errno.ENAMETOOLONG, "File name too long", "a" * 300)).partition(" (")[0]
    'A name is longer than this system allows; choose a shorter one'
    >>> in_words(KeyError("rho"))
    """
    if isinstance(error, OSError) and error.errno in _OF_SYSTEM:
        where = f" ({str(error.filename)[:200]})" if error.filename else ""
        return f"{_OF_SYSTEM[error.errno]}{where}."
    torch_has_none = isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS_OF_NO_MEMORY)
    if isinstance(error, MemoryError) or torch_has_none or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return f"{_OUT_OF_MEMORY}."
    return None


def is_shortage(error: OSError) -> bool:
    """Whether the machine has run out of something, such as space, which whoever asks next will meet too.

    >>> is_shortage(OSError(errno.ENOSPC, "No space left")), is_shortage(PermissionError(errno.EACCES, "denied"))
    (True, False)
    """
    return error.errno in _SHORTAGES


def meets_every_run(error: BaseException) -> bool:
    """Whether an error is the machine's, such as a full disk, and no matter of the one run that met it.

    >>> meets_every_run(OSError(errno.ENOSPC, "No space left")), meets_every_run(FileNotFoundError("of a plug-in"))
    (True, False)
    """
    return isinstance(error, ResultsError) or (isinstance(error, OSError) and in_words(error) is not None)


def require_utf8(path: str) -> str:
    r"""The path, if it can be written into a configuration.

    Raises:
        ConfigError: it holds bytes that are no UTF-8, as names from other systems do.

    >>> require_utf8("caf\udce9/cats")
    Traceback (most recent call last):
    samcli.errors.ConfigError: The path caf\udce9/cats is not written in UTF-8; rename the file or folder.
    """
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = path.encode("utf-8", "backslashreplace").decode()
        raise ConfigError(f"The path {shown} is not written in UTF-8; rename the file or folder.") from None
    return path


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
