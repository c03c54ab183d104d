"""Judged hypotheses as a table, and as the rows of Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from samcli.report.cells import probability
from samcli.report.judgement import Judgement, Outcome
from samcli.report.small_table import SmallTable
from samcli.stats import pairs_needed
from samcli.words import count, joined

HEADINGS = ("Verdict", "Hypothesis", "Found", "n", "p")


def judged_records(found: Sequence[Judgement]) -> list[dict[str, Any]]:
    """The judgements as plain values, one row each, numbers unrounded.

    >>> judged_records([])
    []
    """
    names = experiment_names(found)
    return [
        {
            "says": one.says,
            "kind": one.recorded.hypothesis.kind,
            "verdict": str(one.outcome),
            "estimate": one.evidence.estimate if one.evidence else None,
            "low": one.evidence.low if one.evidence else None,
            "high": one.evidence.high if one.evidence else None,
            "n": one.evidence.n if one.evidence else 0,
            "p_adjusted": one.p,
            "seeds_to_decide": one.seeds,
            "leaning": str(one.leaning) if one.leaning else None,
            "found": one.evidence.words if one.evidence else "",
            "why": one.why,
            "first_seen": one.recorded.first_seen,
            "finished_before": one.recorded.finished_before,
            "published": one.recorded.hypothesis.published,
            "contrast": one.recorded.hypothesis.contrast,
            "digest": one.recorded.hypothesis.digest,
            "experiment": names[one.experiment],
        }
        for one in found
    ]


def judged_legend(found: Sequence[Judgement]) -> list[str]:
    """Sentences that explain the table.

    >>> judged_legend([])
    []
    """
    if not found:
        return []
    families = sorted(Counter(one.experiment for one in found).values())
    of_each = " of each experiment" * (len(families) > 1)
    numbers = joined([str(number) for number in dict.fromkeys(families)], "or")
    adjusted = f", adjusted for {numbers} hypotheses{of_each} by Holm's method" * (families[-1] > 1)
    lines = [f"Held or contradicted: p < 0.05 by an exact sign-flip test over seeds{adjusted}; equality by t tests."]
    seeds = max((one.evidence.n for one in found if one.evidence), default=0)
    if seeds and len(families) == 1 and seeds < (needed := pairs_needed(len(found))):
        number = "1 hypothesis" if len(found) == 1 else f"{len(found)} hypotheses"
        none = "cannot decide it" if len(found) == 1 else "can decide none of them"
        lines.append(f"{number} on {count(seeds, 'seed')}: with fewer than {needed} an exact test {none}.")
    if any(one.recorded.hypothesis.contrast for one in found):
        lines.append("Contrast: shows something beside a claim, which does not rest on it.")
    after = [one for one in found if one.recorded.finished_before]
    if after:
        lines.append(f"*: written after runs of the experiment had finished ({len(after)} of {len(found)}).")
    return lines


def hypotheses_table(found: Sequence[Judgement]) -> SmallTable:
    r"""The hypotheses alone, for any of the formats of a comparison.

    >>> from samcli.report.small_table import written
    >>> written(hypotheses_table([]), "json")
    '[]\n'
    """
    names = experiment_names(found)
    return SmallTable(
        caption="Hypotheses.",
        texts=[_experiment(one, names) | _texts(one) | _published(one, found) for one in found],
        records=judged_records(found),
        legend=judged_legend(found),
        columns="l" * (len(names) > 1)
        + r"lp{0.35\linewidth}p{0.33\linewidth}rr"
        + r"p{0.2\linewidth}" * any(one.recorded.hypothesis.published for one in found),
    )


def experiment_names(found: Sequence[Judgement]) -> dict[str, str]:
    """How the experiments are called: by the names of their folders, by whole paths where two are alike.

    >>> experiment_names([])
    {}
    """
    places = dict.fromkeys(one.experiment for one in found)
    short = Counter(Path(place).name for place in places)
    return {place: Path(place).name if short[Path(place).name] == 1 else place for place in places}


def _experiment(one: Judgement, names: Mapping[str, str]) -> dict[str, str]:
    """The cell that tells whose hypothesis it is, where several experiments state some."""
    return {"Experiment": names[one.experiment]} if len(names) > 1 else {}


def statement(one: Judgement) -> str:
    """What a hypothesis says, whether a claim rests on it, and whether it was written after runs had finished.

    >>> from types import SimpleNamespace as Stub
    >>> statement(Stub(says="it helps", recorded=Stub(hypothesis=Stub(contrast=True), finished_before=3)))
    'it helps (contrast) *'
    """
    beside = " (contrast)" if one.recorded.hypothesis.contrast else ""
    return f"{one.says}{beside}{' *' if one.recorded.finished_before else ''}"


def _texts(one: Judgement) -> dict[str, str]:
    n = "" if one.evidence is None else str(one.evidence.n)
    p = probability(one.p)
    return dict(zip(HEADINGS, (str(one.outcome), statement(one), found_in(one), n, p), strict=True))


def _published(one: Judgement, found: Sequence[Judgement]) -> dict[str, str]:
    """The cell of what others found, where any of the hypotheses tells that."""
    told = any(other.recorded.hypothesis.published for other in found)
    return {"Published": one.recorded.hypothesis.published} if told else {}


def found_in(one: Judgement) -> str:
    """The estimate, what kept it from being judged, and how many seeds would decide.

    >>> from types import SimpleNamespace as Stub
    >>> found_in(Stub(evidence=None, why="No run has finished yet.", outcome=Outcome.UNDECIDED))
    'No run has finished yet'
    """
    parts = [one.evidence.words] if one.evidence else []
    if one.why:
        parts.append(one.why.removesuffix("."))
    if one.outcome is Outcome.UNDECIDED and one.evidence and one.evidence.effect is not None:
        way = {Outcome.HELD: " for it", Outcome.CONTRADICTED: " against it"}.get(one.leaning or Outcome.UNDECIDED, "")
        decide = f"would probably decide{way}"
        parts.append(f"about {one.seeds} seeds {decide}" if one.seeds else f"no 1,000 seeds {decide}")
    return "; ".join(parts)
