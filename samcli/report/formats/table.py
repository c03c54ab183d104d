"""Tables for a terminal."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Literal

from samcli.escape import visible
from samcli.metrics import title
from samcli.report import cells
from samcli.report.cells import Column
from samcli.report.judged_table import hypotheses_table
from samcli.report.row import Comparison, Row
from samcli.report.text_table import PARAGRAPH, drawn, text_table
from samcli.words import joined

SHARE_OF_NAME = 0.3  # of the width, which a name has before it wraps
ABOVE = (cells.DATASET, cells.MODEL, cells.METRIC)
WITH_OPTIMIZER = (cells.SETTINGS, cells.RUNS)


def table(comparison: Comparison, *, width: int | None, color: bool, columns: Sequence[Column] | None = None) -> str:
    """One table for each data set and model, which stand above it, then the legend and the notes.

    Columns that the width has no room for are left out, which a line says, unless they were chosen.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> table(compare(example_runs()), width=80, color=False).splitlines()[0]
    'digits, cnn: test accuracy in %'
    """
    from rich.text import Text

    used = columns or cells.used_columns([cells.cells(row) for row in comparison.rows])
    used = [column for column in used if column not in (*ABOVE, *WITH_OPTIMIZER)]
    groups = [list(rows) for _, rows in itertools.groupby(comparison.rows, key=lambda row: (row.place, row.metric))]
    layouts = [_Layout(rows, used, width) for rows in groups]
    dropped: list[Column] = []
    if width is not None:
        for layout in layouts:
            layout.join_interval(width)
        for column in cells.DISPENSABLE if columns is None else (cells.INTERVAL,):
            if column in used and max(layout.needed() for layout in layouts) > width:
                if column is cells.INTERVAL:  # in two lines rather than not at all
                    for layout in layouts:
                        layout.break_interval()
                    if columns or max(layout.needed() for layout in layouts) <= width:
                        continue
                dropped.append(column)
                for layout in layouts:
                    layout.drop(column)
    parts = []
    for layout in layouts:
        rows = layout.rows
        total = max(width or 0, layout.needed())  # too wide for the terminal is better than cut off
        heading = Text(visible(f"{rows[0].where}: {title(rows[0].metric)}"), "bold")
        parts += [drawn(heading, width or max(PARAGRAPH, len(heading)), color), layout.drawn(total, color), "\n"]
    lines = [Text(visible(line), "dim") for line in cells.legend(comparison, [c for c in used if c not in dropped])]
    if dropped:
        names = joined([layouts[0].heading(column) for column in reversed(dropped)])
        lines.append(Text(f"No room for {names} at this width; see --columns {_example(dropped)}", "dim"))
    lines += [Text(visible(f"Note: {note}")) for note in comparison.notes]
    if comparison.judgements:
        hypotheses = hypotheses_table(comparison.judgements)
        parts += [text_table(hypotheses.texts, width=width, color=color), "\n"]
        lines = [*(Text(line, "dim") for line in hypotheses.legend), *lines]
    return "".join([*parts, *(drawn(line, width or PARAGRAPH, color) for line in lines)])


def _example(dropped: Sequence[Column]) -> str:
    return ",".join(["optimizer", "last", *(column.key for column in reversed(dropped))])


class _Layout:
    """The rows of one table: which columns they have, and how wide these are at least.

    Args:
        rows: at least one.
        columns: what to show of them.
        width: of the terminal; None where there is none, and nothing wraps.
    """

    def __init__(self, rows: Sequence[Row], columns: Sequence[Column], width: int | None) -> None:
        self.rows = rows
        self.columns = list(columns)
        self.wrapped = [] if width is None else [cells.OPTIMIZER]
        self.name = int(SHARE_OF_NAME * (width or 0))
        self.texts = [{column: visible(text) for column, text in cells.cells(row).items()} for row in rows]
        for row, text in zip(rows, self.texts, strict=True):
            text[cells.OPTIMIZER] = visible(row.who)

    def heading(self, column: Column) -> str:
        """What stands above a column."""
        return cells.heading(column, self.texts)

    def join_interval(self, width: int) -> None:
        """Put the interval below the difference where that is what it takes to fit."""
        if self.needed() > width and {cells.INTERVAL, cells.DELTA} <= set(self.columns):
            self.columns.remove(cells.INTERVAL)
            self.wrapped.append(cells.DELTA)
            for text in self.texts:
                text[cells.DELTA] += " " + text[cells.INTERVAL].replace(", ", ",")  # a line of its own, unbroken

    def break_interval(self) -> None:
        """Let the interval below the difference take two lines."""
        for text in self.texts:
            text[cells.DELTA] = text[cells.DELTA].replace(",", ", ")

    def drop(self, column: Column) -> None:
        """Leave a column out."""
        if column in self.columns:
            self.columns.remove(column)
        elif column is cells.INTERVAL and cells.DELTA in self.wrapped:
            for text in self.texts:
                text[cells.DELTA] = text[cells.DELTA].split(" [")[0]

    def needed(self) -> int:
        """The least width that breaks no number."""
        return sum(map(self._least, self.columns)) + 2 * (len(self.columns) - 1)

    def drawn(self, width: int, color: bool) -> str:
        """The rows under their headings; what wraps takes the space that is left."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        spare, widths = width - self.needed(), {column: self._least(column) for column in self.columns}
        for column in reversed(self.wrapped):  # an interval in one line comes before a name in one
            if column in widths:
                longest = max(len(line) for text in self.texts for line in self._lines(column, text))
                spare, widths[column] = max(spare - longest + widths[column], 0), min(longest, widths[column] + spare)
        grid = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
        for column in self.columns:
            justify: Literal["left", "right"] = "right" if column.is_number else "left"
            grid.add_column(
                self.heading(column), justify=justify, no_wrap=column not in self.wrapped, width=widths[column]
            )
        for row, text in zip(self.rows, self.texts, strict=True):
            found = [Text(text[column].strip()) for column in self.columns]
            if cells.OPTIMIZER in self.columns and text[cells.RUNS]:
                found[self.columns.index(cells.OPTIMIZER)].append("\n" + text[cells.RUNS], "dim")
            grid.add_row(*found, style="bold" if row.is_baseline else None)
        return drawn(grid, width, color)

    def _lines(self, column: Column, text: dict[Column, str]) -> list[str]:
        """What stands in a cell, and in the heading above it."""
        ended = [text[cells.RUNS]] if column is cells.OPTIMIZER else []
        return [self.heading(column), text[column].strip(), *ended]

    def _least(self, column: Column) -> int:
        lines = [line for text in self.texts for line in self._lines(column, text)]
        longest = max(map(len, lines))
        if column not in self.wrapped:
            return longest
        word = max(len(word) for line in lines for word in line.split())
        return max(word, min(longest, self.name)) if column is cells.OPTIMIZER else word
