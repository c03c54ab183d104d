"""Wide residual networks (Zagoruyko and Komodakis, BMVC 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from samcli.models._base import MODELS, ModelKind
from samcli.models._initialise import he_normal
from samcli.registry import option


class PreactivationBlock(nn.Module):
    """x' + conv(dropout(relu(BN(conv(a))))) with a = relu(BN(x)): normalisation comes before convolution.

    The shortcut x' is x where the size stays, and a 1x1 convolution of a where it changes.

    Args:
        channels: of the input.
        width: channels of the output.
        stride: of the first convolution.
        dropout: probability of a zero between the convolutions.
    """

    def __init__(self, channels: int, width: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        self.dropout = nn.Dropout(dropout) if dropout > 0.0 else None
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        resizes = stride != 1 or channels != width
        self.projection = nn.Conv2d(channels, width, kernel_size=1, stride=stride, bias=False) if resizes else None

    def forward(self, x: Tensor) -> Tensor:
        """The block's output, (N, width, ⌈H/stride⌉, ⌈W/stride⌉)."""
        # In place, for no derivative needs what comes out of the normalisations or the last convolution.
        active = functional.relu_(self.norm1(x))
        shortcut: Tensor = x if self.projection is None else self.projection(active)
        inner = functional.relu_(self.norm2(self.conv1(active)))
        if self.dropout is not None:
            inner = self.dropout(inner)
        outer: Tensor = self.conv2(inner)
        return outer.add_(shortcut)


class WideResNet(nn.Module):
    """A convolution to 16 channels, three stages of 16k, 32k and 64k channels, the mean over all positions, a head.

    Args:
        channels: of the images.
        outputs: columns of the output.
        depth: number of convolutions, 6n + 4 for n blocks in a stage: the three of 1x1 count too.
        widening: the factor k.
        dropout: probability of a zero between the convolutions of a block.
    """

    def __init__(self, channels: int, outputs: int, depth: int, widening: int, dropout: float) -> None:
        super().__init__()
        if depth % 6 != 4:
            raise ValueError(f"The depth of a wide residual network must be 6n + 4, not {depth}.")
        self.conv = nn.Conv2d(channels, 16, kernel_size=3, padding=1, bias=False)
        self.blocks = nn.Sequential()
        previous = 16
        for stage in range(3):
            width = 16 * widening * 2**stage
            for block in range((depth - 4) // 6):
                stride = 2 if stage > 0 and block == 0 else 1
                self.blocks.append(PreactivationBlock(previous, width, stride, dropout))
                previous = width
        self.norm = nn.BatchNorm2d(previous)
        self.head = nn.Linear(previous, outputs)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs for images of shape (N, channels, H, W), as (N, outputs)."""
        x = functional.relu_(self.norm(self.blocks(self.conv(x))))
        logits: Tensor = self.head(torch.mean(x, dim=(2, 3)))
        return logits


@MODELS.register("wrn-16-4")
@dataclass(frozen=True, kw_only=True)
class WRN16x4(ModelKind):
    """Wide residual network of depth 16 and width 4 (Zagoruyko and Komodakis, 2016): 2.7 million parameters."""

    dropout: float = option(0.0, "probability of a zero between a block's convolutions", minimum=0.0, below=1.0)

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return WideResNet(shape[0], outputs, depth=16, widening=4, dropout=self.dropout)


@MODELS.register("wrn-28-10")
@dataclass(frozen=True, kw_only=True)
class WRN28x10(ModelKind):
    """Wide residual network of depth 28 and width 10 (Zagoruyko and Komodakis, 2016): 36.5 million parameters."""

    dropout: float = option(0.0, "probability of a zero between a block's convolutions", minimum=0.0, below=1.0)

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return WideResNet(shape[0], outputs, depth=28, widening=10, dropout=self.dropout)
