"""Removing runs: nothing but what samcli wrote, nothing that is at work, and never half of a run."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from samcli.errors import ResultsError, RunBusy
from samcli.runs.lease import Lease
from samcli.runs.listing import Listed, look
from samcli.runs.owner import Watch

# what a run, its checkpoint that was put aside, and samcli sharpness leave; the hidden ones are being written
_OURS = re.compile(
    r"config\.yaml|run\.json|metrics\.csv|sharpness\.json|log\.txt|checkpoint\.(pt|damaged|foreign)(-\d+)?|\.owner\.json"
    r"|\..+[.-][0-9a-f]{8}\.tmp"
)
_SIGNS = ("config.yaml", "run.json", "checkpoint.pt")
SECONDS_BETWEEN_LOOKS = 1.0
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


def dead_claims(runs: Sequence[Listed]) -> set[str]:
    """The claims of other machines on these runs that are dead: they were watched for as long as it takes to be sure.

    >>> dead_claims([Listed(Path("nowhere"), "failed")])
    set()
    """
    watch = Watch()
    dead: set[str] = set()
    waiting = {run.folder: run.owner for run in runs if run.owner and run.owner.standing == "unknown"}
    while waiting:
        for folder, listed in list(waiting.items()):
            owner = watch.owner_of(folder, {})
            if owner and owner.standing == "gone" and owner.token:
                dead.add(owner.token)
            elif owner and owner.standing == "unknown" and owner.token and owner.beat == listed.beat:
                continue
            del waiting[folder]  # it has shown itself, or ended
        time.sleep(SECONDS_BETWEEN_LOOKS if waiting else 0.0)
    return dead


def remove(run: Listed, named: Sequence[Path], dead: Collection[str] = ()) -> None:
    """Remove a run's folder if it still is as it was listed. A kill leaves all of it, or a hidden rest that is no run.

    Args:
        run: as it was listed.
        named: the paths that it was listed from.
        dead: the claims of other machines that are known to be dead, see `dead_claims`.

    Raises:
        ResultsError: it is kept, and why.
    """
    fault = objection(run, named)
    if fault is None:
        aside = run.folder.with_name(f"{_ASIDE}{run.folder.name[:100]}-{secrets.token_hex(4)}")
        try:
            claim = run.owner.token if run.owner else None
            with Lease(
                run.folder, dead=claim if claim in dead else None
            ):  # whoever would train it now is refused, or had it before
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
