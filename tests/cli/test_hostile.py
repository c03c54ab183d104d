"""Names from strangers in what the commands print: results, errors, warnings and progress."""

import os
import shutil
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import yaml
from command import Called, Samcli
from run_folders import SAM, SGD, Results

from samcli import launch
from samcli.cli import progress
from samcli.config import Draft, parse
from samcli.report import FORMATS
from samcli.train import CATALOGUE

NAME = "x\x1b[31m\u202e\x07[red]\r\nsamcli: done"


def plain(called: Called) -> bool:
    """Whether a terminal is shown nothing but characters and line breaks, and no line that poses as samcli's."""
    text = called.out + called.err
    hidden = {unicodedata.category(character) for character in text.replace("\n", "")} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return not hidden and not any(line.startswith("samcli: done") for line in text.splitlines())


@pytest.mark.parametrize("form", FORMATS)
def test_compare(samcli: Samcli, tmp_path: Path, form: str) -> None:
    results = Results(tmp_path)
    results.add({**SGD, "name": NAME}, 0, (0.5,), dataset={"name": NAME})
    results.add({**SAM, "base": NAME}, 0, (0.6,), dataset={"name": NAME})
    broken = results.add(SGD, 1, (0.5,))
    broken.config.write_text("[")
    broken.path.rename(broken.path.with_name(NAME))
    called = samcli("compare", tmp_path, "--format", form)
    assert called.code == 0, called.err
    assert "warning" in called.err
    assert plain(called)


def test_errors(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(yaml.safe_dump({"optimizer": NAME}))
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / "checkpoint.pt").write_bytes(b"none")
    for arguments in (
        ("compare", tmp_path / NAME),
        ("sharpness", folder),
        ("landscape", folder),
        ("train", tmp_path / "x.yaml"),
        ("train", "--set", f"optimizer.{NAME}=1"),
        ("check", tmp_path / f"{NAME}.py"),
        ("list", "models", NAME),
    ):
        called = samcli(*arguments)
        assert called.code in (2, 3), called
        assert plain(called), called


def test_sharpness_and_landscape_of_a_renamed_run(samcli: Samcli, tmp_path: Path) -> None:
    small = ("--set", "dataset.train_examples=40", "--epochs", "1", "--set", "sharpness.examples=20")
    samcli("train", "--model", "linear", "--optimizer", "sgd", *small, "--results", tmp_path / "a")
    (run,) = (tmp_path / "a").glob("*/*/")
    folder = tmp_path / NAME
    shutil.copytree(run, folder)
    for arguments in (("--measure", "one-step"), ("--measure", "one-step", "--format", "csv")):
        called = samcli("sharpness", folder, "--examples", 20, *arguments)
        assert called.code == 0, called.err
        assert plain(called)
    called = samcli("landscape", folder, "--examples", 20, "--points", 3, "--output", tmp_path / "l.svg")
    assert called.code == 0, called.err
    assert plain(called)
    assert "\x1b" not in (tmp_path / "l.svg").read_text() + (tmp_path / "l.csv").read_text()


@pytest.mark.parametrize("kind", [progress.PlainProgress, progress.RichProgress])
def test_progress(
    kind: type[progress.PlainProgress],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cells = launch.plan(Draft.of(parse("optimizer: sam\nepochs: 2", "x"), CATALOGUE).expand(), tmp_path)
    monkeypatch.setattr(progress, "_names", lambda cell, data: NAME)
    shown = kind(cells)
    with shown:
        shown.started(cells[0])
        shown.ended(cells[0], "failed", f"Error: {NAME}")
    err = capsys.readouterr().err
    assert plain(Called(0, "", err))
    assert "[red]" in err


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_any_encoding(tmp_path: Path, encoding: str) -> None:
    results = Results(tmp_path)
    for seed in (0, 1):
        results.add(SGD, seed, (0.5,))
        results.add({**SAM, "name": "größe-数"}, seed, (0.6 + seed / 10,))
    environment = os.environ | {"PYTHONIOENCODING": encoding, "COLUMNS": "120"}
    command = [sys.executable, "-m", "samcli", "compare", str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    _, head, line, *rows = done.stdout.decode(encoding).splitlines()
    sgd = next(row for row in rows if row.startswith("sgd "))
    assert set(line) == {"-"}
    assert head.index("delta") + len("delta") == sgd.index("baseline") + len("baseline")
