"""LaTeX, with booktabs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

from samcli.escape import latex_text
from samcli.metrics import higher_is_better
from samcli.report import cells
from samcli.report.cells import Column
from samcli.report.formats._type_width import BOLD, SMALL, type_width
from samcli.report.judged_table import hypotheses_table
from samcli.report.order import compete
from samcli.report.row import Comparison, Row
from samcli.report.small_table import in_latex
from samcli.words import joined

TEXT_WIDTH = 345.0  # pt of a line of the class article at 10 pt
COLUMN_SPACE = 4.0  # pt on either side of a column
LAST_OF_LATIN = "\u017f"  # up to it pdflatex knows the letters
MOST_ROWS = 26  # of a floating table, which must fit on a page, also where some names take two lines
MOST_LINES = 40  # of a table and what stands below it
CHARACTERS = 100  # in a line of that
LEAST_NAME = 90.0  # pt of the first column, below which it does not wrap
IN_HEADING = (cells.DATASET, cells.MODEL, cells.METRIC)
WITH_OPTIMIZER = (cells.SETTINGS, cells.RUNS)


def latex(comparison: Comparison, columns: Sequence[Column] | None = None) -> str:
    r"""Floating tables of at most a page; data set and model stand in the caption, or above their rows.

    What explains them stands below the last, as a paragraph of its own where the page has no room for it.

    By default it has the columns that fit one line of `article`, 345 pt; a comment says which it has not. The best
    means of each data set and model are bold.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> text = latex(compare(example_runs()))
    >>> [line for line in text.splitlines() if "caption" in line]
    ['\\caption{Test accuracy in \\% on digits, cnn.}']
    >>> [line for line in text.splitlines() if line.startswith("sam")]
    ['sam $\\rho$=0.05 & 2 & \\textbf{82.50 $\\pm$ 3.54} & +10.00 & [$-$53.53, +73.53] & 2.00 & 2.00$\\times$ \\\\']
    """
    texts = [_texts(row, columns) for row in comparison.rows]
    chosen = list(columns or cells.used_columns(texts))
    if columns is None or cells.OPTIMIZER in chosen:
        chosen = [column for column in chosen if columns or column not in (*IN_HEADING, *WITH_OPTIMIZER)]
    left_out = [] if columns else _make_room(chosen, texts)
    groups = [
        list(group)
        for _, group in itertools.groupby(
            zip(comparison.rows, texts, strict=True), key=lambda pair: (pair[0].place, pair[0].metric)
        )
    ]
    floats = _floats(_blocks(groups, chosen))
    where = f" on {comparison.rows[0].where}" if len(groups) == 1 else ""
    caption = latex_text(" or ".join(dict.fromkeys(text[cells.METRIC] for text in texts)) + where)
    below = latex_text(" ".join([*cells.legend(comparison, chosen), *comparison.notes]))
    fits = len(floats[-1]) + len(below) / CHARACTERS < MOST_LINES
    foreign = any(
        character > LAST_OF_LATIN for character in caption + "".join(line for rows in floats for line in rows)
    )
    heading = _line([latex_text(cells.heading(column, texts)) for column in chosen])
    parts = []
    for number, rows in enumerate(floats):
        legend = [r"\par\medskip", rf"{{\footnotesize {below}\par}}"] if fits and number == len(floats) - 1 else []
        title = caption[0].upper() + caption[1:] + " (continued)" * (number > 0)
        parts += _float(title, _preamble(chosen, texts), heading, rows, legend)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            *(["% names hold letters that pdflatex lacks: use lualatex or xelatex"] if foreign else []),
            *(
                [f"% left out to fit {TEXT_WIDTH:.0f} pt: {joined([c.key for c in left_out])}; see --columns"]
                if left_out
                else []
            ),
            *parts,
            *([] if fits else ["", rf"{{\noindent\footnotesize {below}\par}}"]),
            in_latex(hypotheses_table(comparison.judgements)),
        ]
    )


def _blocks(groups: Sequence[Sequence[tuple[Row, dict[Column, str]]]], chosen: Sequence[Column]) -> Iterator[list[str]]:
    """The rows of each data set and model, in as many blocks as pages need; named above them if there are several."""
    for group in groups:
        row, text = group[0]
        best = _best([row for row, _ in group])
        rows = [_line([_cell(column, row, text, best) for column in chosen]) for row, text in group]
        where = latex_text(f"{row.where}: {text[cells.METRIC]}")
        above = [rf"\multicolumn{{{len(chosen)}}}{{@{{}}l@{{}}}}{{\emph{{{where}}}}} \\"] if len(groups) > 1 else []
        for begin in range(0, len(rows), MOST_ROWS):
            yield [*above, *rows[begin : begin + MOST_ROWS]]


def _float(caption: str, preamble: str, heading: str, rows: Sequence[str], legend: Sequence[str]) -> list[str]:
    """The lines of a floating table."""
    return [
        r"\begin{table}",
        r"\centering",
        r"\small",
        rf"\setlength{{\tabcolsep}}{{{COLUMN_SPACE:g}pt}}",
        rf"\caption{{{caption}.}}",
        rf"\begin{{tabular}}{{@{{}}{preamble}@{{}}}}",
        r"\toprule",
        heading,
        r"\midrule",
        *rows,
        r"\bottomrule",
        r"\end{tabular}",
        *legend,
        r"\end{table}",
    ]


def _floats(blocks: Iterable[Sequence[str]]) -> list[list[str]]:
    """The rows of each floating table: as many blocks as a page has room for, with a line between them."""
    floats: list[list[str]] = [[]]
    for block in blocks:
        if floats[-1] and len(floats[-1]) + len(block) > MOST_ROWS:
            floats.append([])
        floats[-1] += [r"\midrule", *block] if floats[-1] else block
    return floats


def _texts(row: Row, columns: Sequence[Column] | None) -> dict[Column, str]:
    """The cells of a row; its settings, and how many runs did not finish, stand with the optimizer."""
    texts = cells.cells(row)
    if not columns or cells.SETTINGS not in columns:
        texts[cells.OPTIMIZER] = row.who
    ended = ", ".join(part for part in texts[cells.RUNS].split(", ") if part and not part.endswith(" finished"))
    if ended and (not columns or cells.RUNS not in columns):
        texts[cells.OPTIMIZER] += f" ({ended})"
    return texts


def _make_room(columns: list[Column], texts: Sequence[Mapping[Column, str]]) -> list[Column]:
    """Take out columns until the table fits; what was taken out, in the order of the table."""
    before = list(columns)
    for column in cells.DISPENSABLE:
        if column in columns and _least_width(columns, texts) > TEXT_WIDTH:
            columns.remove(column)
    return [column for column in before if column not in columns]


def table_width(columns: Sequence[Column], texts: Sequence[Mapping[Column, str]]) -> float:
    """The width of the columns in pt, in LaTeX's own type of 9 pt.

    >>> round(table_width([cells.LAST], [{cells.LAST: "82.50 ± 3.54"}]))
    59
    """
    return sum(_width(column, texts) for column in columns) + 2 * COLUMN_SPACE * (len(columns) - 1)


def _least_width(columns: Sequence[Column], texts: Sequence[Mapping[Column, str]]) -> float:
    """The width of the columns in pt where the optimizer's wraps."""
    saved = max(_width(cells.OPTIMIZER, texts) - LEAST_NAME, 0.0) if cells.OPTIMIZER in columns else 0.0
    return table_width(columns, texts) - saved


