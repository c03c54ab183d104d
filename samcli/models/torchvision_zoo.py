"""The classification models of torchvision, untrained, for any number of channels."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from samcli.errors import ConfigError
from samcli.models._base import MODELS, ModelKind

# Both have extra outputs in the middle by default, and warn unless they are told how to start.
_SETTINGS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": True},
    "inception_v3": {"aux_logits": False, "init_weights": True},
}


@MODELS.register("torchvision:")
@dataclass(frozen=True)
class TorchvisionModel(ModelKind):
    """Any classification model of torchvision, without pretrained weights.

    The models start as torchvision makes them; where images have not three channels, the first convolution gets new
    weights to match. Most are made for images of 224x224 pixels and shrink a small image to a point early on.

    Attributes:
        argument: the name in `torchvision.models.list_models(module=torchvision.models)`.

    Raises:
        ConfigError: torchvision has no such model.
    """

    argument: str

    def __post_init__(self) -> None:
        names = _names()
        if self.argument not in names:
            near = difflib.get_close_matches(self.argument.lower(), names, n=3, cutoff=0.0)
            raise ConfigError(
                f"torchvision has no classification model named {self.argument!r}; the nearest are {', '.join(near)}."
            )

    @staticmethod
    def serves(name: str) -> bool:
        """Whether torchvision has a model of this name."""
        return name in _names()

    def build(self, shape: tuple[int, ...], outputs: int) -> nn.Module:
        """See `ModelKind.build`.

        Raises:
            ConfigError: the model cannot take images of this shape, found out by a forward pass without data.
        """
        from torchvision.models import get_model

        network: nn.Module = get_model(
            self.argument, weights=None, num_classes=outputs, **_SETTINGS.get(self.argument, {})
        )
        if shape[0] != 3:
            _adapt_first_convolution(network, shape[0])
        try:
            _forward_without_data(network, shape)
        except (RuntimeError, AssertionError, ValueError) as error:
            size = "x".join(str(length) for length in shape)
            raise ConfigError(
                f"torchvision:{self.argument} cannot take images of {size} (channels, height, width): its layers are "
                "made for another size, most often 3x224x224. Choose a model for small images, such as cnn or resnet18."
            ) from error
        return network


def _names() -> list[str]:
    from torchvision import models

    return list(models.list_models(module=models))


def _adapt_first_convolution(network: nn.Module, channels: int) -> None:
    """Let the first convolution take another number of channels; its new weights are He-normal by fan-in."""
    first = next(layer for layer in network.modules() if isinstance(layer, nn.Conv2d))
    first.in_channels = channels
    first.weight = nn.Parameter(torch.empty(first.out_channels, channels, *first.kernel_size))
    nn.init.kaiming_normal_(first.weight, nonlinearity="relu")


def _forward_without_data(network: nn.Module, shape: tuple[int, ...]) -> None:
    """Run the network on tensors that have a shape but no values; its own tensors stay where and as they are."""
    tensors = {
        name: tensor.to("meta")
        for part in (network.named_parameters(), network.named_buffers())
        for name, tensor in part
    }
    network.eval()
    with torch.no_grad():
        torch.func.functional_call(network, tensors, (torch.empty(2, *shape, device="meta"),))
    network.train()
