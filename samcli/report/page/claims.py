"""The section of a page on claims of the literature: what each says, what was published, and what was found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from samcli.report.claimed import Claimed, claimed
from samcli.report.judged_table import hypotheses_table, judged_legend
from samcli.report.judgement import Outcome
from samcli.report.page.parts import chip, folded, name, paragraphs, table
from samcli.runs.reader import Run
from samcli.words import joined


def claims(runs: Sequence[Run]) -> str:
    """How many claims held, and each with its numbers and those of its source; nothing without a claim.

    >>> claims([])
    ''
    """
    found = claimed(runs)
    if not found:
        return ""
    counts = Counter(one.outcome for one in found)
    glance = joined([f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]])
    each = "".join(map(_claim, found))
    legend = judged_legend([judgement for one in found for judgement in one.judgements])
    return f"{paragraphs([f'Of {len(found)}: {glance}.'], 'lead')}{each}{paragraphs(legend)}"


def _claim(one: Claimed) -> str:
    claim = one.claim
    rows = [dict(row) for row in hypotheses_table(one.judgements).texts]
    headings = ["Hypothesis", *(heading for heading in rows[0] if heading != "Hypothesis")] if rows else []
    numbers = (
        table(headings, rows, caption=f"{one.name}: hypotheses", numbers=["n", "p"], verdict="Verdict") if rows else ""
    )
    told = [
        *([f"Published: {claim.published}"] if claim.published else []),
        *([f"Their setting: {claim.setting}"] if claim.setting else []),
        *([f"Here: {claim.differs}"] if claim.differs else []),
        *([f"Not tried at size: {claim.not_at_size}"] if claim.not_at_size else []),
        *(f"Mind: {trap}" for trap in claim.traps),
        f"The runs: {one.judgements[0].experiment if one.judgements else one.name}",
    ]
    words = "" if one.outcome is Outcome.HELD else f"<p>{name(one.words())}</p>"
    return (
        f"<h3>{chip(str(one.outcome))} {name(claim.says)}</h3><p>{name(f'{claim.source}, {claim.where}')}</p>{words}"
        f"{numbers}{folded('Published numbers, settings and traps', paragraphs(told))}"
    )
