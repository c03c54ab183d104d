"""A network tried on shapes alone."""

from __future__ import annotations

import torch
from torch import nn

from samcli.errors import ConfigError


def check_takes(network: nn.Module, shape: tuple[int, ...], name: str) -> None:
    """Refuse images that a network of a library cannot take, by a forward pass on tensors without values.

    Args:
        network: its own tensors stay where and as they are.
        shape: (C, H, W) of one image.
        name: of the model, for the message.

    Raises:
        ConfigError: it cannot.

    >>> check_takes(nn.Sequential(nn.Conv2d(1, 2, 3)), (1, 4, 4), "tiny")
    """
    tensors = {
        key: tensor.to("meta") for part in (network.named_parameters(), network.named_buffers()) for key, tensor in part
    }
    network.eval()
    try:
        with torch.no_grad():
            torch.func.functional_call(network, tensors, (torch.empty(2, *shape, device="meta"),))
    except (RuntimeError, AssertionError, ValueError, IndexError) as error:
        size = "x".join(str(length) for length in shape)
        raise ConfigError(
            f"{name} cannot take images of {size} (channels, height, width): its layers are "
            "made for another size, most often 3x224x224. Choose a model for small images, such as cnn or resnet18."
        ) from error
    network.train()
