"""MSAM: momentum in place of the ascent gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option
from samcli.weights.geometry import global_norm
from samcli.weights.perturb import Epsilon


@VARIANTS.register("msam")
@dataclass(frozen=True, kw_only=True)
class MSAM(Variant):
    """One pass, at the point to which the momentum would carry the weights.

    ::

        ε = -ρ v / ‖v‖₂
        w ← base(w, ∇L(w + ε))

    with the base optimizer's momentum v before the step: the momentum buffer of SGD, the first moment of Adam and
    AdamW. While v is zero, ε is zero. Becker, Altrock, Risse, "Momentum-SAM: Sharpness Aware Minimization without
    Computational Overhead", NeurIPS 2025.

    Cost: one forward and backward pass. State: none but the base optimizer's, which needs momentum. Between steps the
    weights are unperturbed: what is evaluated and saved is w. The loss that a step returns, and the running statistics
    of BatchNorm, are those at w + ε.

    Defaults of the paper: ρ = 3 for CIFAR with SGD, where SAM has 0.2 to 0.3, and 1 to 3 with AdamW, with ρ = 0 while
    the learning rate warms up (`start_epoch`). The authors' SGD code keeps the weights perturbed between steps, so that
    a schedule of ρ moves them, and adds the weight decay of w + ε; here it is that of w, as in their AdamW code.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0))  # at 0 after the first step, with v = w
    >>> bowl.after("msam", rho=0.5, momentum=0.5, steps=2)  # -(0.5 v + ε), with ε = -0.5 v / ‖v‖
    tensor([-1.2000, -1.6000])
    """

    passes: ClassVar[str] = "1"
    memory: ClassVar[str] = "1"
    paper: ClassVar[str] = "Becker et al., NeurIPS"
    year: ClassVar[int] = 2025
    parts_apart: ClassVar[bool] = True
    begins_at_weights: ClassVar[bool] = False
    repeats: ClassVar[bool] = True

    rho: float = option(3.0, "radius ρ; far above SAM's, and 0 is the base optimizer", minimum=0.0)

    def gradient(self, step: Step) -> list[Tensor]:
        momenta = step.base_memory("momentum_buffer", "exp_avg")
        held = [v for v in momenta if v is not None]
        if not held:
            return step.evaluate()
        length = global_norm(held)
        offsets = iter(torch._foreach_mul(held, torch.where(length > 0, -step.rho / length, 0.0)))
        epsilon: list[Epsilon] = [None if v is None else next(offsets) for v in momenta]
        del held, offsets
        return step.evaluate(epsilon)

    def objection(self, base: Optimizer, model: nn.Module | None, *, m: int | None, scaled: bool) -> str:
        if any(group.get("momentum", 0.0) == 0.0 and "betas" not in group for group in base.param_groups):
            return (
                "msam perturbs along the momentum of its base optimizer, which has none: "
                "give SGD a momentum above 0, or use Adam or AdamW."
            )
        return ""
