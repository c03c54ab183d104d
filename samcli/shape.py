"""The shape of one input of a network, and what the numbers in it are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class InputShape(tuple[int, ...]):
    """The lengths of one input, (C, H, W) for images, (F,) for tables, (T,) for texts, and what its numbers are.

    It equals the plain tuple of its lengths, and can be used wherever one is wanted.

    >>> shape = InputShape((3,), categories=(0, 0, 5))
    >>> shape == (3,), shape.categories, shape.vocabulary
    (True, (0, 0, 5), 0)

    Args:
        lengths: along each dimension.
        categories: of a table, how many codes from 0 each column has; 0 for a column of numbers. None at all says that
            all columns hold numbers.
        vocabulary: of a text, how many tokens there are; 0 for inputs that are no tokens.
    """

    categories: tuple[int, ...]
    vocabulary: int

    def __new__(cls, lengths: Iterable[int], *, categories: Iterable[int] = (), vocabulary: int = 0) -> Self:
        """See the class."""
        shape = super().__new__(cls, lengths)
        shape.categories, shape.vocabulary = tuple(categories), vocabulary
        if not any(shape.categories):
            shape.categories = ()
        return shape

    @classmethod
    def of(cls, lengths: Iterable[int]) -> InputShape:
        """The same shape if it is one, or that of numbers.

        >>> InputShape.of((1, 8, 8)).vocabulary
        0
        """
        return lengths if isinstance(lengths, InputShape) else InputShape(lengths)
