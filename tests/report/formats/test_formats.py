"""The five formats: what must be there, what must not, and numbers that read back."""

import csv
import io
import json
import math
import re

import pandas as pd
import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report import FORMATS, Comparison, compare, render


@pytest.fixture
def comparison(noisy: Results) -> Comparison:
    return compare(noisy.runs())


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_ends_with_one_line_break(comparison: Comparison, form: str) -> None:
    text = render(comparison, form)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "nan" not in text.lower()
    assert "None" not in text


def test_unknown_format(comparison: Comparison) -> None:
    with pytest.raises(ConfigError, match=r"no format named 'tex'; did you mean latex\?"):
        render(comparison, "tex")


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
    for words in ("84.00 ± 4.08", "[+5.03,", "+14.97]", "2.00×", "Sharpness", "s/epoch", "diverged", "baseline"):
        assert words in text
    assert max(map(len, text.splitlines())) <= max(width, 80)


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_wide_cells_leave_room_for_the_last_column(results: Results, sgd: Block, sam: Block, width: int) -> None:
    """Six digits before the point, as a loss or a kept measure may have, and names that take two lines."""
    for seed, (low, high) in enumerate([(-120000.5, -420000.25), (-160000.5, -480000.75)]):
        for schedule in ("cosine", "multi-step"):
            results.add(sgd, seed, (low,), schedule={"name": schedule}, seconds=1.0)
            results.add(sam, seed, (high,), schedule={"name": schedule}, seconds=2.19)
    text = render(compare(results.runs(), metric="test_loss"), "table", width=width)
    assert text.count("2.19×") == 2
    assert "Cost" in text


def test_color_only_adds_codes(comparison: Comparison) -> None:
    colored = render(comparison, "table", color=True)
    assert "\x1b[1m" in colored
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert [line.rstrip() for line in plain.splitlines()] == render(comparison, "table").splitlines()


def test_brackets_are_no_markup(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), dataset={"name": "image-folder:[red]x[/red]"})
    assert "image-folder:[red]x[/red], cnn" in render(compare(results.runs()), "table")


def test_markdown_is_a_table_and_a_list(comparison: Comparison) -> None:
    lines = render(comparison, "markdown").splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(comparison.rows)
    assert len({line.count("|") for line in table}) == 1
    assert len(set(map(len, table))) == 1  # aligned also as plain text
    assert re.fullmatch(r"\|( -+:? \|)+", table[1])
    assert lines[len(table)] == ""
    assert all(line.startswith("- ") for line in lines[len(table) + 1 :])
    assert any(line.startswith("- **Note:** Diverged") for line in lines)


def test_markdown_escapes_pipes(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), dataset={"name": "image-folder:a|b"})
    assert r"image-folder:a\|b" in render(compare(results.runs()), "markdown")


def test_latex_is_escaped_and_complete(results: Results, sgd: Block, sam: Block) -> None:
    for noise in (0.0, 0.4):
        for seed in (0, 1):
            results.add(sgd, seed, (0.8 + seed / 100,), dataset={"label_noise": noise})
            results.add(sam, seed, (0.7 - seed / 100,), dataset={"label_noise": noise})
    text = render(compare(results.runs()), "latex")
    body = text.split("\n", 1)[1]  # the first line is a comment
    assert r"\begin{tabular}{lllrrrrrrrr}" in text
    assert r"digits label\_noise=0.4 & sam & rho=0.1 & 2 & 69.50 $\pm$ 0.71 &" in text
    assert r"$-$11.00 & [" in text
    assert r"\caption{Test accuracy in \% on cnn.}" in text
    assert text.count(r"\midrule") == 2  # below the heads, and between the data sets
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert text.count("{") == text.count("}")
    rows = re.findall(r"^.*\\\\$", body, re.M)
    assert [row.count("&") for row in rows] == [10] * 5
    assert re.search(r"(?<!\\)[%#_]", body) is None
    assert body.isascii()


def test_csv_has_unrounded_fractions(comparison: Comparison) -> None:
    text = render(comparison, "csv")
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == 3
    sam = table.iloc[0]
    assert sam["last_mean"] == pytest.approx(0.84, rel=1e-12)
    assert sam["difference"] == pytest.approx(0.1, rel=1e-12)
    assert (sam["n"], sam["pairs"], sam["finished"], sam["settings"]) == (4, 3, 4, "rho=0.1")
    assert table["is_baseline"].tolist() == [False, True, False]
    records = list(csv.DictReader(io.StringIO(text)))
    assert float(records[0]["last_sd"]) == comparison.rows[0].last.sd  # bit for bit
    assert (records[2]["last_mean"], records[2]["diverged"], records[1]["difference"]) == ("", "1", "")


def test_json_is_strict_and_complete(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5,), sharpness=None)
    results.add({**sam, "norm": math.inf}, 0, (0.7,))

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    comparison = compare(results.runs())
    document = json.loads(render(comparison, "json"), parse_constant=refuse)
    assert (document["baseline"], document["budget"]) == ("sgd", "epochs")
    assert document["notes"] == list(comparison.notes)
    first, second = document["rows"]
    assert first["config"]["optimizer"] == {**sam, "norm": "inf"}
    assert not {"seeds", "name"} & set(first["config"])
    assert first["by_seed"] == {"0": 0.7}
    assert first["difference"] == comparison.rows[0].by_seed[0] - comparison.rows[1].by_seed[0]
    assert (first["difference_low"], second["sharpness"], second["difference"]) == (None, None, None)


def test_metrics_of_two_tasks_are_told_apart(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.4,), metric="r2", dataset={"name": "diabetes"})
    results.add(sgd, 0, (0.9,))
    comparison = compare(results.runs())
    table = render(comparison, "table")
    assert "diabetes, cnn: test R²" in table
    assert "digits, cnn: test accuracy in %" in table
    markdown = render(comparison, "markdown")
    assert re.search(r"diabetes .*test R² .*0\.4000", markdown)
    assert re.search(r"digits .*test accuracy in % .*90\.00", markdown)
