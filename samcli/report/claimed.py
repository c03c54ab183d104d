"""Claims of the literature, and what the runs of their experiments say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from samcli.config.claim import Claim
from samcli.report.judgement import Judgement, Outcome
from samcli.report.judging import judged_experiments
from samcli.runs.claim_file import recorded_claim
from samcli.runs.reader import Run
from samcli.words import joined


@dataclass(frozen=True)
class Claimed:
    """A claim and what became of it.

    Attributes:
        name: of its experiment.
        claim: what the literature says.
        judgements: of the hypotheses of the experiment, in their order.
        baseline: the optimizer that the others are compared to, see `baseline_of`.
    """

    name: str
    claim: Claim
    judgements: tuple[Judgement, ...]
    baseline: str = "sgd"

    @property
    def rests_on(self) -> tuple[Judgement, ...]:
        """The judgements that decide it: those of no contrast."""
        return tuple(one for one in self.judgements if not one.recorded.hypothesis.contrast)

    @property
    def outcome(self) -> Outcome:
        """Held if all that it rests on is, contradicted if anything of that is, else undecided."""
        found = {one.outcome for one in self.rests_on}
        if Outcome.CONTRADICTED in found:
            return Outcome.CONTRADICTED
        return Outcome.HELD if found == {Outcome.HELD} else Outcome.UNDECIDED

    def words(self) -> str:
        """What became of it, in a sentence.

        >>> Claimed("noise", Claim("it helps", "Foret et al.", "Table 1"), ()).words()
        'undecided: nothing is known yet.'
        """
        if not any(one.evidence for one in self.rests_on):
            return f"{Outcome.UNDECIDED}: nothing is known yet."
        seeds = [one.seeds for one in self.rests_on if one.outcome is Outcome.UNDECIDED]
        if self.outcome is not Outcome.UNDECIDED:
            against = [one.says for one in self.rests_on if one.outcome is Outcome.CONTRADICTED]
            told = f", for it is not so that {joined(against)}" if against else ""
            return f"{self.outcome}{told}."
        if unknown := [one.says for one in self.rests_on if one.evidence is None]:
            return f"{self.outcome}: nothing tells yet whether {joined(unknown)}."
        if any(one.evidence and one.evidence.effect is None for one in self.rests_on):
            return f"{self.outcome}: nothing tells how many seeds would decide it."
        if None in seeds:
            return f"{self.outcome}: no 1,000 seeds would probably decide it."
        return f"{self.outcome}: about {max(filter(None, seeds))} seeds would probably decide it."


def claimed(runs: Sequence[Run]) -> list[Claimed]:
    """The claims of the experiments of some runs, each judged by all the runs in its folder.

    >>> claimed([])
    []
    """
    places = dict.fromkeys(run.folder.parent for run in runs)
    claims = {place: claim for place in places if (claim := recorded_claim(place)) is not None}
    judged = judged_experiments([run for run in runs if run.folder.parent in claims])[0]
    return [
        Claimed(
            place.name,
            claim,
            tuple(one for one in judged if Path(one.experiment) == place),
            baseline_of([run for run in runs if run.folder.parent == place]),
        )
        for place, claim in claims.items()
    ]


def baseline_of(runs: Sequence[Run]) -> str:
    """The optimizer without a radius, to which the others are compared; where all have one, that of the first run.

    >>> from samcli.report.example import example_runs
    >>> baseline_of(example_runs())
    'sgd'
    """
    return str(next((run for run in runs if "rho" not in run.config["optimizer"]), runs[0]).config["optimizer"]["name"])
