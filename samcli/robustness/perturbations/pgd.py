"""Projected gradient ascent with steps of one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._attack import (
    BALL_RADII,
    BOX_RADII,
    EPS,
    Attack,
    Counts,
    Region,
    after_one_step_too,
    gradient_at,
    right_at,
)
from samcli.robustness.subject import Subject
from samcli.streams import stream_seed

RANGE = 2.5  # the length of all steps together, in radii: any point of the ball can be reached from any other


@PERTURBATIONS.register("pgd")
@dataclass(frozen=True, kw_only=True)
class ProjectedGradient(Attack):
    """Accuracy where an image is right at all points of k steps of 2.5 ε/k along the gradient's sign.

    A. Madry, A. Makelov, L. Schmidt, D. Tsipras, A. Vladu, "Towards Deep Learning Models Resistant to Adversarial
    Attacks" (ICLR 2018): PGD-k in the box ‖δ‖∞ ≤ ε from random points of it, clamped to the range of pixels. An image
    that is wrong somewhere is not looked at any further, which saves passes and changes no value; those left are put to
    `fgsm`'s step too, so that no value is above that of `fgsm`.
    """

    USUAL: ClassVar[tuple[float, ...]] = BOX_RADII

    eps: float = option(8 / 255, EPS, minimum=0.0)
    steps: int = option(10, "steps k from each start", minimum=1)
    restarts: int = option(1, "random starts in each ball", minimum=1)

    def settings(self) -> dict[str, Any]:
        return {"steps": self.steps, "restarts": self.restarts}

    def survivors(
        self, subject: Subject, region: Region, targets: Tensor, numbers: Sequence[int], counts: Counts
    ) -> Tensor:
        right = torch.ones(len(region), dtype=torch.bool, device=region.x.device)
        for restart in range(self.restarts):
            alive = right.nonzero().flatten()
            seed = stream_seed(subject.seed, f"restart {restart}")
            delta = region[alive].random(seed, [numbers[i] for i in alive.tolist()])
            for _ in range(self.steps):
                if not len(alive):
                    break
                here = region[alive]
                still, _, gradient = gradient_at(subject, here.inputs(delta), targets[alive], counts)
                delta = here.projected(delta + here.steepest(gradient, RANGE * self.eps / self.steps))
                alive, delta = alive[still], delta[still]
            if len(alive):
                alive = alive[right_at(subject, region[alive], delta, targets[alive], counts)]
            right = torch.zeros_like(right).index_fill_(0, alive, True)
        return after_one_step_too(subject, region, targets, right, counts)


@PERTURBATIONS.register("pgd-l2")
@dataclass(frozen=True, kw_only=True)
class ProjectedGradientBall(ProjectedGradient):
    """`pgd` in the ball ‖δ‖₂ ≤ ε, with steps along the gradient."""

    USUAL: ClassVar[tuple[float, ...]] = BALL_RADII
    norm: ClassVar[float] = 2.0

    eps: float = option(128 / 255, EPS, minimum=0.0)
