"""LookSAM: reuse of the direction that SAM adds to the gradient."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import global_norm, rejection, replace_where, steepest_ascent


@VARIANTS.register("looksam")
@dataclass(frozen=True, kw_only=True)
class LookSAM(TwoPass):
    """SAM at every k-th step; between, the gradient plus the part that SAM last added across it.

    ::

        every k-th step:   g_s = ∇L(w + ρ g / ‖g‖₂)
                           g_v = g_s - (⟨g_s, g⟩ / ‖g‖₂²) g
                           w ← base(w, g_s)
        the other steps:   w ← base(w, g + α (‖g‖₂ / ‖g_v‖₂) g_v)

    with g = ∇L(w); norms and inner products are over all parameters together. Liu, Mai, Chen, Hsieh, You, "Towards
    Efficient and Scalable Sharpness-Aware Minimization", CVPR 2022; not checked against the paper, which has no
    official code. The layer-wise form for large batches (Look-LayerSAM) is another rule.

    Cost: 1 + 1/k forward and backward passes. State: g_v. A first gradient that is not finite postpones the k-th step
    to the next one. With micro-batches, g_v is the sum over those of the batch.

    Re-implementations have ρ = 0.1, k = 5 and α = 0.7. On CIFAR-100, Becker et al. (NeurIPS 2025, appendix A.14) tuned
    α = 0.1 at k = 5, which is the default here. Public code often takes norms and products tensor by tensor, and calls
    the closure at every step, so that nothing is saved; ours does neither.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((1.0, 2.0), curvatures=((3.0, 2.0),))  # ρ = 5: g = (3, 4), g_s = (12, 12), g_v along (0.8, -0.6)
    >>> bowl.after("looksam", rho=5.0, lr=0.5)  # w - (12, 12) / 2
    tensor([-5., -4.])
    >>> bowl.after("looksam", rho=5.0, lr=0.5, steps=2, alpha=1.0)  # g = (-15, -8): w - (g + 17 (0.8, -0.6)) / 2
    tensor([-4.3000,  5.1000])
    """

    passes: ClassVar[str] = "1 + 1/k"
    memory: ClassVar[str] = "3"
    paper: ClassVar[str] = "Liu et al., CVPR"
    year: ClassVar[int] = 2022
    reuses_gradient: ClassVar[bool] = True

    rho: float = option(0.1, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    k: int = option(5, "SAM's second pass is run every k-th step", minimum=1)
    alpha: float = option(0.1, "α, length of the reused part relative to the gradient", minimum=0.0)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def gradient(self, step: Step) -> list[Tensor]:
        if self._looks(step.index, step.state):
            return super().gradient(step)
        step.evaluate(whole=True)
        return self._reuse(step) if step.parameters and step.finite else step.gradient

    def descend(self, step: Step) -> list[Tensor]:
        another_part = step.state.get("looked") == step.index
        sharp = step.gradient_at(self.ascend(step))
        across = rejection(sharp, along=step.gradient)
        kept = step.memory("across")
        if another_part:
            torch._foreach_add_(across, kept)
        replace_where(torch.isfinite(global_norm(across)), kept, across)
        step.state["looked"] = step.index
        return sharp

    def _reuse(self, step: Step) -> list[Tensor]:
        across = step.memory("across")
        length = global_norm(across)
        factor = torch.where(length > 0, self.alpha * step.gradient_norm / length, 0.0)
        return list(torch._foreach_add(step.gradient, list(torch._foreach_mul(across, factor))))

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0 + 1.0 / self.k

    def signature(self, index: int, seed: int, state: Mapping[str, Any]) -> Hashable:
        return self._looks(index, state)

    def note_replay(self, index: int, state: dict[str, Any]) -> None:
        if self._looks(index, state):
            state["looked"] = index

    def _looks(self, index: int, state: Mapping[str, Any]) -> bool:
        since = index - state.get("looked", index)  # 0 too in further micro-batches of such a step
        return bool(since == 0 or since >= self.k)
