"""Residual networks for small images (He et al., CVPR 2016)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from samcli.models._base import MODELS, ModelKind
from samcli.models._initialise import he_normal
from samcli.registry import option

Norm = Callable[[int], nn.Module]  # makes a normalisation of so many channels
GROUPS = 32  # of GroupNorm, as Wu and He, ECCV 2018, have them


def group_norm(channels: int) -> nn.Module:
    """GroupNorm of 32 groups, whose statistics are those of one image and no batch (Wu and He, ECCV 2018).

    >>> group_norm(64).num_groups
    32
    """
    return nn.GroupNorm(GROUPS, channels)


NORMS: Mapping[str, Norm] = {"batch": nn.BatchNorm2d, "group": group_norm}


class PaddedShortcut(nn.Module):
    """The shortcut without parameters across a change of size: option A of He et al., CVPR 2016, section 4.1.

    Takes every second row and column, and puts channels of zeros behind the given ones: (N, c, H, W) becomes
    (N, c + extra, ⌈H/2⌉, ⌈W/2⌉).

    Args:
        extra: the number of channels to add.

    >>> PaddedShortcut(extra=1)(torch.arange(9.0).reshape(1, 1, 3, 3))
    tensor([[[[0., 2.],
              [6., 8.]],
    <BLANKLINE>
             [[0., 0.],
              [0., 0.]]]])
    """

    def __init__(self, extra: int) -> None:
        super().__init__()
        self.extra = extra

    def forward(self, x: Tensor) -> Tensor:
        """The reduced and padded input."""
        return functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, self.extra))


def projection(channels: int, width: int, norm: Norm = nn.BatchNorm2d) -> nn.Module:
    """The shortcut with parameters, option B: a 1x1 convolution of stride 2 and a normalisation.

    >>> projection(16, 32)(torch.ones(2, 16, 8, 8)).shape
    torch.Size([2, 32, 4, 4])
    """
    return nn.Sequential(nn.Conv2d(channels, width, kernel_size=1, stride=2, bias=False), norm(width))


def padding(channels: int, width: int) -> nn.Module:
    """The shortcut without parameters, option A, between layers of these channels.

    >>> padding(16, 32)(torch.ones(2, 16, 8, 8)).shape
    torch.Size([2, 32, 4, 4])
    """
    return PaddedShortcut(width - channels)


class BasicBlock(nn.Module):
    """relu(x' + N(conv(relu(N(conv(x)))))), N a normalisation, x' x through the shortcut (fig. 2 of the paper).

    Args:
        channels: of the input.
        width: channels of the output.
        stride: of the first convolution.
        shortcut: maps the input to the size of the output.
        norm: makes a normalisation.
    """

    def __init__(self, channels: int, width: int, stride: int, shortcut: nn.Module, norm: Norm) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.norm1 = norm(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1, bias=False)
        self.norm2 = norm(width)
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """The block's output, (N, width, ⌈H/stride⌉, ⌈W/stride⌉)."""
        # In place, for no derivative needs what a normalisation put out: less memory to walk through.
        inner = functional.relu_(self.norm1(self.conv1(x)))
        return functional.relu_(self.norm2(self.conv2(inner)).add_(self.shortcut(x)))


class ResNet(nn.Module):
    """A 3x3 convolution, stages of basic blocks, the mean over all positions, a dense layer.

    Every stage but the first starts by halving height and width.

    Args:
        channels: of the images.
        outputs: columns of the output.
        widths: channels of each stage.
        blocks: number of blocks in each stage.
        shortcut: makes the shortcut across a change of size from the channels before and after it.
        norm: makes a normalisation of so many channels.
    """

    def __init__(
        self,
        channels: int,
        outputs: int,
        widths: Sequence[int],
        blocks: int,
        shortcut: Callable[[int, int], nn.Module],
        norm: Norm = nn.BatchNorm2d,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, widths[0], kernel_size=3, padding=1, bias=False)
        self.norm = norm(widths[0])
        self.blocks = nn.Sequential()
        previous = widths[0]
        for width in widths:
            for _ in range(blocks):
                keeps_size = width == previous
                block_shortcut = nn.Identity() if keeps_size else shortcut(previous, width)
                self.blocks.append(BasicBlock(previous, width, 1 if keeps_size else 2, block_shortcut, norm))
                previous = width
        self.head = nn.Linear(previous, outputs)
        he_normal(self)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs for images of shape (N, channels, H, W), as (N, outputs)."""
        x = functional.relu_(self.norm(self.conv(x)))
        logits: Tensor = self.head(torch.mean(self.blocks(x), dim=(2, 3)))
        return logits


@MODELS.register("resnet20")
@dataclass(frozen=True, kw_only=True)
class ResNet20(ModelKind):
    """ResNet-20 as He et al., CVPR 2016, section 4.2 made it for CIFAR: 0.27 million parameters.

    Three stages of three basic blocks with 16, 32 and 64 channels, and shortcuts without parameters.
    """

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return ResNet(shape[0], outputs, widths=(16, 32, 64), blocks=3, shortcut=padding)


@MODELS.register("resnet32")
@dataclass(frozen=True, kw_only=True)
class ResNet32(ModelKind):
    """ResNet-32 as He et al., CVPR 2016, section 4.2 made it for CIFAR: 0.46 million parameters.

    ResNet-20 with five basic blocks in each of its three stages.
    """

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return ResNet(shape[0], outputs, widths=(16, 32, 64), blocks=5, shortcut=padding)


@MODELS.register("resnet18")
@dataclass(frozen=True, kw_only=True)
class ResNet18(ModelKind):
    """ResNet-18 for small images: a 3x3 first convolution, no max-pooling; 11.17 million parameters.

    Four stages of two basic blocks with 64, 128, 256 and 512 channels, and projections as shortcuts (He et al.,
    CVPR 2016, table 1). The stem is the one that the literature uses on CIFAR; `torchvision:resnet18` has the
    original one, which suits images of 224x224 pixels.
    """

    norm_layer: str = option(
        "batch", "what normalises: batches, or 32 groups of channels of an image", choices=tuple(NORMS)
    )

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        norm = NORMS[self.norm_layer]
        shortcut = partial(projection, norm=norm)
        return ResNet(shape[0], outputs, widths=(64, 128, 256, 512), blocks=2, shortcut=shortcut, norm=norm)
