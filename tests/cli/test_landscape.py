"""`samcli landscape` on what `samcli train` wrote."""

import csv
from pathlib import Path

import pytest
from command import Samcli

from samcli.cli.landscape import hints_of_progress


@pytest.fixture
def results(samcli: Samcli, tmp_path: Path) -> Path:
    small = ("--set", "dataset.train_examples=60", "--epochs", "1", "--set", "sharpness.examples=20")
    samcli("train", "--model", "mlp", "--optimizer", "sgd,sam", *small, "--results", tmp_path / "results")
    return tmp_path / "results"


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_curves_in_each_format(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    starts = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    tables = []
    for suffix, start in starts.items():
        picture = tmp_path / "new" / f"curves{suffix}"
        called = samcli("landscape", results, "--points", 5, "--examples", 40, "--output", picture)
        assert called.code == 0, called.err
        assert called.out == f"{picture}\n{picture.with_suffix('.csv')}\n"
        assert called.err.splitlines()[0].startswith("1/2 digits-mlp-sam-rho0.05-seed0-")
        assert picture.read_bytes().startswith(start)
        tables.append(picture.with_suffix(".csv").read_text())
    assert tables[0] == tables[1] == tables[2]
    svg = (tmp_path / "new" / "curves.svg").read_text()
    for words in ("sgd seed 0", "sam rho=0.05 seed 0", "digits, mlp; 40 training examples", "cross-entropy in nats"):
        assert words in svg
    table = rows(tmp_path / "new" / "curves.csv")
    assert [row["alpha"] for row in table] == ["-1.0", "-0.5", "0.0", "0.5", "1.0"] * 2
    assert {row["checkpoint"] for row in table} == {str(path) for path in results.glob("*/*/checkpoint.pt")}


def test_contours_along_the_leading_eigenvectors(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    picture = tmp_path / "plane.svg"
    how = ("--dimensions", 2, "--directions", "leading", "--span", 0.2, "--points", 3, "--examples", 40)
    assert samcli("landscape", results, *how, "--output", picture).code == 0
    assert "the plane of the two leading Hessian eigenvectors" in picture.read_text()
    table = rows(tmp_path / "plane.csv")
    assert len(table) == 2 * 9
    middle, edge = table[4], table[7]
    assert (middle["alpha"], middle["beta"], edge["alpha"]) == ("0.0", "0.0", "0.2")
    assert float(edge["train_loss"]) > float(middle["train_loss"])  # uphill


def test_line(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    picture = tmp_path / "line.svg"
    called = samcli("landscape", results, "--line", "--points", 9, "--output", picture)
    assert called.code == 0, called.err
    for words in ("sam rho=0.05 seed 0", "sgd seed 0", "train", "test", "60 train and 359 test examples"):
        assert words in picture.read_text()
    table = rows(tmp_path / "line.csv")
    sam, sgd = (rows(path) for path in sorted(results.glob("*/*/metrics.csv")))
    for row, metrics in ((table[2], sam), (table[6], sgd)):
        assert float(row["test_loss"]) == pytest.approx(float(metrics[-1]["test_loss"]), rel=1e-6)  # other batches
    assert [table[2]["t"], table[6]["t"]] == ["0.0", "1.0"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--output", "picture.jpg"), "picture.jpg: a picture ends in .png, .svg or .pdf."),
        (("--output", "picture"), "a picture ends in .png, .svg or .pdf."),
        (("--line", "--dimensions", "2"), "leave --dimensions and --directions out"),
        (("--span", "0"), "--span must be a number above 0"),
        (("--span", "inf"), "--span must be a number above 0"),
        (("--line", "--span", "-1"), "--span must be a number at least 0"),
        (("--dimensions", "3"), "--dimensions"),
        (("absent.pt",), "There is no file or folder absent.pt"),
        (("--line", "absent.pt"), "--line needs two checkpoints, not 3"),
    ],
)
def test_mistakes(
    arguments: tuple[str, ...], sentence: str, samcli: Samcli, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(results)
    called = samcli("landscape", results, *arguments)
    assert called.code == 2
    assert sentence in called.err
    assert "Traceback" not in called.err
    assert called.out == ""
    assert not list(results.glob("*.*"))


def test_line_between_two_architectures(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    small = ("--set", "dataset.train_examples=60", "--epochs", "1", "--set", "sharpness.every=0")
    samcli("train", "--model", "linear", "--optimizer", "sgd", *small, "--results", tmp_path / "other")
    first = next(results.glob("*/*sgd*/"))
    called = samcli("landscape", "--line", first, tmp_path / "other", "--output", tmp_path / "line.png")
    assert called.code == 2
    assert "A line needs two checkpoints of one architecture" in called.err
    assert "is mlp and" in called.err
    assert "is linear. The two networks differ" in called.err
    assert not (tmp_path / "line.png").exists()
    beside = samcli("landscape", first, tmp_path / "other", "--points", 3, "--output", tmp_path / "both.png")
    assert beside.code == 0
    assert "do not compare" in beside.err


def test_a_table_of_something_else_is_kept(samcli: Samcli, results: Path) -> None:
    metrics = next(results.glob("*/*/metrics.csv"))
    before = metrics.read_text()
    called = samcli("landscape", results, "--output", metrics.with_suffix(".png"))
    assert called.code == 2
    assert "holds something else" in called.err
    assert metrics.read_text() == before


def test_tells_now_and_then_how_long_it_takes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 104.0, 112.0, 116.0, 130.0])  # the first point waits for what is loaded
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    tell = hints_of_progress()
    for done in range(1, 6):
        tell(done, 5)
    assert capsys.readouterr().err == "  3 of 5 points, about 12 s left\n"


def test_numbers_never_go_into_a_folder(samcli: Samcli, results: Path, tmp_path: Path) -> None:
    (tmp_path / "y.csv").mkdir()
    called = samcli("landscape", results, "--output", tmp_path / "y.png")
    assert called.code == 2
    assert "y.csv is there and holds something else" in called.err
