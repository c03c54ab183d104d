"""Judged hypotheses as a table, and as the rows of Markdown, LaTeX, CSV and JSON."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.escape import csv_cell, json_text, latex_text, markdown_text
from samcli.report.judgement import Judgement, Outcome
from samcli.report.text_table import text_table

HEADINGS = ("Verdict", "Hypothesis", "Found", "n", "p")


def judged_records(found: Sequence[Judgement]) -> list[dict[str, Any]]:
    """The judgements as plain values, one row each, numbers unrounded.

    >>> judged_records([])
    []
    """
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
            "found": one.evidence.words if one.evidence else "",
            "why": one.why,
            "first_seen": one.recorded.first_seen,
            "finished_before": one.recorded.finished_before,
            "digest": one.recorded.hypothesis.digest,
        }
        for one in found
    ]


def judged_table(found: Sequence[Judgement], *, width: int | None = 100, color: bool = False) -> str:
    """A row for each hypothesis, see `samcli.report.text_table.text_table`; nothing without any.

    >>> judged_table([])
    ''
    """
    return text_table([_texts(one) for one in found], width=width, color=color)


def judged_legend(found: Sequence[Judgement]) -> list[str]:
    """Sentences that explain the table.

    >>> judged_legend([])
    []
    """
    if not found:
        return []
    adjusted = f", adjusted for {len(found)} hypotheses by Holm's method" * (len(found) > 1)
    lines = [f"Held or contradicted: p < 0.05 by an exact sign-flip test over seeds{adjusted}; equality by t tests."]
    after = [one for one in found if one.recorded.finished_before]
    if after:
        lines.append(f"*: written after runs of the experiment had finished ({len(after)} of {len(found)}).")
    return lines


def judged_markdown(found: Sequence[Judgement]) -> str:
    """The table in Markdown, with its legend; nothing without hypotheses.

    >>> judged_markdown([])
    ''
    """
    if not found:
        return ""
    rows = [[markdown_text(text) for text in _texts(one).values()] for one in found]
    lines = [HEADINGS, ["---"] * len(HEADINGS), *rows]
    table = "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
    return table + "\n" + "".join(f"- {markdown_text(line)}\n" for line in judged_legend(found))


def judged_latex(found: Sequence[Judgement]) -> str:
    """A floating table in LaTeX, with its legend; nothing without hypotheses.

    >>> judged_latex([])
    ''
    """
    if not found:
        return ""
    rows = [" & ".join(latex_text(text) for text in _texts(one).values()) + r" \\" for one in found]
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\small",
            r"\caption{Hypotheses.}",
            r"\begin{tabular}{@{}lp{0.33\linewidth}p{0.3\linewidth}rr@{}}",
            r"\toprule",
            " & ".join(HEADINGS) + r" \\",
            r"\midrule",
            *rows,
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\medskip",
            rf"{{\footnotesize {latex_text(' '.join(judged_legend(found)))}\par}}",
            r"\end{table}",
            "",
        ]
    )


def judged(found: Sequence[Judgement], form: str, *, width: int | None = 100, color: bool = False) -> str:
    r"""The hypotheses alone, in any of the formats of a comparison.

    >>> judged([], "json")
    '[]\n'
    """
    records = judged_records(found)
    if form == "json":
        return json_text(records) + "\n"
    if form == "markdown":
        return judged_markdown(found)
    if form == "latex":
        return judged_latex(found)
    if form == "csv":
        text = io.StringIO()
        writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: csv_cell(value) for key, value in record.items()} for record in records)
        return text.getvalue()
    return judged_table(found, width=width, color=color) + "".join(f"{line}\n" for line in judged_legend(found))


def _texts(one: Judgement) -> Mapping[str, str]:
    after = " *" if one.recorded.finished_before else ""
    n = "" if one.evidence is None else str(one.evidence.n)
    p = "" if one.p is None else f"{one.p:.4f}" if one.p >= 0.0001 else "<0.0001"
    return dict(zip(HEADINGS, (str(one.outcome), one.says + after, _found(one), n, p), strict=True))


def _found(one: Judgement) -> str:
    """The estimate, what kept it from being judged, and how many seeds would decide."""
    parts = [one.evidence.words] if one.evidence else []
    if one.why:
        parts.append(one.why.removesuffix("."))
    if one.outcome is Outcome.UNDECIDED and one.evidence:
        parts.append(f"about {one.seeds} seeds would decide" if one.seeds else "no 1,000 seeds would decide")
    return "; ".join(parts)
