"""Projected gradient ascent that chooses its steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.apgd import ENOUGH_RISES, MOMENTUM, checkpoints
from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.outcome import Outcome
from samcli.robustness.perturbations._attack import (
    BALL_RADII,
    BOX_RADII,
    EPS,
    Attack,
    Counts,
    Region,
    after_one_step_too,
    gradient_at,
)
from samcli.robustness.subject import Subject
from samcli.streams import stream_seed


@PERTURBATIONS.register("apgd")
@dataclass(frozen=True, kw_only=True)
class AutoProjectedGradient(Attack):
    """Accuracy where an image is right at every point of APGD's ascent in the box ‖δ‖∞ ≤ ε.

    F. Croce, M. Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free
    Attacks" (ICML 2020, algorithm 1): the step begins at 2 ε, has momentum, and is halved where it gains too rarely,
    each image for itself; the ascent then goes on from the best point. `samcli.apgd` has the schedule that the
    worst-case measures of sharpness climb by as well. Images that are left are put to `fgsm`'s step too.
    """

    USUAL: ClassVar[tuple[float, ...]] = BOX_RADII

    eps: float = option(8 / 255, EPS, minimum=0.0)
    steps: int = option(20, "steps from each start", minimum=1)
    restarts: int = option(1, "random starts in each ball", minimum=1)
    loss: str = option(
        "cross-entropy",
        "what is climbed: the network's loss, or dlr, the difference of logits ratio, which hides no gradient",
        choices=("cross-entropy", "dlr"),
    )

    def of(self, subject: Subject) -> Outcome:
        if self.loss == "dlr" and (subject.need_classes() < 3 or subject.batches[0][1].dim() > 1):
            raise NotApplicable("dlr needs three logits")
        return super().of(subject)

    def settings(self) -> dict[str, Any]:
        return {"steps": self.steps, "restarts": self.restarts, "climbed": self.loss}

    def survivors(
        self, subject: Subject, region: Region, targets: Tensor, numbers: Sequence[int], counts: Counts
    ) -> Tensor:
        right = torch.ones(len(region), dtype=torch.bool, device=region.x.device)
        for restart in range(self.restarts):
            alive = right.nonzero().flatten()
            if not len(alive):
                break
            seed = stream_seed(subject.seed, f"restart {restart}")
            start = region[alive].random(seed, [numbers[i] for i in alive.tolist()])
            right = right.clone()
            right[alive] = self._climb(subject, region[alive], targets[alive], start, counts)
        return after_one_step_too(subject, region, targets, right, counts)

    def _climb(self, subject: Subject, region: Region, targets: Tensor, start: Tensor, counts: Counts) -> Tensor:
        """About which images the network is right at all points of one ascent."""

        def at(delta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            return gradient_at(subject, region.inputs(delta), targets, counts, self.loss)

        right, value, gradient = at(start)
        here, previous = start, start
        best, best_value, best_gradient = start, value, gradient
        step = torch.full_like(value, 2.0 * self.eps)
        rises, was_cut = torch.zeros_like(value), torch.zeros_like(right)
        mark_value, last_mark, marks = value, 0, checkpoints(self.steps)
        for k in range(1, self.steps + 1):
            goal = region.projected(here + region.steepest(gradient, _wide(step)))
            if k > 1:
                goal = region.projected(here + MOMENTUM * (goal - here) + (1.0 - MOMENTUM) * (here - previous))
            still, reached, slope = at(goal)
            right, rises = right & still, rises + (reached > value)
            previous, here, value, gradient = here, goal, reached, slope
            better = value > best_value
            best = torch.where(_wide(better), here, best)
            best_gradient = torch.where(_wide(better), gradient, best_gradient)
            best_value = torch.where(better, value, best_value)
            if k in marks:
                cut = (rises < ENOUGH_RISES * (k - last_mark)) | (~was_cut & (best_value == mark_value))
                step = torch.where(cut, step / 2, step)
                here, previous = torch.where(_wide(cut), best, here), torch.where(_wide(cut), best, previous)
                gradient, value = torch.where(_wide(cut), best_gradient, gradient), torch.where(cut, best_value, value)
                last_mark, mark_value, was_cut, rises = k, best_value, cut, torch.zeros_like(rises)
        return right


def _wide(of_images: Tensor) -> Tensor:
    return of_images[:, None, None, None]


@PERTURBATIONS.register("apgd-l2")
@dataclass(frozen=True, kw_only=True)
class AutoProjectedGradientBall(AutoProjectedGradient):
    """`apgd` in the ball ‖δ‖₂ ≤ ε."""

    USUAL: ClassVar[tuple[float, ...]] = BALL_RADII
    norm: ClassVar[float] = 2.0

    eps: float = option(128 / 255, EPS, minimum=0.0)
