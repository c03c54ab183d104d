"""The next token of a text, at every place of a window."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from samcli.double import in_double
from samcli.errors import ConfigError
from samcli.tasks._base import Task


@dataclass(frozen=True)
class LanguageModel(Task):
    """The token that follows each token of a window: cross-entropy over the vocabulary, and bits per byte.

    An example is a window of T tokens. Outputs are logits, (N, T, vocabulary), targets the tokens that follow, (N, T)
    int64. The loss is in nats a token, the mean over all tokens; as all windows are equally long it is a mean over
    examples, and the loss of an example is the mean over its tokens. Of the same sum of nats::

        bits per byte = Σ nats / (ln 2 · bytes of the tokens)

    which compares models of different tokenizers; of bytes it is the loss in bits.

    Attributes:
        vocabulary: how many tokens there are.
        token_bytes: how many bytes of text each token stands for; none at all where each is one byte.

    >>> task = LanguageModel(4)
    >>> output, target = torch.zeros(2, 3, 4), torch.zeros(2, 3, dtype=torch.int64)
    >>> task.loss(output, target)  # ln 4
    tensor(1.3863)
    >>> round(task.score(task.statistics(output, target), n=2), 6)
    2.0
    """

    vocabulary: int
    token_bytes: tuple[float, ...] = ()
    name: ClassVar[str] = "language model"
    metric: ClassVar[str] = "bits_per_byte"
    loss_name: ClassVar[str] = "cross-entropy in nats a token"
    target_dims: ClassVar[int] = 2

    def __post_init__(self) -> None:
        if self.token_bytes and len(self.token_bytes) != self.vocabulary:
            raise ValueError(f"There are {len(self.token_bytes)} lengths for {self.vocabulary} tokens.")

    @property
    def classes(self) -> None:
        return None

    @property
    def outputs(self) -> int:
        return self.vocabulary

    def loss(self, output: Tensor, target: Tensor, label_smoothing: float = 0.0) -> Tensor:
        return F.cross_entropy(output.flatten(0, 1), target.flatten(), label_smoothing=label_smoothing)

    def prediction(self, output: Tensor) -> Tensor:
        """The probabilities of each next token, (N, T, vocabulary)."""
        return output.softmax(-1)

    def predicted(self, output: Tensor) -> Tensor:
        """The likeliest next tokens, (N, T) int64."""
        return output.argmax(-1)

    def soft(self, target: Tensor) -> Tensor:
        """Refused: no one averages targets whose inputs have no average.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("mixup averages inputs, and the tokens of a text have no average; leave mixup out.")

    def statistics(self, output: Tensor, target: Tensor) -> Tensor:
        nats = F.cross_entropy(output.float().flatten(0, 1), target.flatten(), reduction="sum")
        lengths = _lengths(self.token_bytes, output.device)
        length = nats.new_full((), target.numel()) if lengths is None else lengths[target].sum()
        return in_double(torch.stack([nats, length]))

    def score(self, sums: Tensor, n: int) -> float:
        nats, length = sums.tolist()
        return float(nats / (math.log(2.0) * length)) if length > 0.0 else math.nan


@functools.lru_cache(maxsize=4)
def _lengths(token_bytes: tuple[float, ...], device: torch.device) -> Tensor | None:
    return torch.tensor(token_bytes, device=device) if token_bytes else None
