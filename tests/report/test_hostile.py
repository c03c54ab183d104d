"""Names from a stranger's files in everything that is printed or drawn of them."""

import csv
import io
import json
import unicodedata

import pytest
from run_folders import Block, Results

from samcli.report import FORMATS, compare, render
from samcli.report.pictures import encode
from samcli.report.pictures._figure import titled_figure
from samcli.report.pictures.landscape import Labels, draw_panels
from samcli.report.text_table import text_table

NAME = "\x1b[31m=evil\u202e|a&b<script>$x$_\\input{y}[red]\r\n[l](http://e.org)"


@pytest.fixture
def hostile(results: Results, sgd: Block, sam: Block) -> Results:
    results.add({**sgd, "name": NAME}, 0, (0.5, 0.6))
    results.add({**sam, "base": NAME, "norm": NAME}, 0, (0.5, 0.6), dataset={"name": NAME, "path": NAME})
    results.add(sgd, 1, (0.5, 0.6), model={"name": NAME})
    return results


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_hidden_in_any_format(hostile: Results, form: str) -> None:
    text = render(compare(hostile.runs(), baseline="sgd"), form)
    kinds = {unicodedata.category(character) for character in text.replace("\n", "")}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert "evil" in text


def test_rows_stay_rows(hostile: Results) -> None:
    comparison = compare(hostile.runs())
    records = list(csv.DictReader(io.StringIO(render(comparison, "csv"))))
    assert len(records) == 3
    assert {record["finished"] for record in records} == {"1"}
    assert NAME in {row["optimizer"] for row in json.loads(render(comparison, "json"))["rows"]}
    table = [line for line in render(comparison, "markdown").splitlines() if line.startswith("|")]
    assert len(table) == 5
    assert "<script>" not in render(comparison, "markdown").replace(r"\<", "")
    assert r"\input" not in render(comparison, "latex")
    assert "[red]" in render(comparison, "table")


def test_cells_of_any_table() -> None:
    text = text_table([{"run": NAME, "value": "1"}], width=200)
    assert r"\x1b[31m=evil\u202e|a&b<script>" in text
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_names_in_pictures_are_no_formulas(form: str) -> None:
    """An unfinished formula would be an error of matplotlib's; an escape would make an SVG that no viewer opens."""
    import torch

    class Bowl:
        axes = ((-1.0, 0.0, 1.0),) * 2
        losses = torch.rand(3, 3, generator=torch.Generator().manual_seed(0))
        examples = 10

    name = "_\x1b$\\frac{"
    labels = Labels((name, name), name, ("α", "β"))
    written = encode(draw_panels([Bowl()], [(name, "seed 0")], labels), form)
    assert b"\x1b" not in written or form != "svg"
    with titled_figure([name], 4.0, 3.0) as figure:
        assert figure.get_suptitle() == r" _\x1b\$\frac{"
