"""SAM-ON: SAM of the normalisation layers only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.optim import Optimizer

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import element_scales, steepest_ascent
from samcli.weights.perturb import Epsilon

_NORMALISATIONS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)


@VARIANTS.register("sam-on")
@dataclass(frozen=True, kw_only=True)
class SAMON(TwoPass):
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
    CIFAR-100 (WRN-28-10, AutoAugment) is the adaptive form with ρ = 10, biases scaled too as here. ρ = 0.5 is the
    default of their code for both forms; its script has η = 0, its class 0.01.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((1.0,))
    >>> bowl.norm = nn.LayerNorm(1, bias=False)  # its weight is 1 too
    >>> bowl.after("sam-on", rho=0.5)  # the whole radius is that layer's
    tensor([ 0.0000, -0.5000])
    """

    memory: ClassVar[str] = "0"
    paper: ClassVar[str] = "Mueller et al., NeurIPS"
    year: ClassVar[int] = 2023
    parts_apart: ClassVar[bool] = True
    repeats: ClassVar[bool] = True

    rho: float = option(0.5, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    norm: float = option(2.0, "p of the ball ‖T⁻¹ε‖_p ≤ ρ: 2, inf, or any number above 1", above=1.0, infinite=True)
    adaptive: bool = option(False, "whether the radius scales with each weight, as in asam-elementwise")
    eta: float = option(0.01, "η, added to |w| if adaptive", minimum=0.0)

    def ascend(self, step: Step) -> list[Epsilon]:
        assert step.model is not None
        normal = set(_normalisation_parameters(step.model))
        chosen = [index for index, p in enumerate(step.parameters) if p in normal]
        epsilon: list[Epsilon] = [None] * len(step.parameters)
        if not chosen:
            return epsilon
        gradient = step.ascent_gradient
        weights = [step.parameters[index] for index in chosen]
        scales = element_scales(weights, [True] * len(weights), self.eta) if self.adaptive else None
        moves = steepest_ascent([gradient[index] for index in chosen], step.rho, self.norm, scales)
        for index, move in zip(chosen, moves, strict=True):
            epsilon[index] = move
        return epsilon

    def objection(self, base: Optimizer, model: nn.Module | None, *, m: int | None, scaled: bool) -> str:
        if model is None:
            return (
                "sam-on perturbs normalisation layers only, which it finds by their type: pass model= to the optimizer."
            )
        if not any(p.requires_grad for p in _normalisation_parameters(model)):
            return (
                "The model has no normalisation layer to train, and sam-on perturbs nothing else; take another model."
            )
        return ""


def _normalisation_parameters(model: nn.Module) -> Iterator[Tensor]:
    for module in model.modules():
        if isinstance(module, _NORMALISATIONS) or "Norm" in type(module).__name__:
            yield from module.parameters(recurse=False)
