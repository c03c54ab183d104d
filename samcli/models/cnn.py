"""The small convolutional network that first examples of SAM are written for."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from samcli.models._base import MODELS, ModelKind
from samcli.registry import option


@MODELS.register("cnn")
@dataclass(frozen=True, kw_only=True)
class CNN(ModelKind):
    """A small convolutional network: two 3x3 convolutions with max-pooling, 32 and 64 channels, and 128 dense units.

    For (C, H, W) inputs it has 288 C + 18 528 + 64 ⌊H/4⌋ ⌊W/4⌋ · 128 + 128 + 129 · outputs parameters: 421 642 for
    MNIST. All layers start as torch makes them.
    """

    dropout: float = option(0.0, "share of the 128 dense units dropped", minimum=0.0, below=1.0)

    def fits(self, shape: tuple[int, ...]) -> bool:
        return len(shape) == 3 and min(shape[1:]) >= 4

    @property
    def needs(self) -> str:
        return "images of at least 4x4 pixels"

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        channels, height, width = shape
        # Maximum and ReLU commute, so pooling first gives the same network with a quarter of the ReLUs to compute.
        layers: list[nn.Module] = [
            nn.Conv2d(channels, 32, kernel_size=3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(32, 64, kernel_size=3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(64 * (height // 4) * (width // 4), 128),
            nn.ReLU(),
        ]
        if self.dropout > 0.0:
            layers.append(nn.Dropout(self.dropout))
        return nn.Sequential(*layers, nn.Linear(128, outputs))
