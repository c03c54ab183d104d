"""Results to standard output, hints to standard error, JSON that any parser takes."""

import json

import pytest

from samcli.cli import output


def test_channels(capsys: pytest.CaptureFixture[str]) -> None:
    output.result("a result")
    output.hint("a hint")
    captured = capsys.readouterr()
    assert captured.out == "a result\n"
    assert captured.err == "a hint\n"


def test_documents_are_strict_json(capsys: pytest.CaptureFixture[str]) -> None:
    output.document({"nan": float("nan"), "inf": [float("-inf"), 1.5], "text": "ρ", "flag": True, 3: None})

    def refuse(word: str) -> None:
        raise AssertionError(word)

    document = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert document == {"nan": None, "inf": [None, 1.5], "text": "ρ", "flag": True, "3": None}


def test_comma_separated(capsys: pytest.CaptureFixture[str]) -> None:
    """A column for what any row has, in the order of first appearance."""
    output.comma_separated([{"a": 1.5, "b": None}, {"a": "x,y", "c": True}, {"b": 2, "a": float("nan")}])
    assert capsys.readouterr().out == 'a,b,c\n1.5,,\n"x,y",,True\nnan,2,\n'


def test_status_is_for_terminals(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    output.status("measuring")
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    output.status("measuring")
    output.status("")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "measuring" in captured.err
    assert captured.err.endswith("\r\x1b[K")


def test_texts_bring_their_line_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    output.text("a table\n")
    output.text("")
    assert capsys.readouterr().out == "a table\n"
