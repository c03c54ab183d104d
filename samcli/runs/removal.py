"""Removing runs: nothing but what samcli wrote, nothing that is at work, and never half of a run."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from samcli.errors import ResultsError, RunBusy
from samcli.runs.lease import Lease
from samcli.runs.listing import Listed, look

# what a run, its checkpoint that was put aside, and samcli sharpness leave; the hidden ones are being written
_OURS = re.compile(
    r"config\.yaml|run\.json|metrics\.csv|sharpness\.json|log\.txt|checkpoint\.(pt|damaged|foreign)(-\d+)?|\..+"
)
_SIGNS = ("config.yaml", "run.json", "checkpoint.pt")
_ASIDE = ".removed-"


def objection(run: Listed, named: Sequence[Path]) -> str | None:
    """Why a run's folder is not removed, in words that follow its name; None if it may be.

    Args:
        run: as it was listed.
        named: the paths that it was listed from.

    >>> objection(Listed(Path("nowhere"), "failed"), [Path("nowhere")])
    'is no folder of a run'
    """
    if run.owner and run.owner.alive:
        return run.owner.words().rstrip(".")
    links = [path for path in (run.folder, *run.folder.parents) if path.is_symlink() and _is_within(path, named)]
    if links:
        return f"lies behind the symbolic link {links[0]}; name the folder that it points to"
    try:
        entries = list(os.scandir(run.folder))
    except OSError:
        return "is no folder of a run"
    if not any(entry.name in _SIGNS and entry.is_file(follow_symlinks=False) for entry in entries):
        return "is no folder of a run"
    foreign = sorted(
        entry.name for entry in entries if not _OURS.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False)
    )
    return f"holds {foreign[0]}, which samcli did not write; move it away first" if foreign else None


def bytes_of(folder: Path) -> int:
    """The bytes of the files in a folder.

    >>> bytes_of(Path("nowhere"))
    0
    """
    try:
        return sum(entry.stat(follow_symlinks=False).st_size for entry in os.scandir(folder))
    except OSError:
        return 0


def remove(run: Listed, named: Sequence[Path]) -> None:
    """Remove a run's folder if it still is as it was listed. A kill leaves all of it, or a hidden rest that is no run.

    Args:
        run: as it was listed.
        named: the paths that it was listed from.

    Raises:
        ResultsError: it is kept, and why.
    """
    fault = objection(run, named)
    if fault is None:
        aside = run.folder.with_name(f"{_ASIDE}{run.folder.name[:100]}-{secrets.token_hex(4)}")
        try:
            silent = run.owner.token if run.owner else None  # one that is alive was objected to
            with Lease(run.folder, dead=silent):  # whoever would train it now is refused, or had it before
                now = look(run.folder, beside=os.getpid())
                if now.state == run.state:
                    run.folder.rename(aside)
                else:
                    fault = f"is {now.state} by now"
        except RunBusy as error:
            raise ResultsError(f"Kept: {error}") from None
        except OSError as error:
            fault = f"cannot be removed: {error.strerror}"
    if fault is not None:
        raise ResultsError(f"Kept: {run.folder} {fault}.")
    for rest in run.folder.parent.glob(f"{_ASIDE}*"):  # that of a removal that was killed, too
        if rest.is_dir() and not rest.is_symlink():
            shutil.rmtree(rest, ignore_errors=True)


def _is_within(path: Path, named: Sequence[Path]) -> bool:
    """Whether a path is one of those that were named, or lies below one."""
    return any(path == one or one in path.parents for one in named)
