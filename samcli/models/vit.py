"""A small vision transformer (Dosovitskiy et al., ICLR 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from samcli.errors import ConfigError
from samcli.models._base import MODELS, ModelKind
from samcli.registry import option


def _dropout(probability: float) -> nn.Module:
    return nn.Dropout(probability) if probability > 0.0 else nn.Identity()


class SelfAttention(nn.Module):
    """Multi-head self-attention: softmax(Q Kᵀ / √d) V in each head, then a dense layer.

    Args:
        dim: width of the tokens.
        heads: number of heads, a divisor of `dim`; d = dim / heads.
    """

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """The attended tokens, (N, tokens, dim) as the input."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value)
        mixed: Tensor = self.out(attended.transpose(1, 2).flatten(2))
        return mixed


class EncoderBlock(nn.Module):
    """x + attention(LN(x)), then the same with two dense layers and GELU: normalisation first (eq. 2 and 3).

    Args:
        dim: width of the tokens; the dense layers have twice that between them.
        heads: number of attention heads.
        dropout: probability of a zero after each dense layer but that of queries, keys and values.
    """

    def __init__(self, dim: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.attention = nn.Sequential(SelfAttention(dim, heads), _dropout(dropout))
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = nn.Sequential(
            nn.Linear(dim, 2 * dim), nn.GELU(), _dropout(dropout), nn.Linear(2 * dim, dim), _dropout(dropout)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The next tokens, (N, tokens, dim) as the input."""
        x = x + self.attention(self.norm1(x))
        x = x + self.mlp(self.norm2(x))
        return x


class VisionTransformer(nn.Module):
    """Patches as tokens with learned positions, encoder blocks, the mean of the tokens, a dense layer.

    The mean stands in for a class token (Beyer et al., "Better plain ViT baselines for ImageNet-1k", 2022). A second
    derivative needs `torch.nn.attention.sdpa_kernel(SDPBackend.MATH)` around the forward pass: the
    fused kernels of attention have only a first one.

    Args:
        shape: (C, H, W) of the images; `patch` divides H and W.
        outputs: columns of the output.
        patch: side of the square patches, in pixels.
        dim: width of the tokens.
        depth: number of encoder blocks.
        heads: attention heads in each, a divisor of `dim`.
        dropout: see `EncoderBlock`; also applied to the embedded patches.
    """

    def __init__(
        self, shape: tuple[int, ...], outputs: int, *, patch: int, dim: int, depth: int, heads: int, dropout: float
    ) -> None:
        super().__init__()
        channels, height, width = shape
        self.patches = nn.Conv2d(channels, dim, kernel_size=patch, stride=patch)
        self.position = nn.Parameter(torch.empty(1, (height // patch) * (width // patch), dim))
        self.blocks = nn.Sequential(_dropout(dropout), *(EncoderBlock(dim, heads, dropout) for _ in range(depth)))
        self.norm = nn.LayerNorm(dim)
        self.head = nn.Linear(dim, outputs)
        self._initialise()

    def forward(self, x: Tensor) -> Tensor:
        """The outputs for images of shape (N, *shape), as (N, outputs)."""
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.position
        logits: Tensor = self.head(self.norm(self.blocks(tokens)).mean(dim=1))
        return logits

    def _initialise(self) -> None:
        """As in the authors' code, save for a head of zeros, with which nothing below it gets a gradient at first."""
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
            if isinstance(layer, nn.Linear | nn.Conv2d) and layer.bias is not None:
                nn.init.zeros_(layer.bias)
        for layer in self.modules():
            if isinstance(layer, SelfAttention):
                # three matrices in one, each with a fan-out of its own
                for matrix in layer.qkv.weight.chunk(3):
                    nn.init.xavier_uniform_(matrix)
        nn.init.kaiming_normal_(self.patches.weight, nonlinearity="linear")
        nn.init.normal_(self.position, std=0.02)


@MODELS.register("vit")
@dataclass(frozen=True, kw_only=True)
class ViT(ModelKind):
    """A small vision transformer with mean pooling: 1.8 million parameters by default.

    The dense layers of a block are twice as wide as its tokens.
    """

    patch: int = option(4, "side of the square patches in pixels; divides height and width", minimum=1)
    dim: int = option(192, "width of the tokens", minimum=1)
    depth: int = option(6, "number of encoder blocks", minimum=1, maximum=1000)
    heads: int = option(3, "attention heads in each block; divides dim", minimum=1)
    dropout: float = option(0.0, "probability of a zero after each dense layer", minimum=0.0, below=1.0)

    def __post_init__(self) -> None:
        if self.dim % self.heads != 0:
            raise ConfigError(
                f"The dim of vit must be a multiple of its heads, but {self.dim} is none of {self.heads}; "
                f"set dim: {-(-self.dim // self.heads) * self.heads}."
            )

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 3 and all(length > 0 and length % self.patch == 0 for length in shape[1:])

    @property
    def needs(self) -> str:
        return f"images whose height and width are multiples of its patch, {self.patch}"

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        sizes: dict[str, int] = {"patch": self.patch, "dim": self.dim, "depth": self.depth, "heads": self.heads}
        return VisionTransformer(shape, outputs, **sizes, dropout=self.dropout)
