"""One step of the gradient's sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._attack import BALL_RADII, BOX_RADII, EPS, Attack, Counts, Region, one_step
from samcli.robustness.subject import Subject


@PERTURBATIONS.register("fgsm")
@dataclass(frozen=True, kw_only=True)
class FastGradientSign(Attack):
    """Accuracy at x + ε sign(∇L), one step to a corner of the box ‖δ‖∞ ≤ ε, clamped to the range of pixels.

    I. Goodfellow, J. Shlens, C. Szegedy, "Explaining and Harnessing Adversarial Examples" (ICLR 2015). Weak against
    large ε, where the loss is far from linear; `pgd` takes more steps.
    """

    USUAL: ClassVar[tuple[float, ...]] = BOX_RADII

    eps: float = option(8 / 255, EPS, minimum=0.0)

    def survivors(
        self, subject: Subject, region: Region, targets: Tensor, numbers: Sequence[int], counts: Counts
    ) -> Tensor:
        return one_step(subject, region, targets, counts)


@PERTURBATIONS.register("fgsm-l2")
@dataclass(frozen=True, kw_only=True)
class FastGradient(FastGradientSign):
    """Accuracy at x + ε ∇L/‖∇L‖₂, one step to the border of the ball ‖δ‖₂ ≤ ε, clamped to the range of pixels."""

    USUAL: ClassVar[tuple[float, ...]] = BALL_RADII
    norm: ClassVar[float] = 2.0

    eps: float = option(128 / 255, EPS, minimum=0.0)
