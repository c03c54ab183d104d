"""Models by their names."""

from __future__ import annotations

from typing import Any

from torch import nn

from samcli.errors import ConfigError
from samcli.models._base import MODELS


def build(name: str, *, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    """A freshly initialised model, of the size that the data asks for.

    Args:
        name: `cnn`, `resnet18`, `torchvision:resnet50`, ... as in `samcli list models`.
        shape: that of one input: (C, H, W) for images, (F,) for tables.
        outputs: columns of the output: the number of classes, or 1 for two classes (a logit) or a regression.
        options: those of the model: `dropout`, `patch`, ...

    Returns:
        A module that maps (N, *shape) to (N, outputs), without a softmax.

    Raises:
        ConfigError: no model of that name, or the shape does not fit it; the message lists the models that it fits.
        TypeError: the model has no such option.

    >>> build("mlp", shape=(2,), outputs=1, hidden=3, depth=1)
    Sequential(
      (0): Flatten(start_dim=1, end_dim=-1)
      (1): Linear(in_features=2, out_features=3, bias=True)
      (2): ReLU()
      (3): Linear(in_features=3, out_features=1, bias=True)
    )
    """
    kind = MODELS.create(name, **options)
    if not kind.fits(shape):
        fitting = [other for other in MODELS if not other.endswith(":") and MODELS.create(other).fits(shape)]
        raise ConfigError(
            f"{name} needs {kind.needs}, but the inputs are {_described(shape)}; models that fit: {', '.join(fitting)}."
        )
    return kind.build(shape, outputs)


def _described(shape: tuple[int, ...]) -> str:
    if len(shape) == 1:
        return f"vectors of {shape[0]} numbers"
    size = "x".join(str(length) for length in shape)
    return f"images of {size} (channels, height, width)" if len(shape) == 3 else f"arrays of {size}"
