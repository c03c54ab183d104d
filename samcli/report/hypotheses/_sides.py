"""The two sides of a hypothesis: in what they are meant to differ, and how they are called."""

from __future__ import annotations

from typing import Any

from samcli.config.grid import full_key, token, word
from samcli.config.pattern import Pattern


def told(pattern: Pattern) -> str:
    """A pattern in words.

    >>> from samcli.config.pattern import pattern_of
    >>> from samcli.config.source import Source
    >>> told(pattern_of(Source({}), (), {"optimizer": "sam", "optimizer.rho": 0.1}))
    'optimizer=sam optimizer.rho=0.1'
    """
    return " ".join(f"{wanted.key}={word(wanted.value)}" for wanted in pattern)


def sides(ours: Pattern, theirs: Pattern, sign: str = "-") -> str:
    """What is compared to what, in short: by the keys in which two sides differ.

    >>> from samcli.config.pattern import pattern_of
    >>> from samcli.config.source import Source
    >>> sam, sgd = (pattern_of(Source({}), (), {"optimizer": name}) for name in ("sam", "sgd"))
    >>> sides(sam, sgd), sides(sam, sgd, "/")
    ('sam - sgd', 'sam / sgd')
    """
    differ = named_otherwise(ours, theirs)
    words = [
        " ".join(_short(wanted.key, wanted.value) for wanted in side if full_key(wanted.key) in differ)
        for side in (ours, theirs)
    ]
    return f" {sign} ".join(word or default for word, default in zip(words, ("first", "second"), strict=True))


def _short(key: str, value: Any) -> str:
    if full_key(key).endswith(".name"):
        return str(value)
    return f"{key if key.startswith('stage') else key.rpartition('.')[2]}={word(value)}"


def named_otherwise(ours: Pattern, theirs: Pattern) -> set[str]:
    """The keys that both sides name, with other values."""
    first, second = ({full_key(wanted.key): token(wanted.value) for wanted in side} for side in (ours, theirs))
    return {key for key in first if key in second and first[key] != second[key]}
