"""The page as a whole: its numbers are those of compare, nothing is fetched, nothing in a name acts."""

import base64
import hashlib
import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from page_reader import Page
from run_folders import SAM, SGD, Block, Results

from samcli.config.hypotheses import hypotheses_of
from samcli.config.source import Source
from samcli.errors import NothingToCompare
from samcli.report import compare, render
from samcli.report.page import page as make
from samcli.report.page.document import NOTHING_YET, WHOLE_RUNS
from samcli.runs.hypotheses_file import record

MakePage = Callable[..., Page]
NAMES = {
    "script": "</script><script>alert(1)</script><!--",
    "quotes": "\"'><img src=x onerror=alert(1)>`",
    "emoji": "🧨👩‍🔬",
    "right to left": "שלום \u202e evil",
    "long": "x" * 4000,
    "template": "$body ${style} %{x} {{x}} &amp; \u2028",
    "control": "\x1b[31m\x00\r\n",
}


def test_the_numbers_are_those_of_compare(noisy: Results, page: MakePage) -> None:
    runs = noisy.runs()
    for settings in ({}, {"baseline": "sam rho=0.1"}, {"budget": "gradients"}, {"margin": 0.02}):
        found = page(runs, **settings).data("comparison")
        assert found == json.loads(render(compare(runs, **settings), "json"))  # type: ignore[arg-type]


def test_the_table_has_the_texts_of_compare(noisy: Results, page: MakePage) -> None:
    runs = noisy.runs()
    markdown = render(compare(runs), "markdown")
    head, _, *rows = [line for line in markdown.splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in head.strip("|").split("|")]
    table = page(runs).all("table")[0].text
    for row in rows:
        cells = dict(zip(columns, (cell.strip() for cell in row.strip("|").split("|")), strict=True))
        for column, text in cells.items():
            if column not in ("Data set", "Model", "Settings", "Optimizer"):
                assert text in table, (column, text)
    for note in compare(runs).notes:
        assert note in page(runs).words


def test_same_results_same_bytes(noisy: Results) -> None:
    runs = noisy.runs()
    assert make(runs, compare(runs)) == make(runs, compare(runs))


def test_nothing_is_fetched_and_nothing_else_runs(noisy: Results) -> None:
    """With the real bundle: only scripts whose digest the policy names, and no address outside the page."""
    found = Page(make(noisy.runs(), compare(noisy.runs())))
    for element in found.elements:
        assert not element.attributes.keys() & {"src", "srcset", "action", "data", "onclick", "onload"}
        for key in element.attributes.keys() & {"href"}:
            assert str(element.attributes[key]).startswith("#")
    (policy,) = [one.attributes["content"] for one in found.all("meta") if "http-equiv" in one.attributes]
    assert policy and "default-src 'none'" in policy
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    scripts = [one.text for one in found.all("script") if "type" not in one.attributes]
    assert len(scripts) == 2
    assert {base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts} == allowed
    assert "\r" not in scripts[0], "a browser would read another text than was hashed"


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_hostile_names(results: Results, sgd: Block, sam: Block, page: MakePage, name: str) -> None:
    """They are text wherever they stand, in the page and in its plots, and JSON reads them back."""
    for seed in range(6):
        results.add(sgd, seed, (0.5, 0.6), dataset={"name": name}, name=name, status={"device": name})
        results.add(
            {**sam, "name": name, "base": name}, seed, (0.5, 0.7 + seed / 100), dataset={"name": name}, name=name
        )
    results.add(sgd, 9, (0.5,), status={"status": "failed", "error": name}, dataset={"name": name}, epochs=2)
    stated = {"says": name[:300], "better": {"optimizer.rho": 0.1}, "than": {"optimizer": "sgd"}}
    record(results.path / "trial", hypotheses_of(Source({"hypotheses": [stated]})), finished=3)
    found = page(results.runs(), warnings=[name])
    assert len(found.all("script")) == 4
    assert not found.all("img")
    assert {one.attributes.get("onerror") for one in found.elements} == {None}
    kinds = {unicodedata.category(character) for character in found.source.replace("\n", "")}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    rows = found.data("comparison")["rows"]
    assert name in {row["optimizer"] for row in rows}
    for series in found.data("plots")["sections"][0]["series"]:
        assert "<" not in series["label"]
        assert len(series["label"]) < 500


def test_runs_without_an_end(results: Results, sgd: Block, page: MakePage) -> None:
    """Only diverged, failed or interrupted runs: a page that says so, and draws nothing."""
    for seed, state in enumerate(("diverged", "failed", "interrupted")):
        results.add(sgd, seed, (0.1,), status={"status": state, "error": "No room."}, epochs=3)
    found = page(results.runs())
    assert "Of 3 runs, 1 diverged, 1 failed and 1 interrupted." in found.words
    assert NOTHING_YET in found.words
    assert found.data("plots")["sections"] == []
    assert "No room." in found.words
    assert len(found.all("script")) == 3, "without Plotly, which would draw nothing"


def test_no_runs() -> None:
    with pytest.raises(NothingToCompare):
        make([], compare([]))


def test_several_data_sets_and_models(results: Results, page: MakePage) -> None:
    for dataset, model in (("digits", "cnn"), ("digits", "mlp"), ("wine", "linear")):
        for seed in range(2):
            for optimizer in (SGD, SAM):
                results.add(optimizer, seed, (0.5, 0.6), dataset={"name": dataset}, model={"name": model})
    found = page(results.runs())
    curves = found.data("plots")["sections"][0]
    assert [panel["where"] for panel in curves["views"][0]["panels"]] == ["digits, cnn", "digits, mlp", "wine, linear"]
    assert len(found.all("table")) >= 3
    assert "sam and sgd on digits and wine with the models cnn, linear and mlp" in found.words


def test_one_seed(results: Results, page: MakePage) -> None:
    results.add(SGD, 0, (0.5, 0.6))
    results.add(SAM, 0, (0.5, 0.7))
    found = page(results.runs())
    assert "too few seeds" in found.words
    assert not found.all("svg"), "without an interval there is none to draw"
    assert "ySd" not in found.data("plots")["sections"][0]["views"][0]["panels"][0]["series"][0]


def test_diverged_runs_are_never_hidden(noisy: Results, page: MakePage) -> None:
    words = page(noisy.runs()).words
    assert "Of 8 runs, 7 finished and 1 diverged." in words
    assert "1 without a finished run" in words
    assert "sam rho=5 has no finished run, so nothing can be said of it." in words


def test_plots_do_not_pretend_to_have_the_budget(noisy: Results, page: MakePage) -> None:
    assert page(noisy.runs(), budget="gradients").words.count(WHOLE_RUNS) == 1
    assert WHOLE_RUNS not in page(noisy.runs()).words


def test_only_a_page_that_is_watched_loads_itself(noisy: Results, page: MakePage) -> None:
    assert page(noisy.runs(), reload=10.0).all("html")[0].attributes["data-reload"] == "10"
    assert "data-reload" not in page(noisy.runs()).all("html")[0].attributes


def test_the_shell_lies_in_the_package() -> None:
    """Hatch puts into a wheel whatever lies in `samcli/`, unless it is ignored by git."""
    folder = Path(make.__code__.co_filename).parent
    assert {"page.html", "page.css", "page.js"} <= {path.name for path in folder.iterdir()}
