"""Pieces of HTML."""

import re

import pytest

from samcli.report.page.parts import bar, folded, listed, name, sentence, table

NAME = "</b><script>'\"&"


def test_texts_are_escaped_wherever_they_stand() -> None:
    row = {"Optimizer": NAME, "Verdict": NAME, "n": NAME, "Runs": NAME}
    for made in (
        name(NAME),
        folded(NAME, ""),
        listed([NAME]),
        listed([NAME] * 9),
        table(list(row), [row], caption=NAME, numbers=["n"], verdict="Verdict"),
        table([NAME, "n"], [{NAME: NAME}], caption=NAME),
    ):
        assert "<script" not in made
        assert "&lt;script&gt;" in made


def test_numbers_of_a_sentence_stay_together() -> None:
    assert sentence("n = 6, 95 % of ±2, 80% x %{y}") == "n\u00a0=\u00a06, 95\u00a0%\u00a0of ±2, 80% x %{y}"
    assert sentence("[-0.61, +0.11], [a, b]") == "[-0.61,\u00a0+0.11], [a, b]"


def test_many_notes_are_folded() -> None:
    assert "<details>" not in listed(["a"] * 4)
    assert listed(["a"] * 5).startswith("<details><summary>5 notes</summary>")


@pytest.mark.parametrize(("value", "place"), [(-10.0, 6.0), (0.0, 100.0), (10.0, 194.0), (5.0, 147.0)])
def test_differences_lie_where_they_should(value: float, place: float) -> None:
    drawn = bar("better", -10.0, value, 10.0, (-10.0, 10.0), margin=1.0)
    assert float(re.findall(r'cx="([^"]+)"', drawn)[0]) == place
    assert re.findall(r'class="zero" x1="([^"]+)"', drawn) == ["100.0"]
    assert 'class="band" x="90.6" y="0" width="18.8"' in drawn
