"""Mappings in YAML, read entry by entry where they are written so: thousands of configurations have most in common.

PyYAML takes a quarter of a millisecond for a configuration, several times what all else costs that a run is looked at.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is the same, ten times as fast
SHORT = 4_000  # characters of a text that is remembered in parts
# a key at the margin, and the lines that belong to it: indented ones, or the items of a list, which need not be
_ENTRY = re.compile(r"[a-z_]+:(?: [ -~]*)?\n(?:(?:  |- )[ -~]*\n)*")


def load(text: str) -> Any:
    r"""The value of a YAML document.

    A block mapping is the union of its entries. One that consists of nothing but entries, each of which is a document
    by itself, is read in these parts, and equal parts are read once; they are shared, and not to be changed.

    Raises:
        Exception: PyYAML's constructors raise whatever they stumble over.

    >>> load("epochs: 2\nmodel:\n  name: cnn\n"), load("[1, 2]")
    ({'epochs': 2, 'model': {'name': 'cnn'}}, [1, 2])
    """
    entries = _ENTRY.findall(text) if len(text) <= SHORT else []
    if entries and sum(map(len, entries)) == len(text):
        try:
            return {key: value for entry in entries for key, value in _entry(entry).items()}
        except Exception:  # an alias of another part, say: the whole tells
            pass
    return yaml.load(text, Loader=LOADER)


@lru_cache(maxsize=4096)
def _entry(text: str) -> dict[Any, Any]:
    value = yaml.load(text, Loader=LOADER)
    if not isinstance(value, dict):
        raise yaml.YAMLError("it is no entry of a mapping")
    return value
