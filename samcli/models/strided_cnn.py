"""The small convolutional network of Kumar, Ma and Liang, whose convolutions have a stride."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from samcli.models._base import MODELS, ModelKind
from samcli.registry import option

CHANNELS = 32


@MODELS.register("strided-cnn")
@dataclass(frozen=True, kw_only=True)
class StridedCNN(ModelKind):
    """5x5 convolutions of 32 channels with a stride of 2, dropout, BatchNorm and one dense layer.

    That of Kumar, Ma and Liang, "Understanding Self-Training for Gradual Domain Adaptation", ICML 2020, appendix, for
    images of 28x28 pixels: each convolution halves the sides, rounded up, and has a ReLU. Dropout stands before
    BatchNorm, and nothing is pooled. For two convolutions and (1, 14, 14) inputs it has 31 658 parameters. All layers
    start as torch makes them.
    """

    convolutions: int = option(3, "how many follow one another", minimum=1, maximum=8)
    dropout: float = option(0.5, "share of what the last convolution gives that is dropped", minimum=0.0, below=1.0)

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 3

    @property
    def needs(self) -> str:
        return "images"

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        channels, height, width = shape
        layers: list[nn.Module] = []
        for _ in range(self.convolutions):
            layers += [nn.Conv2d(channels, CHANNELS, kernel_size=5, stride=2, padding=2), nn.ReLU()]
            channels, height, width = CHANNELS, -(-height // 2), -(-width // 2)
        if self.dropout > 0.0:
            layers.append(nn.Dropout(self.dropout))
        return nn.Sequential(
            *layers, nn.BatchNorm2d(CHANNELS), nn.Flatten(), nn.Linear(CHANNELS * height * width, outputs)
        )
