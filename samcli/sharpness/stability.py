"""The edge of stability: the curvature from which on the steps of an optimizer no longer converge."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


@dataclass(frozen=True)
class Stability:
    """The largest λ_max(P^-½ H P^-½) at which full-batch steps on a quadratic converge, and P.

    J. Cohen, S. Kaur, Y. Li, J. Z. Kolter, A. Talwalkar, "Gradient Descent on Neural Networks Typically Occurs at the
    Edge of Stability" (ICLR 2021), and J. Cohen et al., "Adaptive Gradient Methods at the Edge of Stability" (2022).
    The edge is `factor`/η: 2/η for gradient descent, (2 + 2β)/η with heavy-ball momentum β, (2 + 2β)/((1 + 2β) η) with
    Nesterov's, and (2 + 2β₁)/((1 - β₁) η) for Adam, 38/η for β₁ = 0.9, with::

        P = (1 - β₁ᵗ) diag(√(v/(1 - β₂ᵗ)) + ε)

    after t steps. Weight decay that joins the gradient counts as curvature, and is left out here.

    Attributes:
        learning_rate: η of the last step.
        base_learning_rate: the one that the optimizer was built with, at the top of a schedule.
        factor: the edge times η.
        preconditioner: Adam's P by the parameter's name, without parameters that it has not moved; None for P = 1.
        radius: ρ of SAM over gradient descent without momentum, whose own edge is known where it climbs the gradient of
            the whole batch; 0 for a base optimizer itself, and for a rule whose radius is 0; None for anything else.
    """

    learning_rate: float
    base_learning_rate: float
    factor: float
    preconditioner: Mapping[str, Tensor] | None = None
    radius: float | None = None

    def edge(self, gradient_norm: float) -> float | None:
        """The edge of the optimizer itself: `factor`/η, for SAM over gradient descent a lower one.

        ::

            ‖g‖/(2ρ) (√(1 + 8ρ/(η‖g‖)) - 1)

        which is 2/η for ρ = 0. P. Long, P. Bartlett, "Sharpness-Aware Minimization and the Edge of Stability" (JMLR
        2024), section 3. None where nobody knows it.

        Args:
            gradient_norm: ‖g‖₂ of the full loss.

        >>> Stability(0.2, 0.2, 2.0, radius=0.0).edge(0.1), Stability(0.2, 0.2, 2.0).edge(0.1) is None
        (10.0, True)
        >>> round(Stability(0.2, 0.2, 2.0, radius=0.05).edge(0.1), 6), Stability(0.2, 0.2, 2.0, radius=0.05).edge(0.0)
        (3.582576, 0.0)
        """
        if self.radius is None or not self.learning_rate:
            return None
        if not self.radius:
            return self.factor / self.learning_rate
        if not gradient_norm:
            return 0.0
        root = math.sqrt(1.0 + 8.0 * self.radius / (self.learning_rate * gradient_norm))
        return gradient_norm / (2.0 * self.radius) * (root - 1.0)

    def details(self, value: float) -> dict[str, float]:
        """The entries about the edge in the `details` of a result: a ratio above 1 is an eigenvalue beyond it.

        Args:
            value: the largest eigenvalue that was measured.
        """
        return {
            "learning_rate": self.learning_rate,
            "base_learning_rate": self.base_learning_rate,
            "edge_of_stability": self.factor / self.learning_rate if self.learning_rate else float("inf"),
            "edge_ratio": value * self.learning_rate / self.factor,
        }


def stability_of(optimizer: Optimizer, model: nn.Module) -> Stability | None:
    """The edge of stability of SGD, Adam or AdamW, or of an optimizer that wraps one of them as its `base`.

    A sharpness-aware optimizer does. The edge is that of the base itself; SAM's own lies below (Long and Bartlett,
    JMLR 2024).

    Args:
        optimizer: of the model's parameters; it is only read.
        model: gives them their names.

    Returns:
        The edge; None for another optimizer, and where groups of parameters differ in what the edge depends on.

    >>> model = nn.Linear(2, 1)
    >>> stability = stability_of(torch.optim.SGD(model.parameters(), lr=0.25), model)
    >>> stability.details(value=2.0)["edge_of_stability"], stability.details(value=2.0)["edge_ratio"]
    (8.0, 0.25)
    """
    wrapped = getattr(optimizer, "base", None)
    base = wrapped if isinstance(wrapped, Optimizer) else optimizer
    is_adam = isinstance(base, torch.optim.Adam | torch.optim.AdamW)
    if not (is_adam or isinstance(base, torch.optim.SGD)):
        return None
    first, *others = base.param_groups
    keys = ("lr", "betas") if is_adam else ("lr", "momentum", "dampening", "nesterov")
    if any(group[key] != first[key] for group in others for key in keys):
        return None
    return Stability(
        learning_rate=float(first["lr"]),
        base_learning_rate=float(base.defaults["lr"]),
        factor=_factor(first["betas"][0], 1.0 - first["betas"][0]) if is_adam else _factor_of_sgd(first),
        preconditioner=_preconditioner(base, model) if is_adam else None,
        radius=_radius(optimizer, first, wrapped is not None),
    )


def _radius(optimizer: Optimizer, group: Mapping[str, Any], is_wrapped: bool) -> float | None:
    """ρ of plain SAM over gradient descent without momentum, 0 of SGD and Adam themselves, None of other rules."""
    if not is_wrapped:
        return 0.0
    variant, radius = getattr(optimizer, "variant", None), getattr(optimizer, "rho", None)
    if not isinstance(radius, int | float):
        return None
    if radius == 0.0:
        return 0.0
    plain = type(variant).__name__ == "SAM" and getattr(variant, "norm", 2.0) == 2.0
    one_step = getattr(variant, "ascent_steps", 1) == 1
    ascent = getattr(optimizer, "ascent", None)
    whole = getattr(ascent, "m", None) is None and not getattr(ascent, "is_cheaper", False)
    climbs_loss = not (getattr(ascent, "ascent_weight_decay", False) and group["weight_decay"])
    is_descent = "betas" not in group and not group["momentum"] and not group["maximize"]
    return float(radius) if plain and one_step and whole and climbs_loss and is_descent else None


def _factor(beta: float, share: float) -> float:
    """The factor of heavy-ball momentum β to which a gradient adds the given share of itself."""
    return (2.0 + 2.0 * beta) / share


def _factor_of_sgd(group: Mapping[str, Any]) -> float:
    beta = float(group["momentum"])
    if group["nesterov"]:
        return (2.0 + 2.0 * beta) / (1.0 + 2.0 * beta)
    return _factor(beta, 1.0 - group["dampening"] if beta else 1.0)


def _preconditioner(adam: Optimizer, model: nn.Module) -> dict[str, Tensor]:
    names = {parameter: name for name, parameter in model.named_parameters()}
    found = {}
    for group in adam.param_groups:
        (beta1, beta2), eps = group["betas"], group["eps"]
        for parameter in group["params"]:
            state = adam.state.get(parameter)
            if state and parameter in names:
                steps = float(state["step"])
                square = state["max_exp_avg_sq"] if group["amsgrad"] else state["exp_avg_sq"]
                root = (square / (1.0 - beta2**steps)).sqrt() + eps
                found[names[parameter]] = (1.0 - beta1**steps) * root
    return found
