"""What a person sees of the reading of images, and where they are kept."""

import os
import sys
from pathlib import Path

import pytest
from rich.console import Console

from samcli.cli import output
from samcli.cli.options import CACHE_DIR
from samcli.cli.reading import FEW, ReadingShown, reading_shown, use_cache_dir
from samcli.data import cache_dir
from samcli.data.reading import reading, tell


def show_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert Console(stderr=True).is_terminal


def read(number: int) -> None:
    with reading_shown(), reading(number) as advance:
        for _ in range(10):
            advance(number // 10)


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    show_a_terminal(monkeypatch)
    read(20_000)
    captured = capsys.readouterr()
    assert "reading 20,000 images" in captured.err
    assert captured.out == ""


def test_no_bar_for_few_images_nor_in_a_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read(20_000)
    show_a_terminal(monkeypatch)
    read(FEW - 1)
    assert capsys.readouterr() == ("", "")


def test_no_bar_if_nothing_is_to_be_said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    show_a_terminal(monkeypatch)
    output.say(quiet=True)
    try:
        read(20_000)
        ReadingShown().told("20,000 images decoded.")
    finally:
        output.say()
    assert capsys.readouterr() == ("", "")


def test_nobody_is_told_outside_the_block(capsys: pytest.CaptureFixture[str]) -> None:
    with reading_shown():
        tell("kept")
    tell("lost")
    assert capsys.readouterr().err == "kept\n"


def test_the_flag_reaches_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_DIR, "")
    assert cache_dir.cache_dir() is None
    monkeypatch.chdir(tmp_path)
    use_cache_dir(Path("kept"))
    assert cache_dir.cache_dir() == tmp_path / "kept"
    use_cache_dir(None)
    assert os.environ[cache_dir.CACHE_DIR] == str(tmp_path / "kept")
