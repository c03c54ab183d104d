"""`samcli list`."""

import json
from pathlib import Path

import pytest
from command import Samcli

from samcli import shipped
from samcli.cli.listing import What


def test_everything(samcli: Samcli) -> None:
    called = samcli("list")
    assert called.code == 0
    for word in ("fashion-mnist", "image-folder:PATH", "torchvision:NAME", "asam", "multi-step", "lambda-max"):
        assert word in called.out
    assert called.err == ""


def test_one_kind(samcli: Samcli) -> None:
    called = samcli("list", "optimizers")
    for word in ("Foret", "ICLR", "2021", "lookbehind", "k + 1"):
        assert word in called.out
    assert "resnet20" not in called.out


def test_options_of_one(samcli: Samcli) -> None:
    called = samcli("list", "optimizers", "asam")
    for word in ("eta", "0.01", "rho", "momentum", "base"):
        assert word in called.out
    called = samcli("list", "datasets", "image-folder:x")
    assert "split_seed" in called.out
    assert samcli("list", "models", "linear").code == 0


def test_mistakes(samcli: Samcli) -> None:
    called = samcli("list", "optimizers", "smg")
    assert called.code == 2
    assert "There is no optimizer named 'smg'" in called.err
    called = samcli("list", "optimisers")
    assert called.code == 2
    assert "optimisers" in called.err


def test_a_list_that_there_is_not(samcli: Samcli) -> None:
    called = samcli("list", "optimizer", "sam")
    assert (called.code, called.out) == (2, "")
    assert "There is no list of 'optimizer'; type samcli list optimizers sam." in called.err
    assert "lists are datasets, models, optimizers" in samcli("list", "things").err
    assert "sam is one of the optimizers; type samcli list optimizers sam." in samcli("list", "sam").err
    assert "trace is one of the measures; type samcli list measures trace." in samcli("list", "trace").err


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two experiments as all that come with samcli."""
    place = tmp_path / "experiments"
    (place / "claims").mkdir(parents=True)
    grid = "dataset: wine\noptimizer: [sgd, {name: sam, rho: [0.05, 0.1]}]\nseeds: 0-3\n"
    (place / "wide_grid.yaml").write_text(f"# Does a wide search{' and a long sentence' * 8} help? More here.\n{grid}")
    (place / "claims" / "small.yaml").write_text("# Small.\nbase: ../wide_grid.yaml\nseeds: 0\n")
    monkeypatch.setattr(shipped, "folder", lambda: place)
    return place


def test_experiments(samcli: Samcli, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = json.loads(samcli("list", "experiments", "--json").out)
    assert [(row["name"], row["runs"]) for row in rows] == [("claims/small", 3), ("wide-grid", 12)]
    assert rows[0]["question"] == "Small."
    assert rows[1]["question"].endswith("long sentence help?")
    monkeypatch.setenv("COLUMNS", "80")
    lines = samcli("list", "experiments").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines if line[:1].isalpha()] == ["name", "claims/small", "wide-grid", "Run"]
    assert " ".join(" ".join(lines).split()).count("and a long sentence") == 8
    assert samcli("list", "experiments", "wide_grid").out == (two / "wide_grid.yaml").read_text()
    called = samcli("list", "experiments", "wide-gird")
    assert (called.code, called.out) == (2, "")
    assert "did you mean wide-grid?" in called.err


def test_json(samcli: Samcli, two: Path) -> None:
    document = json.loads(samcli("list", "--json").out)
    assert list(document) == list(What)
    for what, rows in document.items():
        assert rows == json.loads(samcli("list", what, "--json").out)
        table = samcli("list", what).out
        assert all(row["name"] in table for row in rows)
    sam = json.loads(samcli("list", "optimizers", "sam", "--json").out)
    assert sam["name"] == "sam"
    defaults = {row["option"]: row["default"] for row in sam["options"]}
    assert (defaults["rho"], defaults["nesterov"], defaults["base"]) == (0.05, False, "sgd")
    one = json.loads(samcli("list", "experiments", "claims/small", "--json").out)
    assert (one["name"], one["runs"], one["file"]) == ("claims/small", 3, str(two / "claims" / "small.yaml"))
