"""Claims as a table, and one of them in words."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from samcli.config import RunConfig
from samcli.config.claim import Claim
from samcli.report.claimed import Claimed
from samcli.report.small_table import SmallTable
from samcli.words import lasting

WIDTH = 100  # characters of a line of a paragraph
NOT_RUN = "not run"


def claims_table(claims: Sequence[tuple[Sequence[RunConfig], Claim, Mapping[str, Claimed]]]) -> SmallTable:
    """All claims: what each says, who, what is known so far, and what it takes.

    Args:
        claims: of each its runs, the claim, and what is known of any by their names.

    >>> claims_table([]).texts
    []
    """
    texts, records = [], []
    for runs, claim, known in claims:
        name = runs[0].name
        found = known.get(name)
        verdict = str(found.outcome) if found else NOT_RUN
        texts.append(
            {
                "Claim": name,
                "Says": claim.says,
                "Source": claim.source,
                "Here": verdict,
                "Runs": str(len(runs)),
                "Time": lasting(claim.seconds) if claim.seconds else "",
            }
        )
        records.append(
            {
                "name": name,
                "says": claim.says,
                "source": claim.source,
                "where": claim.where,
                "verdict": verdict,
                "runs": len(runs),
                "seconds": claim.seconds,
                "full": bool(claim.full),
            }
        )
    legend = [
        "Here: what the runs on this machine say; Time: of all runs, about, on two cores.",
        "Run one: samcli claims NAME; all that fit into an hour: samcli claims --all --within 1h.",
    ]
    return SmallTable(
        "Claims.", texts, records, legend, columns=r"lp{0.4\linewidth}lllr", dispensable=["Source", "Runs"]
    )


def claim_lines(found: Claimed, results: Path, *, before: bool, width: int | None = None) -> list[str]:
    """What stands before the table of a claim's hypotheses, or below it.

    >>> from samcli.config.claim import Claim
    >>> found = Claimed("noise", Claim("it helps", "Foret et al.", "Table 1", differs="smaller"), ())
    >>> for line in claim_lines(found, Path("results"), before=True):
    ...     print(line)
    noise: it helps
    Foret et al., Table 1
    Verdict: undecided: nothing is known yet.

    Args:
        found: the claim.
        results: the folder where its files lie.
        before: whether before the table.
        width: of the terminal, in characters; None where there is none.
    """
    claim = found.claim
    if before:
        lines = [f"{found.name}: {claim.says}", f"{claim.source}, {claim.where}", f"Verdict: {found.words()}"]
        return [
            part for line in lines for part in textwrap.wrap(line, min(width or WIDTH, WIDTH), break_long_words=False)
        ]
    baseline = "" if found.baseline == "sgd" else f" --baseline {found.baseline}"
    return [
        *([f"Published: {claim.published}"] if claim.published else []),
        *([f"Their setting: {claim.setting}"] if claim.setting else []),
        *([f"Here: {claim.differs}"] if claim.differs else []),
        *([f"Not tried at size: {claim.not_at_size}"] if claim.not_at_size else []),
        *(f"Mind: {trap}" for trap in claim.traps),
        f"All of it: samcli compare {results / found.name}{baseline}",
    ]
