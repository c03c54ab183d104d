"""Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.escape import markdown_text
from samcli.report import cells
from samcli.report.cells import Column
from samcli.report.judged_table import hypotheses_table
from samcli.report.row import Comparison
from samcli.report.small_table import in_markdown


def markdown(comparison: Comparison, columns: Sequence[Column] | None = None) -> str:
    """A table, aligned also as plain text, and a list of what a reader must know; see `samcli.report.formats.render`.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> print(markdown(compare(example_runs())).splitlines()[2][:57])
    | digits   | cnn   | sam       | rho=0.05 |   2 | 82.50 ±
    """
    rows = [cells.cells(row) for row in comparison.rows]
    if columns and cells.SETTINGS not in columns:
        rows = [{**text, cells.OPTIMIZER: row.who} for text, row in zip(rows, comparison.rows, strict=True)]
    columns = columns or cells.used_columns(rows)
    body = [[row[column] if column.is_number else markdown_text(row[column]) for column in columns] for row in rows]
    head = [cells.heading(column, rows) for column in columns]
    widths = [max(3, *map(len, texts)) for texts in zip(head, *body, strict=True)]

    def line(texts: Sequence[str]) -> str:
        padded = [
            text.rjust(width) if column.is_number else text.ljust(width)
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + (":" if c.is_number else "-") for width, c in zip(widths, columns, strict=True)]
    below = [markdown_text(line) for line in cells.legend(comparison, columns)]
    hypotheses = f"\n{in_markdown(hypotheses_table(comparison.judgements))}" if comparison.judgements else ""
    below += [f"**Note:** {markdown_text(note)}" for note in comparison.notes]
    return "\n".join([*map(line, [head, rule, *body]), "", *(f"- {text}" for text in below)]) + "\n" + hypotheses
