"""Tables of texts for a terminal of any width."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from samcli.escape import visible

if TYPE_CHECKING:
    from rich.console import RenderableType

SHORT = 18  # characters of a text that stays on one line
UNBROKEN = 24  # of a text in the first column that does; a longer one anywhere makes the table as wide as it may be


def text_table(rows: Sequence[Mapping[str, str]], *, width: int = 100, color: bool = False) -> str:
    """Rows of texts under headings, with line breaks at the ends; nothing for no rows.

    Short texts stay on one line; the longest column takes the width that the others leave, and wraps in it.

    Args:
        rows: texts by heading, the same headings in each.
        width: of the terminal, in characters.
        color: whether the terminal shows bold text.

    >>> print(text_table([{"name": "sgd", "passes": "1"}]))  # doctest: +NORMALIZE_WHITESPACE
    name   passes
    ─────────────
    sgd    1
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return ""
    rows = [{heading: visible(text) for heading, text in row.items()} for row in rows]
    longest = {heading: max(len(row[heading]) for row in rows) for heading in rows[0]}
    name, widest = next(iter(longest)), max(longest, key=lambda heading: longest[heading])
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, expand=longest[widest] > UNBROKEN)
    for heading, length in longest.items():
        if length <= SHORT or heading == name:
            grid.add_column(heading, no_wrap=length <= UNBROKEN, overflow="fold")
        elif heading == widest:
            grid.add_column(heading, overflow="fold", ratio=1)
        else:
            word = max(len(word) for row in rows for word in row[heading].split())
            grid.add_column(heading, overflow="fold", width=max(word, 12))
    for row in rows:
        grid.add_row(*(Text(text) for text in row.values()))
    return drawn(grid, width, color)


def drawn(renderable: RenderableType, width: int, color: bool) -> str:
    r"""The text that rich draws.

    Args:
        renderable: a table or a text of rich's.
        width: of the terminal, in characters.
        color: whether the terminal shows bold and dim text.

    >>> from rich.text import Text
    >>> drawn(Text("a note that is too long"), 12, color=False)
    'a note that \nis too long\n'
    """
    from rich.console import Console

    written = io.StringIO()
    system: Literal["standard"] | None = "standard" if color else None
    console = Console(file=written, width=width, color_system=system, force_terminal=color, legacy_windows=False)
    console.print(renderable)
    return written.getvalue()
