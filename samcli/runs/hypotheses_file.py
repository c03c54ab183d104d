"""The file of an experiment's hypotheses: what was expected, and since when."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from samcli.config.hypotheses import Hypothesis, hypotheses_of
from samcli.config.source import Source
from samcli.errors import ConfigError, ResultsError
from samcli.runs.door import read_json
from samcli.runs.files import write_atomic

NAME = "hypotheses.json"


@dataclass(frozen=True)
class Recorded:
    """A hypothesis of an experiment as its folder has it.

    Attributes:
        hypothesis: what is expected.
        first_seen: when a command first met it, a date and time of UTC.
        finished_before: how many runs of the experiment had finished by then; none where it was written before them.
        withdrawn: when a command met the experiment without it; None while it stands.
    """

    hypothesis: Hypothesis
    first_seen: str
    finished_before: int
    withdrawn: str | None = None


def recorded(experiment: Path) -> list[Recorded]:
    """The hypotheses that the folder of an experiment has, those that were withdrawn too; what is damaged is left out.

    >>> recorded(Path("nowhere"))
    []
    """
    try:
        content = read_json(experiment / NAME)
    except (ResultsError, OSError):
        return []
    entries = content.get("hypotheses") if isinstance(content, dict) else None
    listed = entries if isinstance(entries, list) else []
    found = (_entry(one, experiment / NAME) for one in listed if isinstance(one, dict))
    return [one for one in found if one is not None]


def lost(experiment: Path) -> str:
    """A sentence on hypotheses in the folder of an experiment that count as none, for they are damaged or were edited.

    >>> lost(Path("nowhere"))
    ''
    """
    file = experiment / NAME
    if not file.exists():
        return ""
    try:
        content = read_json(file)
    except (ResultsError, OSError):
        return f"{file} cannot be read, so that what was expected of these runs is not known."
    entries = content.get("hypotheses")
    number = len(entries) - len(recorded(experiment)) if isinstance(entries, list) else 1
    if not number:
        return ""
    are = "is not as samcli wrote it, and counts" if number == 1 else "are not as samcli wrote them, and count"
    return (
        f"{number} of the hypotheses in {file} {are} as none; train from the experiment's file to have it written anew."
    )


def asked_settings(experiment: Path) -> frozenset[str] | None:
    """The settings that an experiment asks for, see `samcli.runs.reader.setting_digest`; None if unknown.

    >>> asked_settings(Path("nowhere")) is None
    True
    """
    try:
        listed = read_json(experiment / NAME).get("settings")
    except (ResultsError, OSError):
        return None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        return None  # of a version that did not keep them
    return frozenset(listed)


def record(
    experiment: Path, hypotheses: Sequence[Hypothesis], finished: int, settings: Collection[str] | None = None
) -> None:
    """Keep the hypotheses of an experiment with the date on which they were first met; nothing is forgotten.

    One that is kept and no longer among these counts as withdrawn from now on; one that comes back keeps its date.

    Args:
        experiment: its folder.
        hypotheses: those of its file today.
        finished: how many of its runs have finished by now.
        settings: see `asked_settings`; runs of others, which an earlier version of the file asked for, are no evidence.

    Raises:
        ResultsError: the file cannot be written.

    >>> import tempfile
    >>> source = Source({"hypotheses": [{"says": "it helps", "better": {"optimizer": "sam"}, "than": {"seeds": 0}}]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record(Path(folder), hypotheses_of(source), finished=0)
    ...     record(Path(folder), [], finished=2)
    ...     (one,) = recorded(Path(folder))
    >>> one.hypothesis.says, one.finished_before, one.withdrawn is None
    ('it helps', 0, False)
    """
    known = {one.hypothesis.digest: one for one in recorded(experiment)}
    if not (known or hypotheses):
        return
    now = datetime.now(UTC).isoformat(timespec="seconds")
    today = {one.digest: Recorded(one, now, finished) for one in hypotheses}
    entries = []
    for digest, one in {**today, **known}.items():
        told = today.get(digest, one).hypothesis  # with what is said beside it today
        withdrawn = None if digest in today else one.withdrawn or now
        entries.append(
            {
                "document": dict(told.document),
                "digest": digest,
                "first_seen": one.first_seen,
                "finished_before": one.finished_before,
                "withdrawn": withdrawn,
            }
        )
    asked = {} if settings is None else {"settings": sorted(settings)}
    text = json.dumps({"hypotheses": entries, **asked}, indent=1, ensure_ascii=False)
    experiment.mkdir(parents=True, exist_ok=True)
    write_atomic(experiment / NAME, text.encode())


def _entry(one: dict[str, Any], file: Path) -> Recorded | None:
    try:
        (hypothesis,) = hypotheses_of(Source({"hypotheses": [one.get("document")]}, str(file)))
    except ConfigError:
        return None
    seen, before, withdrawn = (one.get(key) for key in ("first_seen", "finished_before", "withdrawn"))
    if not isinstance(seen, str) or not isinstance(before, int) or isinstance(before, bool):
        return None
    if one.get("digest") != hypothesis.digest:  # whoever edits what was expected has another expectation
        return None
    return Recorded(hypothesis, seen, before, withdrawn if isinstance(withdrawn, str) else None)
