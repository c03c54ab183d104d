"""`samcli plot`: each kind of figure, the numbers, and mistakes."""

import json
from pathlib import Path

import pytest
from command import Samcli
from run_folders import SAM, SGD, Results


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = Results(tmp_path / "results")
    for seed in range(2):
        made.add(SGD, seed, [0.5, 0.75 + 0.01 * seed], sharpness=0.08)
        for rho in (0.05, 0.1, 0.5):
            made.add({**SAM, "rho": rho}, seed, [0.5, 0.8 + 0.01 * seed], gradients=200, sharpness=0.02)
    made.add(SAM, 2, [0.5], status={"status": "diverged"}, epochs=2)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


NOTE = "Note: sam rho=0.1 on digits, cnn: not drawn are diverged seed 2, which flatters it.\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ("Test accuracy over epochs", "mean over 2 seeds, band: ± one standard deviation")),
        (("--over", "gradients", "--metric", "test_loss"), ("Test loss over gradient evaluations",)),
        (("--over", "seconds"), ("Test accuracy over training seconds",)),
        (("--kind", "axis", "--axis", "rho"), ("Test accuracy after the last epoch, along rho", "bars")),
        (("--kind", "pareto"), ("training cost relative to sgd, gradient evaluations", "sgd (1)")),
        (
            ("--kind", "pareto", "--over", "seconds", "--baseline", "sam rho=0.05"),
            ("relative to sam rho=0.05, seconds",),
        ),
        (("--kind", "rho"), ("Test accuracy after the last epoch, along rho", "bars")),
        (("--kind", "cost"), ("training time relative to sgd", "gradient evaluations relative to sgd")),
        (("--kind", "sharpness"), ("Test accuracy against sharpness", "8 runs after their last epoch")),
    ],
)
def test_each_kind(samcli: Samcli, results: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    called = samcli("plot", results, *arguments, "-o", "new/figure.svg", "--width", "6.75")
    assert (called.code, called.out, called.err) == (0, "new/figure.svg\n", NOTE)
    text = Path("new/figure.svg").read_text()
    for word in words:
        assert word in text
    assert [path.name for path in Path("new").iterdir()] == ["figure.svg"]


def test_formats_and_the_default_name(samcli: Samcli, results: Path) -> None:
    for name, start in {"a.pdf": b"%PDF", "b.PNG": b"\x89PNG", "c.svg": b"<?xml"}.items():
        assert samcli("plot", results, "-q", "--output", name).out == f"{name}\n"
        assert Path(name).read_bytes().startswith(start)
    called = samcli("plot", "-q")
    assert (called.out, called.err) == ("plot.png\n", "")
    assert Path("plot.png").exists()


def test_json_has_what_is_drawn(samcli: Samcli, results: Path) -> None:
    called = samcli("plot", results, "--kind", "axis", "--axis", "optimizer.rho", "--json")
    found = json.loads(called.out)
    assert found["kind"] == "axis"
    (panel,) = found["panels"]
    assert panel["x"] == {"name": "optimizer.rho", "label": "rho", "factor": 1.0, "is_logarithmic": True}
    assert panel["y"]["factor"] == 100.0
    sam, sgd = panel["series"]
    assert [point["x"] for point in sam["points"]] == [0.05, 0.1, 0.5]
    assert [point["y"] for point in sam["points"]] == pytest.approx([0.805] * 3)
    assert sgd["points"][0] | {"y": 0.0, "y_sd": 0.0} == {
        **dict.fromkeys(("y", "y_sd"), 0.0),
        **dict.fromkeys(("x", "x_sd", "seed")),
        "n": 2,
    }
    assert found["notes"] == [NOTE.removeprefix("Note: ").strip()]
    assert not Path("plot.png").exists()
    drawn = samcli("plot", results, "--json", "-o", "figure.pdf")
    assert json.loads(drawn.out)["kind"] == "curves"
    assert drawn.err == f"{NOTE}figure.pdf\n"
    assert Path("figure.pdf").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ("--kind", "lines"),
            2,
            "--kind must be one of curves, rho, noise, axis, cost, pareto, sharpness, landscape, not 'lines'.",
        ),
        (("--kind", "axis"), 2, "--kind axis needs the option that it goes along: --axis rho, for example."),
        (("--kind", "axis", "--axis", "roh"), 2, "--axis roh: no run has a setting 'roh'; did you mean rho?"),
        (("--kind", "axis", "--axis", "optimizer.roh"), 2, "no run has a setting 'optimizer.roh'; did you mean rho?"),
        (("--axis", "rho"), 2, "--axis goes with --kind axis; add it, or leave --axis out."),
        (("--baseline", "sgd"), 2, "--baseline goes with --kind cost or pareto; add it, or leave --baseline out."),
        (
            ("--kind", "sharpness", "--over", "epochs"),
            2,
            "--over goes with --kind curves or pareto, not with sharpness; leave it out.",
        ),
        (("--kind", "pareto", "--over", "epochs"), 2, "Cost is counted in gradients or seconds; choose one of these"),
        (("--kind", "cost", "--metric", "test_loss"), 2, "--kind cost shows no metric; leave --metric out."),
        (("--kind", "noise"), 2, "name an option in which they differ."),
        (("--kind", "landscape"), 3, "No finished run has a landscape; make some first: samcli landscape RESULTS"),
        (("--kind", "cost", "--baseline", "adam"), 2, "No finished adam run on digits, cnn, so no cost there"),
        (("--metric", "test_acuracy"), 2, "No run has a metric 'test_acuracy'; did you mean test_accuracy?"),
        (("--metric", "train_loss"), 2, "No run has measured train_loss; leave out --metric or name another"),
        (("-o", "figure.jpg"), 2, "--output figure.jpg: a picture ends in .png, .svg or .pdf."),
        (("-o", "results/trial/run000/run.json/x.png"), 2, "cannot be written; name a file in a folder of yours."),
        (("--width", "1"), 2, "--width must be a number at least 2.5 and at most 30, not '1'."),
        (("nowhere",), 2, "There are no results at nowhere; name a results folder, or train first: samcli train"),
        (("empty",), 3, "There are no runs to plot; train some first: samcli train"),
        (("results/trial/run008",), 3, "No run has finished; samcli runs tells how far they are and what failed."),
    ],
)
def test_mistakes(samcli: Samcli, results: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    Path("empty").mkdir()
    called = samcli("plot", *arguments)
    assert (called.code, called.out) == (code, "")
    assert sentence in called.err
    assert "Traceback" not in called.err
    assert sorted(path.name for path in Path().iterdir()) == ["empty", "results"]
