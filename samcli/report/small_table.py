r"""Tables beside the comparison of all rows, in any of its formats: hypotheses, several tasks, sensitivity.

>>> rows, records = [{"Optimizer": "sgd", "Rank": "1.5"}], [{"optimizer": "sgd", "rank": 1.5}]
>>> table = SmallTable("Ranks.", rows, records, ["Less is better."])
>>> print(written(table, "csv"), end="")
optimizer,rank
sgd,1.5
>>> print(written(table, "markdown"), end="")
| Optimizer | Rank |
| --- | --- |
| sgd | 1.5 |
<BLANKLINE>
- Less is better.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from samcli.escape import csv_cell, json_text, latex_text, markdown_text, visible
from samcli.report.text_table import GAP, PARAGRAPH, UNBROKEN, drawn, text_table
from samcli.words import joined

NAME = 16  # characters of a long name in the first column, in which it can be read


@dataclass(frozen=True)
class SmallTable:
    """What is to be written.

    Attributes:
        caption: of the table in LaTeX.
        texts: a row each for people, by heading; the same headings in all.
        records: a row each for programs, plain values, unrounded.
        legend: sentences that explain it.
        columns: how LaTeX sets the columns; None: the first to the left, the others to the right.
        dispensable: what a terminal leaves out first where there is little room.
    """

    caption: str
    texts: Sequence[Mapping[str, str]]
    records: Sequence[Mapping[str, Any]]
    legend: Sequence[str] = ()
    columns: str | None = None
    dispensable: Sequence[str] = ()


def written(table: SmallTable, form: str, *, width: int | None = 100, color: bool = False) -> str:
    """The table in one of the formats of a comparison.

    Args:
        table: any.
        form: "json", "markdown", "latex", "csv" or "table".
        width: of the terminal, in characters; for "table".
        color: whether the terminal shows bold text; for "table".
    """
    if form == "json":
        return json_text(list(table.records)) + "\n"
    if form == "markdown":
        return in_markdown(table)
    if form == "latex":
        return in_latex(table)
    if form == "csv":
        return in_csv(table.records)
    from rich.text import Text

    rows, dropped = _with_room(table, width)
    legend = list(table.legend)
    if dropped:
        legend.append(f"No room for {joined(dropped)} at this width; other formats have all columns.")
    lines = (drawn(Text(visible(line)), width or PARAGRAPH, color) for line in legend)
    return "".join([text_table(rows, width=width, color=color), *lines])


def _with_room(table: SmallTable, width: int | None) -> tuple[list[dict[str, str]], list[str]]:
    """The rows without the columns that there is no room for, and the headings of these."""
    rows = [dict(row) for row in table.texts]
    dropped = []
    for heading in table.dispensable if rows and width is not None else ():
        if _least_width(rows) <= (width or 0):
            break
        if heading in rows[0]:
            dropped.append(heading)
            rows = [{key: text for key, text in row.items() if key != heading} for row in rows]
    return rows, dropped


def _least_width(rows: Sequence[Mapping[str, str]]) -> int:
    """The width at which no column wraps but the first, and that only where its names are long."""
    name, *others = (max(len(heading), *(len(row[heading]) for row in rows)) for heading in rows[0])
    return (name if name <= UNBROKEN else NAME) + sum(others) + GAP * len(others)


def in_markdown(table: SmallTable) -> str:
    """The table with its legend; nothing without rows."""
    if not table.texts:
        return ""
    headings = list(table.texts[0])
    rows = [[markdown_text(text) for text in row.values()] for row in table.texts]
    lines = "".join(f"| {' | '.join(cells)} |\n" for cells in [headings, ["---"] * len(headings), *rows])
    return lines + "\n" + "".join(f"- {markdown_text(line)}\n" for line in table.legend)


def in_latex(table: SmallTable) -> str:
    """A floating table with its legend, for booktabs; nothing without rows."""
    if not table.texts:
        return ""
    headings = list(table.texts[0])
    columns = table.columns or "l" + "r" * (len(headings) - 1)
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            r"\footnotesize",
            r"\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{latex_text(table.caption)}}}",
            rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
            r"\toprule",
            " & ".join(map(latex_text, headings)) + r" \\",
            r"\midrule",
            *(" & ".join(latex_text(text) for text in row.values()) + r" \\" for row in table.texts),
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\medskip",
            rf"{{\scriptsize {latex_text(' '.join(table.legend))}\par}}",
            r"\end{table}",
            "",
        ]
    )


def in_csv(records: Sequence[Mapping[str, Any]]) -> str:
    """The records under their keys; cells that a spreadsheet would run are made harmless."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]) if records else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: csv_cell(value) for key, value in record.items()} for record in records)
    return text.getvalue()
