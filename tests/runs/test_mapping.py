"""Mappings read entry by entry: the same values as those of the whole, whatever is written."""

import random
from typing import Any

import pytest
import yaml

from samcli.runs import mapping
from samcli.runs.mapping import load

CONFIG = """\
name: many
dataset:
  name: digits
  augment: []
  note: 'quoted: text'
measures:
- one-step
- grad-norm
epochs: 2
stop_at_train_loss: null
text: |
  a block
plain: of
  two lines
seeds: 7
"""


def outcome(read: Any, text: str) -> Any:
    try:
        return repr(read(text))  # of NaN and of 1 and True, which are equal, too
    except Exception:
        return "refused"


def whole(text: str) -> Any:
    return yaml.load(text, Loader=mapping.LOADER)


def test_the_entries_of_a_configuration_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(CONFIG)
    assert first == whole(CONFIG)
    assert list(first) == list(whole(CONFIG))
    monkeypatch.setattr(yaml, "load", lambda text, Loader: {"seeds": 8} if text == "seeds: 8\n" else pytest.fail(text))
    assert load(CONFIG.replace("7", "8")) == first | {"seeds": 8}


@pytest.mark.parametrize(
    "text",
    [
        "a: &x 1\nb: *x\n",
        "a: &x 1\nb: &x 2\nc: *x\n",
        "a: 1\na: 2\n",
        "a: [1,\nb: 2]\n",
        'a: "1\nb: 2"\n',
        "a: '1\nb: 2'\n",
        "a: 1\n...\nb: 2\n",
        "a: 1\n---\nb: 2\n",
        "a: 1\r...\rb: 2\n",
        "a: 1\u2028...\u2028b: 2\n",
        "%YAML 1.1\n---\na: 1\n",
        "<<: {a: 1}\nb: 2\n",
        "a: {<<: {c: 1}}\nb: 2\n",
        "a: |\nb: 2\n",
        "a: |+\n  x\n\nb: 2\n",
        "a: >-\n  x\nb: 2\n",
        "a: 1 # note\nb: 2\n",
        "a:\n  b: 1\n- c\nd: 1\n",
        "a:\n- b\n  c: 1\nd: 1\n",
        "a: b\n  c: d\ne: f\n",
        "a: b\n- c\n",
        "yes: 1\nno: 2\nnull: 3\n",
        "a:\nb:\n",
        "a: 1\nb: 2",
        "a:1\n",
        "a: !!set {x}\nb: 2026-01-01\n",
        "a: 2026-99-99\n",
        "a: ? b\n  : c\nd: 1\n",
    ],
)
def test_other_texts_are_read_alike(text: str) -> None:
    assert outcome(load, text) == outcome(whole, text)


def test_each_damage_of_one_character_is_read_alike() -> None:
    draw = random.Random(0)
    for _ in range(1500):
        at = draw.randrange(len(CONFIG))
        text = CONFIG[:at] + draw.choice(" \n-:'\"#&*|>[]{},.%?!a0") + CONFIG[at + draw.randrange(2) :]
        assert outcome(load, text) == outcome(whole, text), repr(text)


def test_what_is_remembered_is_bounded() -> None:
    mapping._entry.cache_clear()
    long = f"a: {'x' * mapping.SHORT}\n"
    assert load(long) == whole(long)
    assert mapping._entry.cache_info().currsize == 0
    assert mapping._entry.cache_info().maxsize is not None
