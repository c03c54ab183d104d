"""Hypotheses judged by runs: held, contradicted or undecided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from samcli.report.hypotheses import KINDS, Cases, Evidence, Untestable
from samcli.runs.hypotheses_file import Recorded
from samcli.runs.reader import Run
from samcli.stats import holm, pairs_needed, pairs_to_decide
from samcli.stats.sign_flip import SMALLEST
from samcli.stats.verdict import LEVEL
from samcli.words import count


class Outcome(StrEnum):
    """What became of a hypothesis."""

    HELD = "held"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Judgement:
    """A hypothesis and what runs say of it.

    Attributes:
        recorded: the hypothesis, with the date on which it was first met.
        outcome: held or contradicted only where the adjusted p-value is below 0.05.
        evidence: what the runs say; None where they cannot say anything.
        p: of the claim, adjusted over all hypotheses of the experiment by Holm's method; of its opposite where that is
            what the runs speak for.
        seeds: how many would probably decide what is undecided; None beyond 1,000, and where nothing is known.
        leaning: how they would decide it, if the runs go on like this; None where nothing is known.
        why: a sentence on what keeps it from being judged; empty if nothing does.
        experiment: the folder that states it; empty if that was not said.
    """

    recorded: Recorded
    outcome: Outcome
    evidence: Evidence | None
    p: float | None = None
    seeds: int | None = None
    leaning: Outcome | None = None
    why: str = ""
    experiment: str = ""

    @property
    def says(self) -> str:
        """The hypothesis in words."""
        return self.recorded.hypothesis.says


def judge(hypotheses: Sequence[Recorded], runs: Sequence[Run]) -> list[Judgement]:
    """Judge hypotheses that stand, by the runs of their experiment.

    The p-values of what they say are adjusted among themselves, and so are those of the opposites, so that the chance
    of any wrong *held* stays below 5 %, and that of any wrong *contradicted* too.

    Args:
        hypotheses: of the experiment; those that were withdrawn are not judged.
        runs: of the experiment, one for each setting and seed.

    >>> judge([], [])
    []
    """
    standing = [one for one in hypotheses if one.withdrawn is None]
    cases = Cases(runs)
    found = [_evidence(one, cases) for one in standing]
    tested = [index for index, one in enumerate(found) if isinstance(one, Evidence) and one.p_held is not None]
    # those that nothing can be said of yet are part of the family all the same
    others = [1.0] * (len(standing) - len(tested))
    held = dict(zip(tested, holm([*(found[i].p_held for i in tested), *others]), strict=False))  # type: ignore[union-attr, list-item]
    against = dict(zip(tested, holm([*(found[i].p_contradicted for i in tested), *others]), strict=False))  # type: ignore[union-attr, list-item]
    return [
        _judgement(recorded, one, held.get(index), against.get(index), len(standing))
        for index, (recorded, one) in enumerate(zip(standing, found, strict=True))
    ]


def _evidence(recorded: Recorded, cases: Cases) -> Evidence | str:
    """What the runs say, or why they say nothing."""
    one = recorded.hypothesis
    if not cases.runs:
        return "No run has finished yet."
    try:
        return KINDS[one.kind](cases, one.fields)
    except Untestable as error:
        return str(error)


def _judgement(
    recorded: Recorded, found: Evidence | str, held: float | None, against: float | None, family: int
) -> Judgement:
    if isinstance(found, str):
        return Judgement(recorded, Outcome.UNDECIDED, None, why=found)
    if held is None or against is None:
        why = f"{count(found.n, 'seed')}, and no test is possible below {SMALLEST}."
        return Judgement(
            recorded, Outcome.UNDECIDED, found, seeds=_seeds(found, family), leaning=_leaning(found), why=why
        )
    if held < LEVEL:
        return Judgement(recorded, Outcome.HELD, found, held)
    if against < LEVEL:
        return Judgement(recorded, Outcome.CONTRADICTED, found, against)
    return Judgement(recorded, Outcome.UNDECIDED, found, min(held, against), _seeds(found, family), _leaning(found))


def _seeds(found: Evidence, family: int) -> int | None:
    """How many seeds would probably decide: so many that the test can, and finds an effect of this size."""
    effect = pairs_to_decide(found.effect, LEVEL / family) if found.effect else None
    return None if effect is None else max(effect, pairs_needed(family), found.n + 1)


def _leaning(found: Evidence) -> Outcome | None:
    """How more runs like these would decide: by the sign of the least certain effect."""
    if not found.effect:
        return None
    return Outcome.HELD if found.effect > 0.0 else Outcome.CONTRADICTED
