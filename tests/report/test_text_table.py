"""Tables of texts: nothing is cut off, nothing is markup."""

import re

import pytest

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
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == text_table(ROWS)
