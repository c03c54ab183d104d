"""Tables for a terminal: what must be there, what must not, and nothing cut off."""

import re

import pytest
from run_folders import Block, Results

from samcli.report import Comparison, compare, render


def test_table_on_one_line_per_row(comparison: Comparison) -> None:
    text = render(comparison, "table")
    assert "\x1b" not in text  # no colour codes unless asked for
    assert max(map(len, text.splitlines())) <= 100
    assert text.startswith("digits, cnn: test accuracy in %\n")
    (sam,) = re.findall(r"^sam rho=0\.1 .*$", text, re.M)
    assert re.split(r"\s{2,}", sam)[1:4] == ["4", "84.00 ± 4.08", "84.25 ± 4.03"]
    assert "+10.00" in sam
    assert sam.endswith("2.00×")
    assert re.search(r"^sgd .* baseline ", text, re.M)
    assert re.search(r"^sam rho=5 +0\n1 diverged$", text, re.M)
    assert "Note: Diverged runs are not in the mean" in text
    assert "label_noise" not in text  # the same everywhere


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_table_never_cuts_anything_off(comparison: Comparison, width: int) -> None:
    text = render(comparison, "table", width=width)
    assert "…" not in text
    for words in ("84.00 ± 4.08", "[+5.03,", "+14.97]", "diverged", "baseline"):
        assert words in text
    assert max(map(len, text.splitlines())) <= width
    left_out = {40: ("Passes", "Cost", "s/epoch", "Sharpness", "Best"), 80: ("s/epoch", "Best")}.get(width, ())
    for heading in ("Best", "Passes", "Sharpness", "s/epoch", "Cost"):
        assert (heading in text.splitlines()[1]) == (heading not in left_out), heading
    assert ("No room for" in text) == bool(left_out)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_wide_cells_leave_room_for_the_last_column(results: Results, sgd: Block, sam: Block, width: int) -> None:
    """Six digits before the point, as a loss or a kept measure may have, and names that take two lines."""
    for seed, (low, high) in enumerate([(-120000.5, -420000.25), (-160000.5, -480000.75)]):
        for schedule in ("cosine", "multi-step"):
            results.add(sgd, seed, (low,), metric="r2", schedule={"name": schedule}, seconds=1.0)
            results.add(sam, seed, (high,), metric="r2", schedule={"name": schedule}, seconds=2.19)
    text = render(compare(results.runs(), metric="test_loss"), "table", width=width)
    assert text.count("2.19×") == (0 if width <= 80 else 2)  # the interval is not broken for it
    assert "Cost" in text
    assert max(map(len, text.splitlines())) <= width
    for number in ("-450000.6250", "42949.7", "140000.5000"):
        assert (number in text) == (number in render(compare(results.runs(), metric="test_loss"), "table", width=None))


def test_color_only_adds_codes(comparison: Comparison) -> None:
    colored = render(comparison, "table", color=True)
    assert "\x1b[1m" in colored
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in plain.splitlines()] == render(comparison, "table").splitlines()


def test_brackets_are_no_markup(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), dataset={"name": "image-folder:[red]x[/red]"})
    assert "image-folder:[red]x[/red], cnn" in render(compare(results.runs()), "table")


@pytest.mark.parametrize(("width", "lines"), [(60, 4), (80, 3), (120, 2), (160, 1)])
def test_grids_are_readable_at_every_width(results: Results, sgd: Block, sam: Block, width: int, lines: int) -> None:
    """A row takes few lines, and every number that is there is whole."""
    results.add(sgd, 0, (0.7,))
    results.add(sgd, 1, (0.72,))
    for name in ("sam", "lookbehind"):
        for base, lr in (("sgd", 0.05), ("adamw", 0.001)):
            for rho in (0.05, 0.2):
                for seed in (0, 1):
                    block = {**sam, "name": name, "base": base, "lr": lr, "rho": rho}
                    results.add(block, seed, (0.7 + rho + seed / 30,), gradients=200)
    comparison = compare(results.runs())
    text = render(comparison, "table", width=width)
    table = text.split("\n\n")[0].splitlines()
    assert len(table) <= 4 + lines * len(comparison.rows)
    assert max(map(len, text.splitlines())) <= width
    whole = render(comparison, "table", width=None)
    wide = {*whole.split(), *whole.replace(", ", ",").split()}
    assert {word for word in text.split("\n\n")[0].split() if "─" not in word} <= wide
