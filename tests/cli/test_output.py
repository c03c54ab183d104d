"""Results to standard output, hints to standard error, JSON that any parser takes."""

import json

import pytest

from samcli.cli import output


def test_channels(capsys: pytest.CaptureFixture[str]):
    output.result("a result")
    output.hint("a hint")
    captured = capsys.readouterr()
    assert captured.out == "a result\n"
    assert captured.err == "a hint\n"


def test_documents_are_strict_json(capsys: pytest.CaptureFixture[str]):
    output.document({"nan": float("nan"), "inf": [float("-inf"), 1.5], "text": "ρ", "flag": True, 3: None})

    def refuse(word: str) -> None:
        raise AssertionError(word)

    document = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert document == {"nan": None, "inf": [None, 1.5], "text": "ρ", "flag": True, "3": None}


def test_tables_take_brackets_as_they_are(capsys: pytest.CaptureFixture[str]):
    output.table([{"option": "betas", "default": "[0.9, 0.999]"}, {"option": "x", "default": "[bold]"}])
    out = capsys.readouterr().out
    assert "[0.9, 0.999]" in out
    assert "[bold]" in out
    output.table([])
    assert capsys.readouterr().out == ""
