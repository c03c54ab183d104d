"""bSAM: SAM as an optimal relaxation of Bayes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim.means import ByParameter, Descent, StepMeans
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option
from samcli.weights.geometry import global_norm


@VARIANTS.register("bsam")
@dataclass(frozen=True, kw_only=True)
class BSAM(Variant):
    """Learn a Gaussian over the weights; an optimizer of its own, with the learning rate of plain SGD.

    ::

        n ~ N(0, 1/(N s)),   g = ∇L(w + n)            (a random draw from the Gaussian)
        ε = ρ g / s,   g' = ∇L(w + ε)                 (without n)
        m ← β₁ m + (1 - β₁)(g' + (δ/N) w)
        w ← w - lr m / s
        s ← β₂ s + (1 - β₂)(√s |g| + damping + δ/N)

    element by element: N s is the precision of the Gaussian, N the number of training examples, δ the precision of the
    prior, which stands for weight decay. Möllenhoff, Khan, "SAM as an Optimal Relaxation of Bayes", ICLR 2023; the rule
    as in the authors' code. The noise has the standard deviation 1/√(N s), and is gone before the step; another package
    takes 1/(N s) and leaves it in the weights. ρ is not a norm: ε has no fixed length.

    The base optimizer does nothing but multiply by the learning rate: it must be SGD without momentum and without
    weight decay, both of which the rule has itself. ρ = 0 is that base optimizer, as for every variant here, not the
    paper's limit, which would keep noise and scaling.

    Cost: two forward and backward passes. State: m and s, two copies of the weights. The loss of a step is that at
    w + n, and so are BatchNorm's running statistics. Defaults of the authors for CIFAR-10 (ResNet-18): ρ = 0.01,
    β₁ = 0.9, β₂ = 0.999, δ = 40, damping 0.1, s = 1 at first, N = 4 · 50,000 (they multiply by 4 for the augmentation),
    lr = 0.5. They draw and climb for each of 8 parts of a batch and average g' and |g| over them: m = |B|/8 here.
    Without m it is one draw for the batch.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0))
    >>> bowl.after("bsam", rho=0.5, s_init=2.0, beta1=0.0, examples=10**12)  # w - (1 + ρ/s) w / s, hardly any noise
    tensor([1.1250, 1.5000])
    """

    memory: ClassVar[str] = "4"
    paper: ClassVar[str] = "Möllenhoff, Khan, ICLR"
    year: ClassVar[int] = 2023
    parts_apart: ClassVar[bool] = True
    begins_at_weights: ClassVar[bool] = False
    climbs_first: ClassVar[bool] = True
    base_defaults: ClassVar[Mapping[str, Any]] = {"momentum": 0.0, "weight_decay": 0.0}

    rho: float = option(0.01, "ρ, the size of the perturbation ρ g/s; 0 is the base optimizer", minimum=0.0)
    examples: int = option(200000, "N, training examples, times a factor for their augmentation", minimum=1)
    beta1: float = option(0.9, "β₁, decay of the momentum", minimum=0.0, below=1.0)
    beta2: float = option(0.999, "β₂, decay of the precision", minimum=0.0, below=1.0)
    prior_precision: float = option(40.0, "δ, the precision of the prior; δ/N is the weight decay", minimum=0.0)
    damping: float = option(0.1, "added to the precision so that it stays away from zero", minimum=0.0)
    s_init: float = option(1.0, "s at first", above=0.0)

    def gradient(self, step: Step) -> list[Tensor]:
        everywhere = self._precision(step, step.candidates)
        generator = step.generator()
        noise = [torch.empty_like(s).normal_(generator=generator).div_((self.examples * s).sqrt_()) for s in everywhere]
        step.evaluate(noise)
        if not step.parameters or not step.finite:
            return step.gradient
        step.extras["magnitude"] = list(torch._foreach_abs(step.gradient))
        quotient = torch._foreach_div(step.gradient, self._precision(step, step.parameters))
        return step.gradient_at(list(torch._foreach_mul(quotient, step.rho)))

    def update(self, step: Step, means: StepMeans, descend: Descent) -> None:
        parameters = list(means.extras["magnitude"])
        perturbed, magnitudes = [means.gradient[p] for p in parameters], list(means.extras["magnitude"].values())
        momentum, precision = step.memory("momentum", parameters), self._precision(step, parameters)
        decay = self.prior_precision / self.examples
        torch._foreach_add_(perturbed, parameters, alpha=decay)
        sound = torch.isfinite(global_norm([*perturbed, *magnitudes]))
        # where a gradient is not finite, m and s stay, and the update is such that the base skips its step
        goals = [torch.where(sound, g, m) for g, m in zip(perturbed, momentum, strict=True)]
        torch._foreach_lerp_(momentum, goals, 1.0 - self.beta1)
        update = [torch.where(sound, m / s, g) for m, s, g in zip(momentum, precision, perturbed, strict=True)]
        goals = [
            torch.where(sound, s.sqrt() * g + (self.damping + decay), s)
            for g, s in zip(magnitudes, precision, strict=True)
        ]
        torch._foreach_lerp_(precision, goals, 1.0 - self.beta2)
        descend(ByParameter(zip(parameters, update, strict=True)))

    def objection(self, base: Optimizer, model: nn.Module | None, *, m: int | None, scaled: bool) -> str:
        def plain(group: dict[str, Any]) -> bool:
            return not (group["momentum"] or group["weight_decay"] or group["maximize"])

        if isinstance(base, torch.optim.SGD) and all(map(plain, base.param_groups)):
            return ""
        return "bsam has its own momentum and weight decay: give it base: sgd, with momentum: 0 and weight_decay: 0."

    def _precision(self, step: Step, parameters: list[Tensor]) -> list[Tensor]:
        """The s of these parameters."""
        kept: dict[int, Tensor] = step.state.setdefault("precision", {})
        by_parameter = {}
        for position, p in enumerate(step.candidates):
            if position not in kept:
                kept[position] = torch.full_like(p, self.s_init, requires_grad=False)
            elif kept[position].device != p.device:  # loaded from a checkpoint
                kept[position] = kept[position].to(p.device)
            by_parameter[p] = kept[position]
        return [by_parameter[p] for p in parameters]
