"""Numbers as people write them in tables: decimal commas, separated thousands, and what stands for none."""

from __future__ import annotations

import re
from collections.abc import Iterable

# what pandas takes for missing, but for the texts of old Windows, and the question mark of the UCI repository
_NOTHING = ("#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "n/a", "NULL", "null", "None", "NaN", "nan", "-NaN", "-nan")
MISSING = frozenset(("", "?", *_NOTHING))
MOSTLY = 0.9  # the share of a column's values that say what it holds
EXACT = 2**53  # from here on not every whole number is a float of 64 bits

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_GROUPED = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_SPACED = re.compile(r"([+-]?[0-9]{1,3})((?:[ '\u2019\u00a0\u202f][0-9]{3})+)((?:[.,][0-9]*)?)")
_INFINITE = re.compile(r"([+-]?)(?:inf|infinity|∞)", re.IGNORECASE)
_SWAPPED = str.maketrans(",.", ".,")
_DATES = re.compile(
    r"(?:[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:[0-9]{4}|[0-9]{2}))"
    r"(?:[ T][0-9]{1,2}:[0-9]{2}.*)?|[0-9]{4}-[0-9]{2}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]*)?)?"
)
_DAY = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")


def number_text(text: str, decimal: str = ".") -> str | None:
    """The number that a text is as Python writes it; None for any other text.

    Args:
        text: without spaces around it.
        decimal: what stands before the fraction, "." or ","; the other one may stand between thousands, as may a space
            and an apostrophe.

    >>> [number_text(text) for text in ("1.5", "-1,234.5", "12 000", "1e-3", "1,5", "0x1f", "inf")]
    ['1.5', '-1234.5', '12000', '1e-3', None, None, 'inf']
    >>> [number_text(text, ",") for text in ("1,5", "1.234,5", "1.234", "1.5")]
    ['1.5', '1234.5', '1234', None]
    """
    text = text.replace("\u2212", "-")  # the minus sign of typesetters
    if spaced := _SPACED.fullmatch(text):
        text = spaced[1] + re.sub("[^0-9]", "", spaced[2]) + spaced[3]
    if decimal == ",":
        text = text.translate(_SWAPPED)
    if _PLAIN.fullmatch(text):
        return text
    if _GROUPED.fullmatch(text):
        return text.replace(",", "")
    infinite = _INFINITE.fullmatch(text)
    return f"{infinite[1]}inf" if infinite else None


def is_date(text: str) -> bool:
    """Whether a text is a date or a time in figures.

    >>> [is_date(text) for text in ("2024-02-29", "3.4.2021 12:30", "12:30", "1.234.567", "20240229")]
    [True, True, True, False, False]
    """
    return _DATES.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Whether a whole number may be a day of the years from 1900 to 2099, as in 20240229.

    >>> is_day("20240229"), is_day("20241329")
    (True, False)
    """
    return _DAY.fullmatch(text) is not None


def is_beyond_exact(text: str) -> bool:
    """Whether a text is a whole number too large for a float of 64 bits to tell it from its neighbours.

    >>> is_beyond_exact("9007199254740993"), is_beyond_exact("1e300")
    (True, False)
    """
    return len(text) > 15 and text.lstrip("+-").isdecimal() and abs(int(text)) > EXACT


def by_size(text: str) -> tuple[bool, float, str]:
    """A key by which numbers are sorted by their size, and texts after them by their letters.

    >>> sorted(["b", "10", "9", "a"], key=by_size)
    ['9', '10', 'a', 'b']
    """
    number = number_text(text)
    return (number is None, float(number or 0.0), text)


def share_of_numbers(texts: Iterable[str], decimal: str) -> float:
    """The share of texts that are numbers; 0 of none at all.

    >>> share_of_numbers(["1", "2", "x", "4"], ".")
    0.75
    """
    found = [number_text(text, decimal) is not None for text in texts]
    return sum(found) / len(found) if found else 0.0
