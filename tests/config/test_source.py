"""YAML as an experimenter means it, and a sentence with the line for what is wrong."""

import math
from pathlib import Path

import pytest

from samcli.config.source import parse, parse_scalar, read
from samcli.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1E3", 1e3),
        ("5.", 5.0),
        (".5", 0.5),
        ("-2", -2),
        ("010", 10),
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("10:30", "10:30"),
        ("2026-01-01", "2026-01-01"),
        ("0-4", "0-4"),
        ("inf", math.inf),
        ("-.inf", -math.inf),
        ("~", None),
        ("", None),
        ('"1"', "1"),
        ("[0.05, inf]", [0.05, math.inf]),
        ("{name: sam}", {"name": "sam"}),
    ],
)
def test_scalars(text: str, value: object):
    got = parse_scalar(text)
    assert got == value
    assert type(got) is type(value)


def test_lines_of_keys() -> None:
    source = parse("a: 1\nb:\n  c: 2\n  d:\n    - e: 3\n", "x.yaml")
    assert source.where(("b", "d", 0, "e")) == "x.yaml, line 5"
    assert source.where(("b", "c", "unknown")) == "x.yaml, line 3"
    assert source.where(("z",)) == "x.yaml"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3\n", "x.yaml, line 3: the key 'a' is set in line 1 already; remove one."),
        ("", "x.yaml is empty; start from what samcli list experiments quickstart shows."),
        ("# only a comment\n", "x.yaml is empty"),
        ("- 1\n", "x.yaml must hold keys and values"),
        ("a: [1\n", "x.yaml, line 2: this is not YAML"),
        (
            "a: !!python/object/apply:os.system [ls]\n",
            "x.yaml, line 1: the tag tag:yaml.org,2002:python/object",
        ),
        ("\x00", "x.yaml is not YAML"),
    ],
)
def test_what_is_wrong_with_a_document(text: str, sentence: str):
    with pytest.raises(ConfigError) as caught:
        parse(text, "x.yaml")
    assert sentence in str(caught.value)


def test_what_is_wrong_with_a_file(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"There is no file .*, or one of samcli list experiments"):
        read(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match="is a directory; name an experiment file in it"):
        read(tmp_path)
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match="is not a text file"):
        read(binary)


def test_a_file_that_a_key_names_lies_here_or_beside_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    source = parse("a: 1\nplugins: [rule.py]\n", str(tmp_path / "x.yaml"))
    assert source.file_named("rule.py", ("plugins",)) == "rule.py"
    (tmp_path / "rule.py").touch()
    assert source.file_named("rule.py", ("plugins",)) == str(tmp_path / "rule.py")
    source.trusted = False  # out of a checkpoint, whose place in the file system says nothing
    assert source.file_named("rule.py", ("plugins",)) == "rule.py"
    source.trusted = True
    Path("rule.py").touch()
    assert source.file_named("rule.py", ("plugins",)) == "rule.py", "the current folder comes first"
    source.files[("plugins",)] = str(tmp_path / "absent" / "base.yaml")  # a base has a folder of its own
    Path("rule.py").unlink()
    assert source.file_named("rule.py", ("plugins",)) == "rule.py"
