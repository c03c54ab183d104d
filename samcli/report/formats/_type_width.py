"""How wide a text is in LaTeX's own type, to know without LaTeX whether a table fits."""

from __future__ import annotations

import re

SMALL = 0.925  # of \small in a document of 10 pt
BOLD = 1.15

# widths of cmr10 in pt, from its font metrics
_WIDTHS = {
    2.78: "ijl.,:;!'[]|()",
    3.33: "- ",
    3.06: "f",
    3.61: "I",
    3.92: "rst",
    4.44: "cez",
    5.0: "0123456789aog/_",
    5.28: "kqvxyJ",
    5.56: "bdhnpuS",
    6.8: "EFLPZ",
    7.5: "ABCDGHKNOQRTUVXY",
    7.78: "+=±×<>~",
    8.33: "mwΔ%#&",
    10.28: "MW@",
}
_WIDTH = {character: width for width, characters in _WIDTHS.items() for character in characters}
_OTHER = 7.5


def type_width(text: str) -> float:
    """The width of a text in pt, at 10 pt; a minus before a number is as wide as a plus.

    >>> round(type_width("82.50 ± 3.54"), 1)
    55.0
    """
    return sum(_WIDTH.get(character, _OTHER) for character in re.sub(r"(?<![\w.}-])-(?=\d)", "+", text))
