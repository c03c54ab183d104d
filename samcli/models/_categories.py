"""Columns of categories before a network that takes numbers: a vector for each category, which is learnt."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class WithCategories(nn.Module):
    """A network for vectors of numbers behind embeddings of the columns that hold codes of categories.

    The network gets the columns of numbers in their order, and behind them the vectors of the categories. They start
    from a normal distribution of standard deviation 1, as torch's embeddings do, which is that of a normalised column.

    >>> network = WithCategories((0, 3), nn.Linear(embedded_length((0, 3)), 1))
    >>> network(torch.tensor([[0.5, 2.0], [0.1, 0.0]])).shape
    torch.Size([2, 1])

    Args:
        categories: for each column how many codes from 0 it has, 0 for a column of numbers.
        network: takes (N, `embedded_length(categories)`).
    """

    numbers: Tensor

    def __init__(self, categories: Sequence[int], network: nn.Module) -> None:
        super().__init__()
        self._coded = [i for i, codes in enumerate(categories) if codes]
        numbers = [i for i, codes in enumerate(categories) if not codes]
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.int64), persistent=False)
        self.embeddings = nn.ModuleList(
            nn.Embedding(categories[i], embedding_width(categories[i])) for i in self._coded
        )
        self.network = network

    def forward(self, inputs: Tensor) -> Tensor:
        """(N, F) of numbers and codes to what the network gives."""
        vectors = [embedding(inputs[:, i].long()) for i, embedding in zip(self._coded, self.embeddings, strict=True)]
        output: Tensor = self.network(torch.cat([inputs[:, self.numbers], *vectors], dim=1))
        return output


def embedding_width(codes: int) -> int:
    """The length of the vectors of so many categories: half as many, and at most 50, a rule of thumb.

    >>> [embedding_width(codes) for codes in (2, 3, 10, 1000)]
    [1, 2, 5, 50]
    """
    return min(50, (codes + 1) // 2)


def embedded_length(categories: Sequence[int]) -> int:
    """The numbers that a network gets of a row with such columns.

    >>> embedded_length((0, 0, 10))
    7
    """
    return sum(embedding_width(codes) if codes else 1 for codes in categories)
