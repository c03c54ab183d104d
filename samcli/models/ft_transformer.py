"""The FT-Transformer (Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", NeurIPS 2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from samcli.errors import ConfigError
from samcli.models._base import MODELS, ModelKind
from samcli.registry import option
from samcli.shape import InputShape


class FeatureTokenizer(nn.Module):
    """A token for each column, and one before them from which the output is read, section 3.3 of the paper.

    A number x becomes x·w + b, a category its own vector plus b, with w and b of each column; numbers come first.

    Args:
        categories: for each column how many codes it has, 0 for numbers.
        dim: width of the tokens.
    """

    numbers: Tensor

    def __init__(self, categories: Sequence[int], dim: int) -> None:
        super().__init__()
        numbers = [i for i, codes in enumerate(categories) if not codes]
        self._coded = [i for i, codes in enumerate(categories) if codes]
        self.register_buffer("numbers", torch.tensor(numbers, dtype=torch.int64), persistent=False)
        self.first = nn.Parameter(torch.empty(dim))
        self.weight = nn.Parameter(torch.empty(len(numbers), dim))
        self.bias = nn.Parameter(torch.empty(len(categories), dim))
        self.embeddings = nn.ModuleList(nn.Embedding(categories[i], dim) for i in self._coded)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -(dim**-0.5), dim**-0.5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, F) of numbers and codes to (N, 1 + F, dim)."""
        numbers = x[:, self.numbers, None] * self.weight
        vectors = [
            embedding(x[:, i].long())[:, None] for i, embedding in zip(self._coded, self.embeddings, strict=True)
        ]
        columns = torch.cat([numbers, *vectors], dim=1) + self.bias
        # len() would be a number of this batch to whatever writes the network as a program
        return torch.cat([self.first.expand(x.shape[0], 1, -1), columns], dim=1)


class Attention(nn.Module):
    """Multi-head attention: softmax(Q Kᵀ / √d) V in each head, with dropout of the softmax, then a dense layer.

    Args:
        dim: width of the tokens.
        heads: number of heads, a divisor of `dim`; d = dim / heads.
        dropout: probability of a zero among the weights of the attention.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(dim, dim) for _ in range(3))
        # with one head the authors have no layer that would mix several
        self.out = nn.Linear(dim, dim) if heads > 1 else nn.Identity()
        self.dropout = nn.Dropout(dropout)
        for layer in (self.query, self.key, self.value, *([self.out] if heads > 1 else [])):
            assert isinstance(layer, nn.Linear)
            nn.init.zeros_(layer.bias)

    def forward(self, asking: Tensor, tokens: Tensor) -> Tensor:
        """What (N, S, dim) tokens that ask get from (N, T, dim) ones."""
        query, key, value = (
            layer(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for layer, x in ((self.query, asking), (self.key, tokens), (self.value, tokens))
        )
        # written out, for the fused kernels of attention have no second derivative
        weights = functional.softmax(query @ key.transpose(2, 3) / math.sqrt(key.shape[3]), dim=3)
        mixed: Tensor = self.out((self.dropout(weights) @ value).transpose(1, 2).flatten(2))
        return mixed


class Block(nn.Module):
    """x + attention(LN(x)), then x + dense layers of LN(x), with ReGLU between them; the first has no first LN.

    Args:
        dim: width of the tokens.
        heads: attention heads.
        hidden: width between the dense layers.
        attention_dropout, dropout: of the attention, and between the dense layers.
        is_first: whether nothing stands before it but the tokenizer.
    """

    def __init__(
        self, dim: int, heads: int, hidden: int, *, attention_dropout: float, dropout: float, is_first: bool
    ) -> None:
        super().__init__()
        self.norm1 = nn.Identity() if is_first else nn.LayerNorm(dim)
        self.attention = Attention(dim, heads, attention_dropout)
        self.norm2 = nn.LayerNorm(dim)
        self.widen = nn.Linear(dim, 2 * hidden)
        self.dropout = nn.Dropout(dropout)
        self.narrow = nn.Linear(hidden, dim)

    def forward(self, x: Tensor, asking: int) -> Tensor:
        """The next tokens, the first `asking` of them."""
        normal = self.norm1(x)
        x = x[:, :asking] + self.attention(normal[:, :asking], normal)
        value, gate = self.widen(self.norm2(x)).chunk(2, dim=2)
        added: Tensor = x + self.narrow(self.dropout(value * functional.relu(gate)))
        return added


class FTTransformerNetwork(nn.Module):
    """A tokenizer, blocks, and a head on the first token.

    Args:
        categories: see `FeatureTokenizer`.
        outputs: columns of the output.
        depth: number of blocks; the last computes the first token alone.
        dim, heads, hidden, attention_dropout, dropout: see `Block`.
    """

    def __init__(
        self,
        categories: Sequence[int],
        outputs: int,
        *,
        depth: int,
        dim: int,
        heads: int,
        hidden: int,
        attention_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.tokens = FeatureTokenizer(categories, dim)
        self.blocks = nn.ModuleList(
            Block(dim, heads, hidden, attention_dropout=attention_dropout, dropout=dropout, is_first=number == 0)
            for number in range(depth)
        )
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.ReLU(), nn.Linear(dim, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """The outputs for rows of shape (N, F), as (N, outputs)."""
        tokens = self.tokens(x)
        for block in self.blocks:
            tokens = block(tokens, 1 if block is self.blocks[-1] else tokens.shape[1])
        outputs: Tensor = self.head(tokens[:, 0])
        return outputs


@MODELS.register("ft-transformer")
@dataclass(frozen=True, kw_only=True)
class FTTransformer(ModelKind):
    """A transformer over the columns of a table, each of which is a token (Gorishniy et al., NeurIPS 2021).

    By default it is the authors' of three blocks: 0.9 million parameters. They train it with AdamW, lr 1e-4.
    """

    reads_categories = True

    depth: int = option(3, "number of blocks", minimum=1, maximum=1000)
    dim: int = option(192, "width of the tokens", minimum=1)
    heads: int = option(8, "attention heads in each block; divides dim", minimum=1)
    hidden: int | None = option(None, "width between the dense layers of a block; null: 4/3 of dim", minimum=1)
    attention_dropout: float = option(
        0.2, "probability of a zero among the weights of the attention", minimum=0.0, below=1.0
    )
    dropout: float = option(0.1, "probability of a zero between the dense layers of a block", minimum=0.0, below=1.0)

    def __post_init__(self) -> None:
        if self.dim % self.heads != 0:
            raise ConfigError(
                f"The dim of ft-transformer must be a multiple of its heads, but {self.dim} is none of {self.heads}; "
                f"set dim: {-(-self.dim // self.heads) * self.heads}."
            )

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 1

    @property
    def needs(self) -> str:
        return "tables"

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return FTTransformerNetwork(
            InputShape.of(shape).categories or (0,) * shape[0],
            outputs,
            depth=self.depth,
            dim=self.dim,
            heads=self.heads,
            hidden=int(self.dim * 4 / 3) if self.hidden is None else self.hidden,
            attention_dropout=self.attention_dropout,
            dropout=self.dropout,
        )
