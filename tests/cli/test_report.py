"""`samcli report`: the page, its mistakes, and a page that is watched."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Samcli
from page_reader import Page
from run_folders import SAM, SGD, Results

from samcli.cli import report
from samcli.runs.folder import RunFolder

RUNNING = {"status": "running", "pid": os.getpid(), "host": socket.gethostname()}


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    """Finished runs, and the bundle of Plotly left out, which takes long to read."""
    made = Results(tmp_path / "results")
    for seed in range(2):
        made.add(SGD, seed, [0.5, 0.75 + 0.01 * seed])
        made.add(SAM, seed, [0.5, 0.8 + 0.01 * seed], gradients=200)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("samcli.report.page.document._plotly", lambda: "var Plotly;")
    return made


def page(path: str = "report.html") -> Page:
    return Page(Path(path).read_text(encoding="utf-8"))


def test_the_page_has_what_compare_says(samcli: Samcli, results: Results) -> None:
    for number, options in enumerate(
        (
            (),
            ("--baseline", "sam"),
            ("--metric", "test_loss"),
            ("--budget", "gradients"),
            ("--margin", "0.01"),
        )
    ):
        called = samcli("report", "results", "-o", f"new/{number}.html", *options)
        assert (called.code, called.out, called.err) == (0, f"new/{number}.html\n", "")
        compared = json.loads(samcli("compare", "results", "--format", "json", *options).out)
        assert page(f"new/{number}.html").data("comparison") == compared
    assert sorted(path.name for path in Path("new").iterdir()) == [f"{number}.html" for number in range(5)]


def test_results_and_name_by_default(samcli: Samcli, results: Results) -> None:
    (results.add(SAM, 7, [0.5]).path / "config.yaml").write_text("[")
    called = samcli("report", "-q")
    assert (called.code, called.out) == (0, "report.html\n")
    assert "warning: Skipped: " in called.err
    assert "run004" in page().words, "what could not be read is named in the page too"
    first = Path("report.html").read_bytes()
    samcli("report", "-q")
    assert Path("report.html").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("-o", "report.pdf"), 2, "--output report.pdf: a page ends in .html; print it from a browser to get a PDF."),
        (("-o", "results/trial/run000/run.json/x.html"), 2, "cannot be written; name a file in a folder of yours."),
        (("-o", "page.html"), 2, "--output page.html cannot be written; name a file in a folder of yours."),
        (("--metric", "test_acuracy"), 2, "did you mean test_accuracy?"),
        (("--baseline", "sam roh=1"), 2, "--baseline sam roh=1: no run has a setting 'roh'; did you mean rho?"),
        (("--margin", "-1"), 2, "--margin must be above 0, not -1; of accuracies 0.005 is half a point."),
        (("--select", "validation"), 2, "validation"),
        (("--every", "0"), 2, "--every must be a number at least 0.1 and at most 86400, not '0'."),
        (("nowhere",), 2, "There are no results at nowhere; name a results folder, or train first: samcli train"),
        (("empty",), 3, "There are no runs to compare; train some first: samcli train"),
    ],
)
def test_mistakes(samcli: Samcli, results: Results, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    Path("empty").mkdir()
    Path("page.html").mkdir()
    called = samcli("report", *arguments)
    assert (called.code, called.out) == (code, "")
    assert sentence in called.err
    assert "Traceback" not in called.err
    assert sorted(path.name for path in Path().iterdir()) == ["empty", "page.html", "results"]


@pytest.fixture
def looks(results: Results, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A run that goes on, and between looks: an epoch, nothing, its end; what each look found written."""
    going = results.add(SAM, 5, [0.5], status={**RUNNING, "epochs_done": 1}, epochs=2)
    written: list[str] = []

    def sleep(_: float) -> None:
        written.append(Path("report.html").read_text(encoding="utf-8") + str(Path("report.html").stat().st_ino))
        if len(written) == 1:
            write(going, RUNNING, [0.5, 0.6])
        if len(written) == 3:
            write(going, {"status": "finished"}, [0.5, 0.6])
        assert len(written) < 9, "it should have ended"

    monkeypatch.setattr(report.time, "sleep", sleep)
    yield written


def write(folder: RunFolder, status: dict[str, object], values: list[float]) -> None:
    folder.write_status({**status, "seed": 5, "started": "2026-01-01", "epochs_done": len(values)})
    folder.write_metrics([{"epoch": i + 1, "test_accuracy": value, "test_loss": 0.1} for i, value in enumerate(values)])


def test_watch(samcli: Samcli, results: Results, looks: list[str]) -> None:
    called = samcli("report", "--watch", "--every", "3")
    assert (called.code, called.out) == (0, "report.html\n")
    assert [look.count('data-reload="3"') for look in looks] == [1, 1, 1, 1]
    assert looks[0] != looks[1], "an epoch more is another page"
    assert looks[1] == looks[2], "nothing new, nothing written"
    assert called.err == "5 runs: 4 finished, 1 running.\n5 runs: 5 finished.\n", "no line for each look"
    found = page()
    assert "data-reload" not in found.all("html")[0].attributes, "a page that is finished does not load itself"
    assert "Of 5 runs, all finished." in found.words


def test_watch_interrupted(samcli: Samcli, results: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page stays, and does not load itself any more."""
    results.add(SAM, 5, [0.5], status=RUNNING, epochs=2)

    def interrupt(_: float) -> None:
        assert "data-reload" in page().all("html")[0].attributes
        raise KeyboardInterrupt

    monkeypatch.setattr(report.time, "sleep", interrupt)
    called = samcli("report", "--watch")
    assert (called.code, called.out) == (75, "")
    assert "Interrupted" in called.err
    assert "data-reload" not in page().all("html")[0].attributes
    assert "1 running" in page().words
