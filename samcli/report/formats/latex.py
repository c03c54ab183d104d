"""LaTeX, with booktabs."""

from __future__ import annotations

import itertools

from samcli.escape import latex_text
from samcli.report import cells
from samcli.report.row import Comparison


def latex(comparison: Comparison) -> str:
    r"""A floating table; data set and model stand in the caption where all rows have the same.

    >>> from samcli.report import compare
    >>> from samcli.report.example import example_runs
    >>> [line for line in latex(compare(example_runs())).splitlines() if "caption" in line]
    ['\\caption{Test accuracy in \\% on digits, cnn.}']
    """
    rows = [cells.cells(row) for row in comparison.rows]
    columns = cells.used_columns(rows)
    common = [c for c in (cells.DATASET, cells.MODEL) if len({row[c] for row in rows}) == 1]
    columns = [column for column in columns if column not in common]
    lines: list[str] = []
    for place, group in itertools.groupby(zip(comparison.rows, rows, strict=True), key=lambda pair: pair[0].place):
        lines += [r"\midrule"] if lines and place else []
        lines += [" & ".join(latex_text(row[column]) for column in columns) + r" \\" for _, row in group]
    where = ["on " + ", ".join(rows[0][column] for column in common)] if common else []
    caption = " ".join([" or ".join(dict.fromkeys(row[cells.METRIC] for row in rows)), *where])
    below = [*cells.legend(comparison, columns), *comparison.notes]
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"\centering",
            r"\small",
            rf"\caption{{{latex_text(caption[0].upper() + caption[1:])}.}}",
            rf"\begin{{tabular}}{{{''.join('r' if column.is_number else 'l' for column in columns)}}}",
            r"\toprule",
            " & ".join(latex_text(column.heading) for column in columns) + r" \\",
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\par\medskip",
            rf"{{\footnotesize {latex_text(' '.join(below))}\par}}",
            r"\end{table}",
            "",
        ]
    )
