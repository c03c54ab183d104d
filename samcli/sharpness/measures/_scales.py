"""The coordinates of the adaptive measures: T, the size of each parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from samcli.registry import option
from samcli.sharpness.base import Measure
from samcli.sharpness.problem import Problem
from samcli.weights.geometry import element_scales
from samcli.weights.names import is_weight


@dataclass(frozen=True, kw_only=True)
class Adaptive(Measure):
    """A measure relative to the size of the parameters.

    With `scale` all, T is |w| + η for every parameter, biases and the shifts of normalisation layers too. With η = 0 it
    is that of Andriushchenko et al. (ICML 2023): rescaling the layers of a ReLU network, biases included, changes
    nothing, and a parameter that is zero stays zero. With `scale` weights it is ASAM's (Kwon et al., ICML 2021, section
    4): |w| + η for weights and 1 for biases, which is what ASAM trains against; its η is 0.01.
    """

    eta: float = option(0.0, "η, added to |w|; ASAM's is 0.01", minimum=0.0)
    scale: str = option(
        "all",
        "what T takes the size of: all parameters; or weights alone, as ASAM does, with 1 for biases",
        choices=("all", "weights"),
    )

    def _scaling(self) -> dict[str, Any]:
        return {"eta": self.eta, "scale": self.scale}


def adaptive_scales(problem: Problem, eta: float, scale: str) -> list[Tensor]:
    """T in the shapes of the parameters, see `Adaptive`.

    >>> from torch import nn, tensor
    >>> model = nn.Linear(2, 1)
    >>> _ = model.load_state_dict({"weight": tensor([[3.0, -4.0]]), "bias": tensor([5.0])})
    >>> problem = Problem(model, nn.functional.mse_loss, [(tensor([[1.0, 1.0]]), tensor([[0.0]]))], seed=0)
    >>> adaptive_scales(problem, 0.0, "all")
    [tensor([[3., 4.]]), tensor([5.])]
    >>> adaptive_scales(problem, 0.5, "weights")
    [tensor([[3.5000, 4.5000]]), tensor([1.])]
    """
    weights = [parameter.detach() for parameter in problem.parameters]
    scaled = [scale == "all" or is_weight(name) for name in problem.names]
    return element_scales(weights, scaled, eta)


def scales_of(problem: Problem, scaling: Mapping[str, Any]) -> list[Tensor] | None:
    """`adaptive_scales` of an adaptive measure; None, which stands for T = 1, of another.

    >>> from torch import nn, ones
    >>> scales_of(Problem(nn.Linear(1, 1), nn.functional.mse_loss, [(ones(1, 1), ones(1, 1))], seed=0), {})
    """
    return adaptive_scales(problem, **scaling) if scaling else None
