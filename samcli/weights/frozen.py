"""Parameters that are not trained, and the normalisation layers that stay with them."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from samcli.errors import ConfigError, nearest
from samcli.weights.layers import embeddings_of, head_of

NONE = ("none",)


def freeze(model: nn.Module, what: Sequence[str], outputs: int) -> None:
    """Take parameters out of training: they require no gradient, and no optimizer gets them.

    A BatchNorm layer that has lost all of its parameters so, or whose running statistics are named too, stays in
    evaluation mode: it normalises by the statistics that it came with, and these do not change.

    Args:
        model: changed in place.
        what: `backbone` is all but the head, `embeddings` the layer by which inputs come in, see
            `samcli.weights.layers`; anything else is a pattern of parameter names such as `layer1.*`. `none` stands
            alone.
        outputs: columns of the model's output, by which the head is known.

    Raises:
        ConfigError: a pattern that no parameter has, or nothing is left to train.

    >>> import torch
    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    >>> freeze(model, ["backbone"], outputs=3)
    >>> [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    ['3.weight', '3.bias']
    >>> _ = model.train()(torch.ones(2, 1, 4, 4))
    >>> model[1].training
    False
    """
    if tuple(what) == NONE:
        return
    if not what or "none" in what:
        raise ConfigError("freeze: none stands alone; name what is not to be trained, or write freeze: none.")
    parameters = dict(model.named_parameters())
    buffers = [name for name, _ in model.named_buffers()]
    frozen: set[str] = set()
    for pattern in what:
        frozen |= _named(pattern, model, list(parameters), buffers, outputs)
    if frozen.issuperset(parameters):
        raise ConfigError(f"freeze: {', '.join(what)} leaves nothing to train; leave some layer out, such as the head.")
    for name in frozen & parameters.keys():
        parameters[name].requires_grad_(False)
    for prefix, module in model.named_modules():
        if isinstance(module, _NormBase):
            own = list(module.parameters(recurse=False))
            named = f"{prefix}.running_mean".removeprefix(".") in frozen
            if named or (own and not any(p.requires_grad for p in own)):
                module.register_forward_pre_hook(_evaluate)


def is_held(module: nn.Module) -> bool:
    """Whether a normalisation layer stays in evaluation mode, whatever mode the model is put into.

    >>> is_held(nn.BatchNorm1d(2))
    False
    """
    return _evaluate in module._forward_pre_hooks.values()


def _evaluate(module: nn.Module, inputs: Any) -> None:
    del inputs
    module.training = False


def _named(pattern: str, model: nn.Module, parameters: list[str], buffers: list[str], outputs: int) -> set[str]:
    """The parameters and buffers that a word or a pattern stands for."""
    if pattern == "embeddings":
        if not (own := embeddings_of(model)):
            raise ConfigError("freeze: this model has no embeddings; name what is not to be trained, such as layer1.*.")
        return set(own)
    if pattern == "backbone":
        found = {*parameters, *buffers} - set(head_of(model, outputs))
    else:
        found = {name for name in (*parameters, *buffers) if fnmatchcase(name, pattern)}
    if pattern == "backbone" and not found.intersection(parameters):
        raise ConfigError("freeze: backbone is all but the head, and this model has nothing but a head; leave it out.")
    if not found.intersection(parameters):
        known = ["backbone", "embeddings", *parameters]
        words = nearest(pattern, known) if len(known) < 12 else f"names begin with {', '.join(_firsts(parameters))}."
        raise ConfigError(f"freeze: no parameter of the model is named {pattern!r}; {words}")
    return found


def _firsts(names: list[str]) -> list[str]:
    return [*dict.fromkeys(name.partition(".")[0] for name in names)][:12]
