"""Tables of texts: nothing is cut off, nothing is markup."""

import re

import pytest

from samcli.optim import BASES, VARIANTS
from samcli.report.listing import optimizer_rows
from samcli.report.text_table import text_table

ROWS = [
    {"option": "betas", "default": "[0.9, 0.999]", "meaning": "decay of the averages of gradients " * 3},
    {"option": "x", "default": "[bold]", "meaning": "short"},
]


def test_brackets_are_no_markup() -> None:
    text = text_table(ROWS)
    assert "[0.9, 0.999]" in text
    assert "[bold]" in text
    assert text_table([]) == ""


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_long_texts_wrap_within_the_width(width: int) -> None:
    text = text_table(ROWS, width=width)
    assert max(map(len, text.splitlines())) <= width
    assert text.split().count("gradients") == 3
    assert "…" not in text


def test_color_only_adds_codes() -> None:
    colored = text_table(ROWS, color=True)
    assert "\x1b[1m" in colored
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in plain.splitlines()] == text_table(ROWS).splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_optimizers_are_readable_at_every_width(width: int) -> None:
    """No column of a few letters: where the long texts have no room beside the others, they stand below."""
    text = text_table(optimizer_rows(BASES, VARIANTS), width=width)
    assert max(map(len, text.splitlines())) <= width
    rows = text.split("\nsam ")[1].splitlines()
    assert "worst point of" in " ".join(" ".join(rows[:4]).split())
    assert len(text.splitlines()) < 7 * len([*BASES, *VARIANTS])


def test_without_a_width_a_row_is_a_line() -> None:
    text = text_table(ROWS, width=None)
    assert len(text.splitlines()) == 4
    assert text.count("gradients") == 3
