"""A comparison as a terminal table, Markdown, LaTeX, CSV or JSON."""

from __future__ import annotations

import csv
import io
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from samcli.errors import ConfigError, nearest
from samcli.report import cells
from samcli.report.cells import Column
from samcli.report.row import Comparison, Row
from samcli.runs.folder import STATUSES

if TYPE_CHECKING:
    from rich.console import RenderableType

FORMATS = ("table", "markdown", "latex", "csv", "json")


def render(comparison: Comparison, form: str, *, width: int = 100, color: bool = False) -> str:
    """The comparison as a text that ends with a line break.

    The first three are for people: accuracies in percent, a legend and notes below. CSV and JSON are for programs:
    numbers unrounded and in the unit of `metrics.csv`; JSON has the notes and the full configuration of each row.

    Args:
        comparison: what to show.
        form: one of `FORMATS`.
        width: of the terminal, in characters; for the table.
        color: whether the terminal shows bold and dim text; for the table.

    Raises:
        ConfigError: no such format.
    """
    if form == "table":
        return _table(comparison, width, color)
    if form == "markdown":
        return _markdown(comparison)
    if form == "latex":
        return _latex(comparison)
    if form == "csv":
        return _csv(comparison)
    if form == "json":
        return _json(comparison)
    raise ConfigError(f"There is no format named {form!r}; {nearest(form, FORMATS)}")


def _table(comparison: Comparison, width: int, color: bool) -> str:
    """One table for each data set and model, which stand above it, then the legend and the notes."""
    from rich.text import Text

    everywhere = [cells.cells(row) for row in comparison.rows]
    above = (cells.DATASET, cells.MODEL, cells.METRIC)
    below = (cells.SETTINGS, cells.RUNS)  # in the cell of the optimizer
    columns = [column for column in cells.used(everywhere) if column not in (*above, *below)]
    parts = []
    for _, group in itertools.groupby(comparison.rows, key=lambda row: (row.place, row.metric)):
        rows = list(group)
        title = Text(f"{rows[0].where}: {cells.title(rows[0].metric)}", "bold")
        parts += [_drawn(title, width, color), _grid(rows, columns, width, color), "\n"]
    parts += [_drawn(Text(line, "dim"), width, color) for line in cells.legend(comparison, columns)]
    parts += [_drawn(Text(f"Note: {note}"), width, color) for note in comparison.notes]
    return "".join(parts)


def _grid(rows: Sequence[Row], columns: Sequence[Column], width: int, color: bool) -> str:
    """The rows under their headings; where the width is short, settings and then the interval take more lines."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    texts = [cells.cells(row) for row in rows]
    for row, text in zip(rows, texts, strict=True):
        text[cells.OPTIMIZER] = row.who
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
    return _drawn(table, total, color)


def _drawn(what: RenderableType, width: int, color: bool) -> str:
    from rich.console import Console

    written = io.StringIO()
    system: Literal["standard"] | None = "standard" if color else None
    console = Console(file=written, width=width, color_system=system, force_terminal=color, legacy_windows=False)
    console.print(what)
    return "".join(line.rstrip() + "\n" for line in written.getvalue().splitlines())


def _markdown(comparison: Comparison) -> str:
    rows = [cells.cells(row) for row in comparison.rows]
    columns = cells.used(rows)
    body = [[row[column].replace("|", r"\|") for column in columns] for row in rows]
    head = [column.heading for column in columns]
    widths = [max(3, *map(len, texts)) for texts in zip(head, *body, strict=True)]

    def line(texts: Sequence[str]) -> str:
        padded = [
            text.rjust(width) if column.is_number else text.ljust(width)
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + (":" if c.is_number else "-") for width, c in zip(widths, columns, strict=True)]
    below = [*cells.legend(comparison, columns), *(f"**Note:** {note}" for note in comparison.notes)]
    return "\n".join([*map(line, [head, rule, *body]), "", *(f"- {text}" for text in below)]) + "\n"


def _latex(comparison: Comparison) -> str:
    """A floating table; what is the same in all rows stands in the caption instead of a column."""
    rows = [cells.cells(row) for row in comparison.rows]
    columns = cells.used(rows)
    common = [c for c in (cells.DATASET, cells.MODEL) if len({row[c] for row in rows}) == 1]
    columns = [column for column in columns if column not in common]
    lines: list[str] = []
    for place, group in itertools.groupby(zip(comparison.rows, rows, strict=True), key=lambda pair: pair[0].place):
        lines += [r"\midrule"] if lines and place else []
        lines += [" & ".join(_tex(row[column]) for column in columns) + r" \\" for _, row in group]
    where = ["on " + ", ".join(rows[0][column] for column in common)] if common else []
    caption = " ".join([" or ".join(dict.fromkeys(row[cells.METRIC] for row in rows)), *where])
    below = [*cells.legend(comparison, columns), *comparison.notes]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            r"\small",
            rf"\caption{{{_tex(caption[0].upper() + caption[1:])}.}}",
            rf"\begin{{tabular}}{{{''.join('r' if column.is_number else 'l' for column in columns)}}}",
            r"\toprule",
            " & ".join(_tex(column.heading) for column in columns) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\medskip",
            rf"{{\footnotesize {_tex(' '.join(below))}\par}}",
            r"\end{table}",
            "",
        ]
    )


_TEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": "$<$",
    ">": "$>$",
    "|": "$|$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "Δ": r"$\Delta$",
    "²": "$^2$",
}


def _tex(text: str) -> str:
    """The text with LaTeX's own characters escaped, and a real minus before a number."""
    escaped = "".join(_TEX.get(character, character) for character in text)
    return re.sub(r"(?<![\w.}-])-(?=\d)", "$-$", escaped).replace("--", "-{}-")


def _csv(comparison: Comparison) -> str:
    text = io.StringIO()
    records = [_record(row) for row in comparison.rows]
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _json(comparison: Comparison) -> str:
    rows = [
        {**_record(row), "by_seed": dict(row.by_seed), "compared_to": row.compared_to, "config": _strict(row.config)}
        for row in comparison.rows
    ]
    document = {"baseline": comparison.baseline, "budget": comparison.budget, "rows": rows, "notes": comparison.notes}
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _record(row: Row) -> dict[str, Any]:
    """A row as plain values, in the units of `metrics.csv`."""
    found = row.difference
    return {
        "dataset": row.dataset,
        "dataset_settings": row.dataset_settings,
        "model": row.model,
        "model_settings": row.model_settings,
        "optimizer": row.optimizer,
        "settings": row.settings,
        "is_baseline": row.is_baseline,
        "metric": row.metric,
        "n": row.n,
        "last_mean": row.last.mean,
        "last_sd": row.last.sd,
        "best_mean": row.best.mean,
        "best_sd": row.best.sd,
        "difference": found.mean if found else None,
        "difference_low": found.low if found else None,
        "difference_high": found.high if found else None,
        "pairs": found.n if found else None,
        "sharpness": row.sharpness,
        "seconds_per_epoch": row.seconds,
        "cost": row.cost,
        **{state: row.states.get(state, 0) for state in STATUSES},
    }


def _strict(value: Any) -> Any:
    """The value without what JSON cannot say: an infinite norm becomes "inf", as one may write it in a file."""
    if isinstance(value, Mapping):
        return {str(key): _strict(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_strict(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
