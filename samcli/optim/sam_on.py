"""SAM-ON: SAM of the normalisation layers only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from samcli.optim.geometry import element_scales, steepest_ascent
from samcli.optim.perturb import Epsilon
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option

_NORMALISATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


@VARIANTS.register("sam-on")
@dataclass(frozen=True, kw_only=True)
class SAMON(Variant):
    """SAM that perturbs nothing but the scales and shifts of normalisation layers, and so copies next to nothing.

    ::

        ε = ρ T² g / ‖T g‖₂   over the parameters of normalisation layers,  0 elsewhere
        w ← base(w, ∇L(w + ε))

    with T = 1, or T = |w| + η if `adaptive`. Mueller, Vlaar, Rolnick, Hein, "Normalization Layers Are All That
    Sharpness-Aware Minimization Needs", NeurIPS 2023.

    A normalisation layer is an instance of torch's batch, instance, layer, group or RMS normalisation, or of a class
    whose name contains "Norm". The authors' code looks for "norm" and "bn" in the names of parameters, which misses
    those in a `Sequential`, such as the shortcuts of torchvision's ResNets, and copies all weights all the same.

    Cost: two forward and backward passes. State: none. The radius is larger than SAM's: the authors' example for
    CIFAR-100 (WRN-28-10, AutoAugment) is the adaptive form with ρ = 10, biases scaled too as here. The default of ρ for
    the form that is not adaptive was not checked against the paper.
    """

    memory: ClassVar[str] = "0"
    paper: ClassVar[str] = "Mueller et al., NeurIPS"
    year: ClassVar[int] = 2023

    rho: float = option(0.5, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    norm: float = option(2.0, "p of the ball ‖T⁻¹ε‖_p ≤ ρ: 2, inf, or any number above 1", above=1.0)
    adaptive: bool = option(False, "whether the radius scales with each weight, as in asam-elementwise")
    eta: float = option(0.01, "η, added to |w| if adaptive", minimum=0.0)

    def ascend(self, step: Step) -> list[Epsilon]:
        if step.model is None:
            raise ValueError(
                "This rule perturbs normalisation layers only, by their type: pass model= to the optimizer."
            )
        normal = set(_normalisation_parameters(step.model))
        chosen = [index for index, p in enumerate(step.parameters) if p in normal]
        if not chosen:
            raise ValueError("The model has no normalisation layer with a gradient, and sam-on perturbs nothing else.")
        gradient = step.ascent_gradient
        weights = [step.parameters[index] for index in chosen]
        scales = element_scales(weights, [True] * len(weights), self.eta) if self.adaptive else None
        epsilon: list[Epsilon] = [None] * len(step.parameters)
        moves = steepest_ascent([gradient[index] for index in chosen], step.rho, self.norm, scales)
        for index, move in zip(chosen, moves, strict=True):
            epsilon[index] = move
        return epsilon


def _normalisation_parameters(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        if isinstance(module, _NORMALISATIONS) or "Norm" in type(module).__name__:
            yield from module.parameters(recurse=False)
