"""Tables of texts for a terminal of any width."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from samcli.escape import visible

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.table import Table

PARAGRAPH = 100  # characters in a line of a legend where the terminal has no width
SHORT = 18  # characters of a text that stays on one line
UNBROKEN = 28  # of a text in the first column that does
READABLE = 20  # of a line of the longest column; where there is less room, long texts go below their row
GAP = 3  # between two columns
INDENT = 4  # of long texts below their row


def text_table(rows: Sequence[Mapping[str, str]], *, width: int | None = 100, color: bool = False) -> str:
    """Rows of texts under headings, with line breaks at the ends; nothing for no rows.

    Short texts stay on one line; the longest column takes the width that the others leave, and wraps in it. Where that
    is too little to read, long texts stand below the short ones of their row.

    Args:
        rows: texts by heading, the same headings in each.
        width: of the terminal, in characters; None is as wide as the texts are.
        color: whether the terminal shows bold text.

    >>> print(text_table([{"name": "sgd", "passes": "1"}]))  # doctest: +NORMALIZE_WHITESPACE
    name   passes
    ─────────────
    sgd    1
    """
    if not rows:
        return ""
    rows = [{heading: visible(text) for heading, text in row.items()} for row in rows]
    longest = {
        heading: max(len(line) for text in (heading, *(row[heading] for row in rows)) for line in text.split("\n"))
        for heading in rows[0]
    }
    natural = sum(longest.values()) + GAP * (len(longest) - 1)
    if width is None or natural <= width:
        return drawn(_grid(rows, longest), max(width or 0, natural), color)
    name, widest = next(iter(longest)), max(longest, key=lambda heading: longest[heading])
    widths = {}
    for heading, length in longest.items():
        word = max((len(word) for row in rows for word in row[heading].split()), default=0)
        stays = length <= SHORT or (heading == name and length <= UNBROKEN)
        widths[heading] = length if stays else max(min(word, SHORT), 12)
    left = width - GAP * (len(longest) - 1)
    room = left - sum(length for heading, length in widths.items() if heading != widest)
    long = [heading for heading, length in longest.items() if length > SHORT and heading != name]
    if widest != name and room < READABLE and long:
        return drawn(_stacked(rows, longest, long, width), width, color)
    # a name alone may be too long for the terminal: it folds
    widths[widest] = max(room, widths[widest] if widest == name else 1, 1)
    _balance(widths, longest, [heading for heading in long if heading != widest], widest)
    return drawn(_grid(rows, widths), width, color)


def _balance(widths: dict[str, int], longest: Mapping[str, int], others: Sequence[str], widest: str) -> None:
    """Let other long columns have of the widest what brings them to the same share of their length."""
    spare = widths[widest] - READABLE
    total = sum(longest[heading] for heading in (*others, widest))
    room = sum(widths[heading] for heading in (*others, widest))
    for heading in others:
        more = min(max(room * longest[heading] // total, widths[heading]) - widths[heading], spare)
        if more > 0:
            widths[heading], widths[widest], spare = widths[heading] + more, widths[widest] - more, spare - more


def _grid(rows: Sequence[Mapping[str, str]], widths: Mapping[str, int]) -> Table:
    """The rows in columns of these widths."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading, length in widths.items():
        grid.add_column(Text(heading), overflow="fold", width=length)
    for row in rows:
        grid.add_row(*(Text(text) for text in row.values()))
    return grid


def _stacked(rows: Sequence[Mapping[str, str]], longest: Mapping[str, int], long: Sequence[str], width: int) -> Group:
    """The short texts of each row in columns, and its long ones below them."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    name, *others = [heading for heading in longest if heading not in long]
    each = (width - longest[name]) // max(len(others), 1) - GAP
    widths = {name: longest[name], **{heading: max(min(longest[heading], each), 1) for heading in others}}

    def line(texts: Sequence[str], style: str = "") -> Table:
        grid = Table.grid(padding=(0, GAP, 0, 0))
        for length in widths.values():
            grid.add_column(overflow="fold", width=length, style=style)
        grid.add_row(*(Text(text) for text in texts))
        return grid

    parts: list[RenderableType] = [line(list(widths), "bold"), Text(f"  {', '.join(long)}", "bold"), Text("─" * width)]
    for row in rows:
        parts.append(line([row[heading] for heading in widths]))
        parts += [Padding(Text(row[heading]), (0, 0, 0, INDENT)) for heading in long if row[heading]]
    return Group(*parts)


def drawn(renderable: RenderableType, width: int, color: bool) -> str:
    r"""The text that rich draws, without blanks at the ends of lines.

    Args:
        renderable: a table or a text of rich's.
        width: of the terminal, in characters.
        color: whether the terminal shows bold and dim text.

    >>> from rich.text import Text
    >>> drawn(Text("a note that is too long"), 12, color=False)
    'a note that\nis too long\n'
    """
    from rich.console import Console

    written = io.StringIO()
    system: Literal["standard"] | None = "standard" if color else None
    console = Console(file=written, width=width, color_system=system, force_terminal=color, legacy_windows=False)
    console.print(renderable)
    return "".join(line.rstrip() + "\n" for line in written.getvalue().splitlines())
