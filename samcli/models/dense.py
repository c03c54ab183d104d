"""Models of dense layers, for inputs of any shape: they flatten it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import nn

from samcli.models._base import MODELS, ModelKind
from samcli.registry import option

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}  # tanh is smooth, as what is known of the edge of stability wants it


@MODELS.register("linear")
@dataclass(frozen=True, kw_only=True)
class Linear(ModelKind):
    """One dense layer: linear regression, or logistic regression by the loss it is trained with."""

    def fits(self, shape: tuple[int, ...]) -> bool:
        return True

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs))


@MODELS.register("mlp")
@dataclass(frozen=True, kw_only=True)
class MLP(ModelKind):
    """Dense hidden layers of one width with ReLU or tanh between them, which may be normalised before it."""

    hidden: int = option(64, "width of every hidden layer", minimum=1, maximum=1_000_000)
    depth: int = option(2, "number of hidden layers", minimum=1, maximum=1000)
    dropout: float = option(0.0, "share of the units dropped after every hidden layer", minimum=0.0, below=1.0)
    activation: str = option("relu", "what follows every hidden layer", choices=tuple(ACTIVATIONS))
    norm: str = option("none", "what normalises every hidden layer before that", choices=("none", "batch", "layer"))

    def fits(self, shape: tuple[int, ...]) -> bool:
        return True

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        layers: list[nn.Module] = [nn.Flatten()]
        width = math.prod(shape)
        for _ in range(self.depth):
            layers.append(nn.Linear(width, self.hidden))
            if self.norm != "none":
                layers.append(nn.BatchNorm1d(self.hidden) if self.norm == "batch" else nn.LayerNorm(self.hidden))
            layers.append(ACTIVATIONS[self.activation]())
            if self.dropout > 0.0:
                layers.append(nn.Dropout(self.dropout))
            width = self.hidden
        return nn.Sequential(*layers, nn.Linear(width, outputs))
