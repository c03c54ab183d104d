"""The names of parameters, and which of them are weights."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


def is_weight(name: str) -> bool:
    """Whether ASAM scales the parameter of this name: the official rule takes those called weight.

    That includes the scale γ of normalisation layers and leaves out biases and shifts.

    >>> is_weight("layer1.0.conv1.weight"), is_weight("attention.in_proj_weight"), is_weight("weights.bias")
    (True, True, False)
    >>> is_weight("0.parametrizations.weight.original1"), is_weight("0.parametrizations.bias.original")
    (True, False)
    """
    parts = name.split(".")
    # torch.nn.utils.parametrizations keeps what makes up `weight` as `parametrizations.weight.original0`, ...
    own = parts[parts.index("parametrizations") + 1 :][:1] if "parametrizations" in parts else parts[-1:]
    return "weight" in "".join(own)


def parameter_names(parameters: list[Tensor], model: nn.Module | None, groups: list[dict[str, Any]]) -> list[str]:
    """The name of each parameter: the model's, or else the one that its parameter group keeps.

    Raises:
        ValueError: neither the model nor named parameter groups were given.

    >>> model = nn.Linear(2, 1)
    >>> parameter_names([model.bias], model, [])
    ['bias']
    >>> named = {"params": [model.bias], "param_names": ["head.bias"]}  # as torch keeps what it was given by name
    >>> parameter_names([model.bias], None, [named])
    ['head.bias']
    """
    named: list[tuple[str, Tensor]] = list(model.named_parameters()) if model is not None else []
    for group in groups:
        named += zip(group.get("param_names", ()), group["params"], strict=False)
    names = {parameter: name for name, parameter in named}
    if any(parameter not in names for parameter in parameters):
        raise ValueError(
            "This rule treats weights and biases differently, by their names: pass model= to the optimizer."
        )
    return [names[parameter] for parameter in parameters]