def _width(column: Column, texts: Sequence[Mapping[Column, str]]) -> float:
    bold = BOLD if column in (cells.LAST, cells.BEST) else 1.0
    return SMALL * max(type_width(cells.heading(column, texts)), *(bold * type_width(text[column]) for text in texts))


def _preamble(columns: Sequence[Column], texts: Sequence[Mapping[Column, str]]) -> str:
    """The kinds of the columns; where nothing else helps, the first wraps."""
    kinds = ["r" if column.is_number else "l" for column in columns]
    over = table_width(columns, texts) - TEXT_WIDTH
    if over > 0.0 and columns[0] is cells.OPTIMIZER:
        kinds[0] = f"p{{{max(LEAST_NAME, _width(columns[0], texts) - over):.0f}pt}}"
    return "".join(kinds)


def _best(rows: Sequence[Row]) -> dict[Column, float]:
    """The best means of the rows; of a single row nothing is the best."""
    if compete(rows):  # the best of several settings of one optimizer is no fair result
        return {}
    pick = max if higher_is_better(rows[0].metric) else min
    summaries = {cells.LAST: [row.last.mean for row in rows], cells.BEST: [row.best.mean for row in rows]}
    found = {column: [mean for mean in means if mean is not None] for column, means in summaries.items()}
    return {column: pick(means) for column, means in found.items() if len(means) > 1}


def _cell(column: Column, row: Row, text: Mapping[Column, str], best: Mapping[Column, float]) -> str:
    written = latex_text(text[column])
    if column in (cells.OPTIMIZER, cells.SETTINGS):
        written = f" {written}".replace(" rho=", r" $\rho$=")[1:]
    mean = {cells.LAST: row.last.mean, cells.BEST: row.best.mean}.get(column)
    return rf"\textbf{{{written}}}" if mean is not None and mean == best.get(column) else written


def _line(written: Sequence[str]) -> str:
    """A row; an empty group keeps a bracket or a star at its beginning from the line break before it."""
    line = " & ".join(written)
    return ("{}" if line.startswith(("[", "*")) else "") + line + r" \\"
