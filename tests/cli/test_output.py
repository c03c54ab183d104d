"""Results to standard output, hints to standard error, JSON that any parser takes."""

import io
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


@pytest.mark.parametrize(("columns", "width"), [("60", 60), ("0", None), ("x", None), ("", None), ("9" * 30, 10_000)])
def test_width(monkeypatch: pytest.MonkeyPatch, columns: str, width: int | None) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert output.terminal_width() == width


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


def test_what_hides_in_a_text_is_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b[31m\u202e\r\udce9"
    output.result(f"a {hostile}\nb")
    output.hint(f"a {hostile}\nb")
    captured = capsys.readouterr()
    assert captured.out == "a \\x1b[31m\\u202e\\r\\udce9\nb\n"
    assert captured.err == "a \\x1b[31m\\u202e\\r\\udce9\n  b\n"
    output.comma_separated([{"=name": "=1+1", "value": -1.5}, {"=name": hostile}])
    assert capsys.readouterr().out == "'=name,value\n'=1+1,-1.5\n\\x1b[31m\\u202e\\r\\udce9,\n"
    output.document({"name": hostile})
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed) == {"name": hostile}


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_any_encoding_of_the_streams(monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding=encoding) for _ in range(2))
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    output.take_any_character()
    output.text("     Δ\n1.00×\n")
    output.hint("Kendall's τ, ρ")
    out.seek(0)
    err.seek(0)
    printed = (out.read(), err.read())
    if encoding == "utf-8":
        assert printed == ("     Δ\n1.00×\n", "Kendall's τ, ρ\n")
    else:
        assert printed == (
            f" delta\n1.00{'x' if encoding == 'ascii' else '×'}\n",
            "Kendall's tau, rho\n",
        )
