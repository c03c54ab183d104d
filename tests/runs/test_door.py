"""What comes through the door: regular files of bounded size with plain values."""

import os
from pathlib import Path

import pytest

from samcli.errors import ResultsError
from samcli.runs import door
from samcli.runs.door import opened, plain_fault, read_json, read_text, read_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (BOMB, "holds more than 200,000 values"),
        ("zz: &z [*z]", "nested more than 30 levels deep"),
        ("zz: &z {zz: *z}", "nested more than 30 levels deep"),
        ("zz: " + "[" * 500 + "]" * 500, "nested more than|is not a YAML mapping"),
        ("zz: " + "[" * 100_000 + "]" * 100_000, "is not a YAML mapping"),
        ("zz:\n " + "- " * 100_000, "is not a YAML mapping"),
        ("zz: 2026-01-01", "holds a date"),
        ("zz: 2026-99-99", "is not a YAML mapping"),
        ("zz: !!timestamp x", "is not a YAML mapping"),
        ("zz: !!bool x", "is not a YAML mapping"),
        ("zz: !!float x", "is not a YAML mapping"),
        ("zz: !!set {a, b}", "holds a set"),
        ("zz: !!binary aGVsbG8=", "holds a bytes"),
        ("zz: !!python/object/apply:os.getcwd []", "is not a YAML mapping"),
        ("2026-01-01: 2", "a key that is no text"),
        ("null: 2", "a key that is no text: None"),
        ("[a]: 2", "is not a YAML mapping|a key that is no text"),
        ("zz: " + "1" * 4301, "is not a YAML mapping"),
        ("zz: " + "1" * 30, "more than 63 bits"),
        ('zz: "\\uD800"', "is not a YAML mapping|no Unicode"),
        ("a: [1\n", "is not a YAML mapping"),
        ("- a", "is not a YAML mapping"),
        ("", "is not a YAML mapping"),
    ],
)
def test_yaml_that_does_not_come_in(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ResultsError, match=rf"config\.yaml .*({fault}).*; restore it"):
        read_yaml(file)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[" * 100_000, "is not a JSON object"),
        ('{"a": ' * 40 + "1" + "}" * 40, "nested more than 30 levels deep"),
        ('{"a": NaN}', "is not a JSON object"),
        ('{"a": -Infinity}', "is not a JSON object"),
        ('{"a": ' + "1" * 4301 + "}", "is not a JSON object"),
        ('{"a": ' + "1" * 30 + "}", "more than 63 bits"),
        ('{"a": "\\ud800"}', "no Unicode"),
        ("[1]", "is not a JSON object"),
    ],
)
def test_json_that_does_not_come_in(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(ResultsError, match=fault):
        read_json(file)


def test_plain_values_come_in(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("a: [1, 0.5, .inf, true, null, text]\nb: {c: &c [1], d: *c}\n")
    assert read_yaml(file) == {"a": [1, 0.5, float("inf"), True, None, "text"], "b": {"c": [1], "d": [1]}}
    assert plain_fault([[[]], {}]) is None


def test_only_regular_files_of_bounded_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ResultsError, match="cannot be read: it is no regular file"):
        read_text(pipe)
    with pytest.raises(OSError, match="no regular file"), opened(tmp_path):
        pass
    monkeypatch.setattr(door, "MOST_BYTES", 10)
    large = tmp_path / "large"
    large.write_bytes(b"x" * 11)
    with pytest.raises(ResultsError, match="cannot be read: it has 11 bytes, more than 10"):
        read_text(large)
    with opened(large) as file:
        assert file.read() == b"x" * 11


def test_the_way_out_is_the_checkpoint_where_there_is_one(tmp_path: Path) -> None:
    for name in ("config.yaml", "run.json", "metrics.csv"):
        with pytest.raises(ResultsError, match="restore it, or move its folder away"):
            read_text(tmp_path / name)
    (tmp_path / "checkpoint.pt").touch()
    for name in ("config.yaml", "run.json", "metrics.csv"):
        with pytest.raises(ResultsError, match="the samcli train command that began the run restores it from its ch"):
            read_text(tmp_path / name)
    with pytest.raises(ResultsError, match="restore it, or move its folder away"):
        read_text(tmp_path / "sharpness.json")
