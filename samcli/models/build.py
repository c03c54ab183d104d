"""Models by their names."""

from __future__ import annotations

from typing import Any

from torch import nn

from samcli.errors import ConfigError
from samcli.models._base import MODELS, ModelKind
from samcli.models._categories import WithCategories, embedded_length
from samcli.shape import InputShape
from samcli.weights.frozen import freeze


def build(name: str, *, shape: tuple[int, ...], outputs: int, **options: Any) -> nn.Module:
    """A freshly initialised model, of the size that the data asks for.

    Args:
        name: `cnn`, `resnet18`, `torchvision:resnet50`, ... as in `samcli list models`.
        shape: that of one input: (C, H, W) for images, (F,) for tables, (T,) for tokens; an `InputShape` says what is
            in it.
        outputs: columns of the output: the number of classes, or 1 for two classes (a logit) or a regression.
        options: those of the model: `dropout`, `patch`, ... What `freeze` names requires no gradient; `init` is left to
            whoever trains the model, see `samcli.train.initial`.

    Returns:
        A module that maps (N, *shape) to (N, outputs), without a softmax.

    Raises:
        ConfigError: no model of that name, or the shape does not fit it; the message lists the models that it fits. Or
            `freeze` names nothing, or all.
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
    given = InputShape.of(shape)
    if not fits(kind, given):
        fitting = [other for other in MODELS if not other.endswith(":") and fits(MODELS.create(other), given)]
        raise ConfigError(
            f"{name} needs {kind.needs}, but the inputs are {_described(given)}; models that fit: {', '.join(fitting)}."
        )
    if given.categories and not kind.reads_categories:
        network: nn.Module = WithCategories(given.categories, kind.build((embedded_length(given.categories),), outputs))
    else:
        network = kind.build(given, outputs)
    freeze(network, kind.freeze, outputs)
    return network


def fits(kind: ModelKind, shape: tuple[int, ...]) -> bool:
    """Whether a model can take inputs of this shape, and what is in them.

    >>> fits(MODELS.create("linear"), (10,)), fits(MODELS.create("linear"), InputShape((10,), vocabulary=256))
    (True, False)
    """
    given = InputShape.of(shape)
    return kind.reads_tokens == bool(given.vocabulary) and kind.fits(given)


def _described(shape: InputShape) -> str:
    if shape.vocabulary:
        return f"texts of {shape[0]} tokens"
    if len(shape) == 1:
        return f"vectors of {shape[0]} numbers"
    size = "x".join(str(length) for length in shape)
    return f"images of {size} (channels, height, width)" if len(shape) == 3 else f"arrays of {size}"
