"""The base of all models: their options, the inputs that fit, and the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import nn

from samcli.registry import Registry


@dataclass(frozen=True, kw_only=True)
class ModelKind(ABC):
    """A family of networks with its options chosen; unless it says otherwise, one for images of any size."""

    @abstractmethod
    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """The network, freshly initialised from torch's global random state.

        Args:
            shape: that of one input that `fits`: (C, H, W) for images, (F,) for tables.
            outputs: columns of the output: the number of classes, or 1 for two classes (a logit) or a regression.

        Returns:
            A module that maps (N, *shape) to (N, outputs), without a softmax.
        """

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether inputs of this shape can go in."""
        return len(shape) == 3

    @property
    def needs(self) -> str:
        """The inputs that fit, as the end of "resnet20 needs ..."."""
        return "images"


MODELS: Registry[ModelKind] = Registry("model")
