"""Which claims are asked for: by name, by file, or those that tell most in the time there is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from samcli import shipped
from samcli.cli.afterwards import check_afterwards
from samcli.cli.draft import draft_of
from samcli.cli.output import hint
from samcli.cli.training import Training
from samcli.errors import ConfigError, SamcliError
from samcli.words import count, lasting

if TYPE_CHECKING:
    from samcli.config import Draft, RunConfig
    from samcli.report.claimed import Claimed

FOLDER = "claims"  # of those that come with samcli
UNITS = {"s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True)
class Asked:
    """A claim to run.

    Attributes:
        name: of its experiment.
        draft: the experiment, with the seeds that were asked for.
        runs: all of them.
    """

    name: str
    draft: Draft
    runs: list[RunConfig]


def claim_names() -> list[str]:
    """The names of the claims that come with samcli.

    >>> all("/" not in name for name in claim_names())
    True
    """
    before = f"{FOLDER}/"
    return [name.removeprefix(before) for name in shipped.names() if name.startswith(before)]


def seconds_of(words: str) -> float:
    """The seconds that a time has, as people write it.

    Raises:
        ConfigError: it is none, or of nothing.

    >>> seconds_of("2h"), seconds_of("45 min")
    (7200.0, 2700.0)
    """
    number = words.strip().rstrip("smindh ")
    try:
        seconds = float(number) * UNITS[words.strip().removeprefix(number).strip()]
    except (ValueError, KeyError):
        raise ConfigError(f"--within {words} must be a time such as 90s, 45min, 2h or 1d.") from None
    if not 0.0 < seconds < 1e9:
        raise ConfigError(f"--within {words} must be a time such as 90s, 45min, 2h or 1d.")
    return seconds


def shipped_claim(name: str) -> Path:
    """The file of a claim that comes with samcli, one of `claim_names`, whatever the current folder has.

    >>> shipped_claim("noise").name
    'noise.yaml'
    """
    found = shipped.path_of(f"{FOLDER}/{name}")
    assert found is not None
    return found


def claim_file(name: str) -> Path:
    """The file of a claim: one that is there, else that of the claim of that name, also as experiments are named.

    Raises:
        ConfigError: there is none, or it is given as a file that is not there.

    >>> claim_file("noise") == claim_file("claims/noise")
    True
    """
    given = Path(name)
    if given.is_file():
        return given
    if given.suffix:
        if given.suffix in (".yaml", ".yml") and (plain := given.stem.replace("_", "-")) in claim_names():
            raise ConfigError(
                f"There is no file {given}; the one that comes with samcli is named {plain}, without {given.suffix}."
            )
        return given
    name = name.removeprefix(f"{FOLDER}/")
    if (found := shipped.path_of(f"{FOLDER}/{name}")) is None:
        near = shipped.nearest_names(name, claim_names(), "samcli claims")
        raise ConfigError(f"There is neither a claim {name!r} nor a file of that name; {near}.")
    return found


def asked_for(name: str, how: Training, *, plugins: Sequence[str], seeds: Sequence[str] | None, full: bool) -> Asked:
    """A claim with its runs.

    Args:
        name: of one that comes with samcli, or a file.
        how: its runs are trained.
        plugins: Python files to load.
        seeds: in the words of `--seeds`; None for those of the file.
        full: whether at the size of its source.

    Raises:
        ConfigError: its file is not sound, makes no claim, or one that nothing could decide.
    """
    file = claim_file(name)
    draft = draft_of(file, full=full, plugins=plugins, chosen={}, seeds=seeds, shorthand={}, results=how.results)
    if draft.claim is None or not draft.hypotheses:
        lacking = "claim" if draft.claim is None else "hypotheses"
        raise ConfigError(f"{file} says nothing under {lacking}: that could be put to a test; see docs/own_claims.md.")
    if all(one.contrast for one in draft.hypotheses):
        raise ConfigError(f"{file}: all hypotheses are contrasts, so that nothing decides the claim; let one be none.")
    check_afterwards(draft.claim.afterwards)
    runs = how.checked(draft)
    _check_name(file, runs[0].name)
    return Asked(runs[0].name, draft, runs)


def _check_name(file: Path, name: str) -> None:
    """Refuse a claim of one's own by the name of one that comes with samcli: its runs would be taken for that one's.

    Raises:
        ConfigError: it is called so.
    """
    theirs = name.removesuffix("-full")
    if theirs in claim_names() and file.read_bytes() != shipped_claim(theirs).read_bytes():
        raise ConfigError(
            f"{file}: name: {theirs} is that of a claim that comes with samcli, whose runs these would be taken for; "
            "give yours a name of its own."
        )


def seconds_left(one: Asked, how: Training) -> float:
    """How long the runs take that a claim has left: by finished ones like them, else by what its file says of all.

    Infinite where nobody knows.
    """
    assert one.draft.claim is not None
    told = one.draft.claim.seconds or math.inf
    try:
        cells = how.plan(one.runs)
        found = how.estimate(cells, how.slots(cells))
    except SamcliError:  # whoever runs it is told
        return told
    if not found.unknown:
        return found.seconds
    return told * sum(cell.epochs_left > 0 for cell in cells) / len(cells)


def most_informative(
    asked: Sequence[Asked], found: Sequence[Claimed], seconds: float | None, left: Mapping[str, float]
) -> list[Asked]:
    """The claims in the order of the time that each open hypothesis takes, and of them those that fit.

    One that is decided comes last, and before it one of which nobody knows how long it takes; that one fits where there
    is no limit.

    Args:
        asked: all of them.
        found: what is known of claims so far.
        seconds: that there are; None for any number.
        left: how long each takes, see `seconds_left`.

    >>> most_informative([], [], 60.0, {})
    []
    """
    known = {one.name: one for one in found}

    def open_ones(one: Asked) -> int:
        decided = sum(str(j.outcome) != "undecided" for j in known[one.name].judgements) if one.name in known else 0
        return max(len(one.draft.hypotheses) - decided, 0)

    ordered = sorted(asked, key=lambda one: (not open_ones(one), left[one.name] / max(open_ones(one), 1), one.name))
    if seconds is None:
        return ordered
    fitting, room = [], seconds
    for one in ordered:
        if left[one.name] <= room:
            fitting.append(one)
            room -= left[one.name]
    if passed := len(ordered) - len(fitting):
        hint(f"{count(passed, 'claim')} would take longer than the {lasting(seconds)} leave room for.")
    return fitting


def known_claims(results: Path) -> list[Claimed]:
    """What is known of claims by the runs in a results folder."""
    from samcli.report.claimed import claimed
    from samcli.runs.reader import scan

    return claimed(scan([results])[0]) if results.is_dir() and any(results.iterdir()) else []
