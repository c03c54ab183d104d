"""LaTeX: escaped and complete."""

import re

import pytest
from run_folders import Block, Results

from samcli.report import compare, render


def test_latex_is_escaped_and_complete(results: Results, sgd: Block, sam: Block) -> None:
    for noise in (0.0, 0.4):
        for seed in (0, 1):
            results.add(sgd, seed, (0.8 + seed / 100,), dataset={"label_noise": noise})
            results.add(sam, seed, (0.7 - seed / 100,), dataset={"label_noise": noise})
    text = render(compare(results.runs()), "latex")
    body = text.split("\n", 2)[2]  # the first lines are comments
    assert r"\begin{tabular}{@{}lrrrrrr@{}}" in text
    assert "% left out to fit 345 pt: best, sharpness and seconds; see --columns" in text
    assert r"\multicolumn{7}{@{}l@{}}{\emph{digits label\_noise=0.4, cnn: test accuracy in \%}} \\" in text
    assert r"sam $\rho$=0.1 & 2 & 69.50 $\pm$ 0.71 & $-$11.00 & [" in text
    assert r"sgd & 2 & \textbf{80.50 $\pm$ 0.71} & baseline" in text
    assert r"\caption{Test accuracy in \%.}" in text
    assert text.count(r"\midrule") == 2  # below the heads, and between the data sets
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 1
    assert text.count("{") == text.count("}")
    rows = re.findall(r"^.*\\\\$", body, re.M)
    assert [row.count("&") for row in rows] == [6, 0, 6, 6, 0, 6, 6]
    assert re.search(r"(?<!\\)[%#_]", body) is None
    assert body.isascii()


def test_the_default_fits_a_line_of_article(results: Results, sgd: Block, sam: Block) -> None:
    """With names of any length, by the widths of LaTeX's own type; what was chosen stays whatever its width."""
    long = {**sam, "name": "asam-elementwise-with-a-long-name", "ascent_precision": "bf16", "m": 16}
    for seed in (0, 1):
        results.add(sgd, seed, (0.8 + seed / 100,))
        results.add(sam, seed, (0.7,))
        results.add(long, seed, (0.7,), schedule={"name": "multi-step"})
    comparison = compare(results.runs())
    text = render(comparison, "latex")
    assert r"\begin{tabular}{@{}p{" in text
    assert "left out to fit 345 pt" in text
    for name in ("asam-elementwise", "Last", r"$\Delta$"):
        assert name in text
    chosen = render(comparison, "latex", columns="optimizer,settings,best,sharpness,seconds,cost")
    assert "left out" not in chosen
    assert r"Optimizer & Settings & Best on test & Sharpness & s/epoch & Cost \\" in chosen


def test_the_best_mean_is_bold_the_smallest_loss_too(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5, 0.6))
    results.add(sam, 0, (0.5, 0.9))
    text = render(compare(results.runs(), metric="test_loss"), "latex", columns="optimizer,last,best")
    assert r"sam $\rho$=0.1 & \textbf{0.1000} & \textbf{0.1000} \\" in text
    assert r"sgd & 0.4000 & 0.4000 \\" in text


def test_a_row_that_begins_with_a_bracket(results: Results, sgd: Block) -> None:
    results.add({**sgd, "name": "[x]"}, 0, (0.5,))
    assert "\n{}[x] &" in render(compare(results.runs()), "latex")


@pytest.mark.parametrize(("name", "told"), [("größe", False), ("数据", True), ("данные", True), ("ρ", False)])
def test_letters_that_pdflatex_lacks(results: Results, sgd: Block, name: str, told: bool) -> None:
    results.add({**sgd, "name": name}, 0, (0.5,))
    assert ("use lualatex or xelatex" in render(compare(results.runs()), "latex")) == told
