"""LaTeX: escaped and complete."""

import re

from run_folders import Block, Results

from samcli.report import compare, render


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
