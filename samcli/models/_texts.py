"""What encoders of texts have in common: which tokens are padding, the mean over the others, and what fits them."""

from __future__ import annotations

from torch import Tensor

from samcli.errors import ConfigError

PADDING = 0
SPARE_ROWS = 0.01  # of embeddings: some are filled up to a round number of rows


def is_text(tokens: Tensor) -> Tensor:
    """Which tokens are no padding, (N, T); a text of nothing else is taken as it is, for it has no other mean.

    >>> import torch
    >>> is_text(torch.tensor([[5, 0], [0, 0]]))
    tensor([[ True, False],
            [ True,  True]])
    """
    there = tokens != PADDING
    return there | ~there.any(1, keepdim=True)


def mean_over(states: Tensor, there: Tensor) -> Tensor:
    """The mean of states (N, T, width) over the places (N, T) that count, (N, width).

    >>> import torch
    >>> mean_over(torch.tensor([[[1.0], [3.0], [9.0]]]), torch.tensor([[True, True, False]]))
    tensor([[2.]])
    """
    weights = there.to(states.dtype).unsqueeze(2)
    return (states * weights).sum(1) / weights.sum(1)


def check_vocabulary(rows: int, vocabulary: int, name: str) -> None:
    """Refuse tokens of another tokenizer than that of the embeddings.

    Args:
        rows: of the embeddings; a few more than tokens are there in some.
        vocabulary: how many tokens there are.
        name: of the model, for messages.

    Raises:
        ConfigError: their numbers differ.

    >>> check_vocabulary(30_522, 30_522, "text-encoder")
    """
    if not vocabulary <= rows <= vocabulary * (1.0 + SPARE_ROWS):
        raise ConfigError(
            f"{name} has embeddings of {rows:,} tokens, and the data have {vocabulary:,}; give dataset.tokenizer the "
            "tokenizer that these weights were trained with."
        )


def check_length(positions: int, length: int, name: str) -> None:
    """Refuse texts of more tokens than a network has positions for.

    Args:
        positions: of the embeddings.
        length: tokens of each text.
        name: of the model, for messages.

    Raises:
        ConfigError: there are more.

    >>> check_length(512, 64, "text-encoder")
    """
    if length > positions:
        raise ConfigError(
            f"{name} has {positions:,} positions, and the texts have {length:,} tokens; set dataset.length to "
            f"{positions}."
        )
