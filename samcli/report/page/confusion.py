"""Which classes the networks of each setting took for which: a table of each, coloured by the share of its row."""

from __future__ import annotations

from collections.abc import Sequence

from samcli.errors import ResultsError
from samcli.escape import html_text
from samcli.report.groups import finished_by_setting, one_per_seed
from samcli.report.order import by_size
from samcli.report.page.facts import names_of
from samcli.report.page.parts import folded, name, paragraphs, scrolled, table
from samcli.runs.confusion import Confusion, read_confusion, total
from samcli.runs.reader import Run
from samcli.words import count

MOST_SHOWN = 20  # classes of a table; of more the most frequent mistakes are told
MISTAKES = 20  # that are told
ABOUT = (
    "Test examples by their class and the class that the network takes them for, after the last epoch, the sum over "
    "seeds. The stronger a colour, the larger the share of the row; what lies off the diagonal is wrong."
)


def confusions(runs: Sequence[Run]) -> str:
    """A confusion matrix for each setting of which finished runs have kept one; empty without any.

    Args:
        runs: any; those that have finished count, each seed once.

    >>> from samcli.report.example import example_runs
    >>> confusions(example_runs())
    ''
    """
    groups = [one_per_seed(group)[0] for group in finished_by_setting({"all": runs}).values()]
    found, faults = [], []
    for title, group in zip(names_of([group[0] for group in groups]), groups, strict=True):
        kept = []
        for run in group:
            try:
                if one := read_confusion(run.folder):
                    kept.append(one)
            except ResultsError as error:
                faults.append(str(error))
        if len({one.names for one in kept}) > 1:
            faults.append(f"{title}: its runs have other classes than each other, so that nothing is added up.")
        elif kept:
            found.append((f"{title} – {count(len(kept), 'seed')}", total(kept)))
    if not (found or faults):
        return ""
    found.sort(key=lambda one: by_size(one[0]))
    drawn = [
        folded(title, _matrix(title, matrix) if len(matrix.names) <= MOST_SHOWN else _mistakes(title, matrix))
        for title, matrix in found
    ]
    return paragraphs([ABOUT]) + "".join(drawn) + paragraphs(faults, "note warning")


def _matrix(title: str, matrix: Confusion) -> str:
    head = "".join(f'<th scope="col" class=number>{name(one)}</th>' for one in matrix.names)
    rows = []
    for number, (true, row) in enumerate(zip(matrix.names, matrix.counts, strict=True)):
        whole = max(sum(row), 1)
        cells = "".join(
            f'<td class="number{" right" if other == number else ""}" style="--share:{value / whole:.3f}">{value}</td>'
            for other, value in enumerate(row)
        )
        rows.append(f'<tr><th scope="row">{name(true)}</th>{cells}</tr>\n')
    label = f"{title}: rows are true classes, columns predicted ones"
    return scrolled(
        label,
        f'<table class="heat"><caption>{html_text(label)}</caption><thead><tr><th scope="col">True</th>{head}</tr>'
        f"</thead>\n<tbody>{''.join(rows)}</tbody></table>",
    )


def _mistakes(title: str, matrix: Confusion) -> str:
    """The most frequent mistakes of many classes."""
    size = {one: sum(row) for one, row in zip(matrix.names, matrix.counts, strict=True)}
    rows = [
        {"True": true, "Predicted": said, "Examples": str(number), "% of the class": f"{100 * number / size[true]:.1f}"}
        for true, said, number in matrix.mistakes()[:MISTAKES]
    ]
    caption = f"{title}: the most frequent mistakes of {len(matrix.names)} classes"
    headings = ["True", "Predicted", "Examples", "% of the class"]
    return table(headings, rows, caption=caption, numbers=headings[2:])
