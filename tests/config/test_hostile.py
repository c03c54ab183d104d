"""What nobody means, in files and flags: bounded, refused in a sentence with its place, and nothing is run."""

import os
from pathlib import Path

import pytest

from samcli.config import Draft, parse, read
from samcli.config.source import MOST_CHARACTERS, parse_scalar
from samcli.errors import ConfigError
from samcli.train import CATALOGUE


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("epochs: !!int x", "line 1: 'x' is no int; write the value plainly."),
        ("a: 1\nepochs: !!bool x", "line 2: 'x' is no bool"),
        ("lr: !!float x", "line 1: 'x' is no float"),
        ("epochs: !!timestamp 2026-99-99", "the tag tag:yaml.org,2002:timestamp has no meaning here"),
        ("epochs: !!set {a, b}", "the tag tag:yaml.org,2002:set has no meaning here"),
        ("epochs: !!binary aGk=", "the tag tag:yaml.org,2002:binary has no meaning here"),
        ("epochs: !mine 3", "the tag !mine has no meaning here"),
        ("epochs: " + "1" * 4301, "line 1: a number of 4,301 digits"),
        ("epochs: " + "[" * 900 + "]" * 900, "is nested too deeply"),
        ("a: &a [*a]", "an alias inside what it stands for"),
        (bomb(8), "stands for more than 100,000 values once its aliases are written out"),
        ("x" * (MOST_CHARACTERS + 1), "an experiment has at most 1,000,000"),
        ('plugins: "\\0"', "holds the control character '\\x00'"),
        ('name: "a\\e[31mb"', "holds the control character '\\x1b'"),
        ('name: "a\\ud800"', "holds the control character '\\ud800'"),
        ('name: "a\\u202eb"', "holds the control character '\\u202e'"),
        ("? [a, b]\n: 1", "line 1: a key must be a word, such as epochs."),
    ],
)
def test_a_document_that_nobody_means(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse(text, "x.yaml")
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("x.yaml")
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "text", ["!!int x", "!!timestamp 2026-99-99", "1" * 4301, "[" * 900, '"\\0"', "!!python/name:os"]
)
def test_the_same_in_a_flag(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_scalar(text)


def test_a_pipe_is_no_experiment(tmp_path: Path) -> None:
    """Nobody may ever write to it."""
    os.mkfifo(tmp_path / "x.yaml")
    with pytest.raises(ConfigError, match="is no regular file"):
        read(tmp_path / "x.yaml")


def expand(text: str) -> int:
    return len(Draft.of(parse(text, "x.yaml"), CATALOGUE).expand())


TEN = "[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"optimizer: {{name: sam, lr: {TEN}, momentum: {TEN}, weight_decay: {TEN}, rho: {TEN}, start_epoch: {TEN}, "
         f"rho_warmup_epochs: {TEN}}}", "multiply to 1,000,000 settings, more than 100,000"),
        (f"optimizer: {{name: sgd, lr: {TEN}, weight_decay: {TEN}}}\nclip_norm: {TEN}\nseeds: 0-199",
         "200,000 settings"),
        ("accumulate: 9223372036854775808", "at most 2,147,483,647, not 9223372036854775808"),
        ("model: {name: mlp, depth: 9223372036854775808}", "depth must be a whole number at least 1 and at most 1000"),
        ("model: {name: mlp, hidden: 10000000}", "hidden must be a whole number"),
        ("optimizer: {name: sam, ascent_steps: 100000}", "ascent_steps must be a whole number"),
        ("name: " + "a" * 300, "at most 100 of them"),
        ("optimizer: {name: sam, start_epoch: 3, end_epoch: 1}", "end_epoch 1 is not after start_epoch 3"),
    ],
)  # fmt: skip
def test_an_experiment_that_nobody_means(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        expand(text)
    assert sentence in str(refused.value)


def test_large_grids_are_possible() -> None:
    assert expand(f"optimizer: {{name: sgd, lr: {TEN}, weight_decay: {TEN}}}\nseeds: 0-19") == 2000
