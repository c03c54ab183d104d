"""Tables for a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from samcli.escape import visible
from samcli.metrics import title
from samcli.report import cells
from samcli.report.cells import Column
from samcli.report.row import Comparison, Row
from samcli.report.text_table import drawn

if TYPE_CHECKING:
    from rich.console import RenderableType


def table(comparison: Comparison, *, width: int, color: bool) -> str:
    """One table for each data set and model, which stand above it, then the legend and the notes.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> table(compare(example_runs()), width=80, color=False).splitlines()[0]
    'digits, cnn: test accuracy in %'
    """
    from rich.text import Text

    everywhere = [cells.cells(row) for row in comparison.rows]
    above = (cells.DATASET, cells.MODEL, cells.METRIC)
    below = (cells.SETTINGS, cells.RUNS)  # in the cell of the optimizer
    columns = [column for column in cells.used_columns(everywhere) if column not in (*above, *below)]
    parts = []
    for _, group in itertools.groupby(comparison.rows, key=lambda row: (row.place, row.metric)):
        rows = list(group)
        heading = Text(visible(f"{rows[0].where}: {title(rows[0].metric)}"), "bold")
        parts += [_lines(heading, width, color), _grid(rows, columns, width, color), "\n"]
    parts += [_lines(Text(visible(line), "dim"), width, color) for line in cells.legend(comparison, columns)]
    parts += [_lines(Text(visible(f"Note: {note}")), width, color) for note in comparison.notes]
    return "".join(parts)


def _grid(rows: Sequence[Row], columns: Sequence[Column], width: int, color: bool) -> str:
    """The rows under their headings; where the width is short, settings and then the interval take more lines."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    texts = [{column: visible(text) for column, text in cells.cells(row).items()} for row in rows]
    for row, text in zip(rows, texts, strict=True):
        text[cells.OPTIMIZER] = visible(row.who)
    columns, wrapped = list(columns), [cells.OPTIMIZER]

    def least(column: Column) -> int:
        lines = [column.heading, *(text[column] for text in texts)]
        return max(len(part) for line in lines for part in (line.split() if column in wrapped else [line]))

    def needed() -> int:
        return sum(map(least, columns)) + 2 * (len(columns) - 1)

    if needed() > width and cells.INTERVAL in columns:
        columns.remove(cells.INTERVAL)
        wrapped.append(cells.DELTA)
        for text in texts:
            text[cells.DELTA] += " " + text[cells.INTERVAL]
    total = max(width, needed())  # too wide for the terminal is better than cut off
    spare, widths = total - needed(), {column: least(column) for column in columns}
    for column in wrapped:
        longest = max(len(line) for text in texts for line in (column.heading, text[column], text[cells.RUNS]))
        spare, widths[column] = max(spare - longest + widths[column], 0), min(longest, widths[column] + spare)
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        table.add_column(column.heading, justify=justify, no_wrap=column not in wrapped, width=widths[column])
    for row, text in zip(rows, texts, strict=True):
        ended = [("\n" + text[cells.RUNS], "dim")] if text[cells.RUNS] else []
        first = Text.assemble(text[cells.OPTIMIZER], *ended)
        others = [Text(text[column].strip()) for column in columns if column is not cells.OPTIMIZER]
        table.add_row(first, *others, style="bold" if row.is_baseline else None)
    return _lines(table, total, color)


def _lines(renderable: RenderableType, width: int, color: bool) -> str:
    """The text that rich draws, without blanks at the ends of lines."""
    return "".join(line.rstrip() + "\n" for line in drawn(renderable, width, color).splitlines())
