"""A transformer that predicts the next token, as GPT-2 (Radford et al., 2019)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from samcli.errors import ConfigError
from samcli.models._base import MODELS, ModelKind
from samcli.registry import option
from samcli.shape import InputShape


class CausalBlock(nn.Module):
    """x + attention(LN(x)), then x + dense(GELU(dense(LN(x)))); a token attends to itself and to those before it.

    The kernels of attention are torch's choice: fused ones, or the plain form where a second derivative is taken, see
    `samcli.sharpness.problem.Problem.hessian_times`.

    Args:
        width: of the tokens; the dense layers have four times that between them.
        heads: number of attention heads, a divisor of `width`.
        dropout: probability of a zero in the attention weights and after both parts.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """The next tokens, (N, T, width) as the input."""
        dropout = self.dropout if self.training else 0.0
        query, key, value = self.qkv(self.norm1(x)).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        x = x + functional.dropout(self.out(attended.transpose(1, 2).flatten(2)), dropout)
        inner = functional.gelu(self.up(self.norm2(x)), approximate="tanh")
        return x + functional.dropout(self.down(inner), dropout)


class GPTNetwork(nn.Module):
    """Embeddings of tokens and of their positions, blocks, a normalisation, and for each place a logit of each token.

    Args:
        context: the largest number of tokens.
        vocabulary: how many tokens there are.
        outputs: numbers for each token. If they are as many as tokens, the last layer is the transposed embedding, as
            in GPT-2: it has no parameters of its own.
        layers, width, heads, dropout: see `GPT`.
    """

    def __init__(
        self, context: int, vocabulary: int, outputs: int, *, layers: int, width: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.token = nn.Embedding(vocabulary, width)
        self.position = nn.Parameter(torch.empty(context, width))
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(CausalBlock(width, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.head = None if outputs == vocabulary else nn.Linear(width, outputs, bias=False)
        self._initialise()

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, T) int64 to logits, (N, T, outputs): those at a place know the tokens up to there."""
        x = self.dropout(self.token(tokens) + self.position[: tokens.shape[1]])
        for block in self.blocks:
            x = block(x)
        return functional.linear(self.norm(x), self.token.weight if self.head is None else self.head.weight)

    def _initialise(self) -> None:
        """As GPT-2: normal with deviation 0.02, less where a block adds to what comes from those before it."""
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
            if isinstance(module, CausalBlock):
                for layer in (module.out, module.down):
                    nn.init.normal_(layer.weight, std=0.02 / math.sqrt(2 * len(self.blocks)))
        nn.init.normal_(self.position, std=0.02)


@MODELS.register("gpt")
@dataclass(frozen=True, kw_only=True)
class GPT(ModelKind):
    """A small GPT-2 for texts, with learned positions and a tied last layer: 0.12 million parameters by default.

    Normalisation comes first in a block, and its dense layers are four times as wide as its tokens. It predicts the
    token that follows each, for a language model.
    """

    reads_tokens: ClassVar[bool] = True

    layers: int = option(2, "number of blocks", minimum=1, maximum=1000)
    width: int = option(64, "width of the tokens", minimum=1, maximum=1_000_000)
    heads: int = option(4, "attention heads in each block; divides width", minimum=1)
    dropout: float = option(0.0, "probability of a zero in attention and after each part", minimum=0.0, below=1.0)

    def __post_init__(self) -> None:
        if self.width % self.heads != 0:
            raise ConfigError(
                f"The width of gpt must be a multiple of its heads, but {self.width} is none of {self.heads}; "
                f"set width: {-(-self.width // self.heads) * self.heads}."
            )

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 1

    @property
    def needs(self) -> str:
        return "texts, such as those of --dataset text:PATH"

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return GPTNetwork(
            shape[0], InputShape.of(shape).vocabulary, outputs,
            layers=self.layers, width=self.width, heads=self.heads, dropout=self.dropout,
        )  # fmt: skip
