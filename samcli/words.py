"""Small words that sentences and tables have in common."""

from __future__ import annotations

from collections.abc import Sequence


def count(number: int, noun: str) -> str:
    """A number with its noun, in the plural unless it is one.

    >>> count(1, "run"), count(3, "run"), count(0, "epoch"), count(12000, "example")
    ('1 run', '3 runs', '0 epochs', '12,000 examples')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def seeds(numbers: Sequence[int]) -> str:
    """Seeds in words.

    >>> seeds([3]), seeds([0, 1])
    ('seed 3', 'seeds 0, 1')
    """
    return f"seed{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"


def joined(parts: Sequence[str], word: str = "and") -> str:
    """Parts as a sentence lists them.

    >>> joined(["a"]), joined(["a", "b", "c"]), joined(["a", "b"], "or")
    ('a', 'a, b and c', 'a or b')
    """
    *first, last = parts
    return f"{', '.join(first)} {word} {last}" if first else last
