"""The coordinates of the adaptive measures: ASAM's T."""

from __future__ import annotations

from torch import Tensor

from samcli.sharpness.problem import Problem
from samcli.weights.geometry import element_scales
from samcli.weights.names import is_weight


def asam_scales(problem: Problem, eta: float) -> list[Tensor]:
    """ASAM's T, |w| + η for weights and 1 for biases, in the shapes of the parameters (Kwon et al., ICML 2021).

    >>> from torch import nn, tensor
    >>> model = nn.Linear(2, 1)
    >>> _ = model.load_state_dict({"weight": tensor([[3.0, -4.0]]), "bias": tensor([5.0])})
    >>> problem = Problem(model, nn.functional.mse_loss, [(tensor([[1.0, 1.0]]), tensor([[0.0]]))], seed=0)
    >>> asam_scales(problem, eta=0.5)
    [tensor([[3.5000, 4.5000]]), tensor([1.])]
    """
    weights = [parameter.detach() for parameter in problem.parameters]
    return element_scales(weights, map(is_weight, problem.names), eta)


def scales_of(problem: Problem, eta: float | None) -> list[Tensor] | None:
    """`asam_scales` of a measure with an η; None, which stands for T = 1, of one without.

    >>> from torch import nn, ones
    >>> scales_of(Problem(nn.Linear(1, 1), nn.functional.mse_loss, [(ones(1, 1), ones(1, 1))], seed=0), eta=None)
    """
    return None if eta is None else asam_scales(problem, eta)
