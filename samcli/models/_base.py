"""The base of all models: their options, the inputs that fit, and the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from samcli.models._pretrained import Pretrained, absolute
from samcli.registry import Registry, option


@dataclass(frozen=True, kw_only=True)
class ModelKind(ABC):
    """A family of networks with its options chosen; unless it says otherwise, one for images of any size.

    All of them can begin with tensors of a file (`init`), and train a part of their parameters only (`freeze`).

    Attributes:
        reads_tokens: whether inputs are tokens, (N, T) int64, and nothing else; a shape then has a `vocabulary`.
        reads_categories: whether the network takes codes of categories as they are, see `InputShape`; for any other,
            columns of categories are embedded before it, and it sees a longer vector of numbers.
        spare: beginnings of names that the file of `init` may have and the network need not.
    """

    reads_tokens: ClassVar[bool] = False
    reads_categories: ClassVar[bool] = False
    spare: ClassVar[tuple[str, ...]] = ()

    init: str | None = option(
        None,
        "run, checkpoint, .safetensors or file of torch.save whose tensors it begins with; null draws them",
        canonical=absolute,
    )
    new_head: bool = option(False, "whether the head is drawn anew even if that of the file fits")
    freeze: tuple[str, ...] = option(
        ("none",), "what is not trained: none, embeddings, backbone (all but the head), or patterns such as layer1.*"
    )

    @abstractmethod
    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """The network, freshly initialised from torch's global random state.

        Args:
            shape: that of one input that `fits`: (C, H, W) for images, (F,) for tables, (T,) for tokens.
            outputs: columns of the output: the number of classes, or 1 for two classes (a logit) or a regression.

        Returns:
            A module that maps (N, *shape) to (N, outputs), without a softmax; for a language model (N, T) tokens to
            (N, T, outputs).
        """

    def pretrained(self) -> Pretrained | None:
        """The published weights that it begins with, where it has such; None draws them."""
        return None

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether inputs of this shape can go in."""
        return len(shape) == 3

    @property
    def needs(self) -> str:
        """The inputs that fit, as the end of "resnet20 needs ..."."""
        return "images"


MODELS: Registry[ModelKind] = Registry("model")
