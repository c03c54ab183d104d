"""Adversarial inputs: the region that an attack may search, and what every attack counts as right.

Radii are in pixel units: the images are from 0 to 1 before they are normalised, and stay there.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.losses import example_losses
from samcli.registry import option
from samcli.robustness.base import Perturbation
from samcli.robustness.outcome import Outcome, share_of
from samcli.robustness.subject import Subject
from samcli.streams import stream_seed

EPS = "radius ε of the ball, on pixels from 0 to 1"
BOX_RADII = (1 / 255, 2 / 255, 4 / 255, 8 / 255)
BALL_RADII = (16 / 255, 32 / 255, 64 / 255, 128 / 255)


@dataclass(frozen=True, eq=False)
class Region:
    """The images that an attack may reach: δ around each, within a ball of radius ε and within the range of pixels.

    δ is in pixel units; the network gets x + δ/std, which is x itself, bit for bit, where δ is zero.

    Attributes:
        x: (B, C, H, W) as the network gets them.
        low, high: the δ that lead to pixels of 0 and of 1.
        std: of each channel, (C, 1, 1).
        eps: the radius.
        norm: that of the ball of each image: 2, or infinity.
    """

    x: Tensor
    low: Tensor
    high: Tensor
    std: Tensor
    eps: float
    norm: float

    @staticmethod
    def of(subject: Subject, x: Tensor, eps: float, norm: float) -> Region:
        """The region around normalised images."""
        pixels = subject.pixels.from_inputs(x)
        return Region(x, (-pixels).clamp(max=0.0), (1.0 - pixels).clamp(min=0.0), subject.pixels.std, eps, norm)

    def __getitem__(self, chosen: Tensor) -> Region:
        return Region(self.x[chosen], self.low[chosen], self.high[chosen], self.std, self.eps, self.norm)

    def __len__(self) -> int:
        return len(self.x)

    def inputs(self, delta: Tensor) -> Tensor:
        """What the network gets."""
        return self.x + delta / self.std

    def projected(self, delta: Tensor) -> Tensor:
        """δ brought into the ball, and then into the range of pixels, which makes no entry larger."""
        if self.norm == math.inf:
            delta = delta.clamp(-self.eps, self.eps)
        else:
            delta = delta * (self.eps / _length(delta).clamp(min=self.eps)) if self.eps else torch.zeros_like(delta)
        return torch.minimum(torch.maximum(delta, self.low), self.high)

    def steepest(self, gradient: Tensor, length: float | Tensor) -> Tensor:
        """The step of a length that gains most to first order, given the gradient in x; zero where that is zero."""
        if self.norm == math.inf:
            return gradient.sign() * length
        along = gradient / self.std
        size = _length(along)
        return torch.where(size > 0, along / size.clamp(min=torch.finfo(size.dtype).tiny), 0.0) * length

    def random(self, seed: int, numbers: Sequence[int]) -> Tensor:
        """A point for each image, uniform in its ball, then clamped; a function of the seed and the image's number."""
        generator, found = torch.Generator(), []
        shape = self.x.shape[1:]
        for number in numbers:
            generator.manual_seed(stream_seed(seed, "start", number))
            if self.norm == math.inf:
                found.append(torch.empty(shape).uniform_(-self.eps, self.eps, generator=generator))
            else:
                point = torch.randn(shape, generator=generator)
                share = torch.rand((), generator=generator) ** (1.0 / point.numel())
                found.append(point * (self.eps * share / point.norm()))
        points = torch.stack(found) if found else torch.zeros((0, *shape))
        return self.projected(points.to(self.x))


def _length(delta: Tensor) -> Tensor:
    """The 2-norm of each image, (B, 1, 1, 1)."""
    length: Tensor = torch.linalg.vector_norm(delta, dim=(1, 2, 3), keepdim=True)
    return length


@dataclass(frozen=True, kw_only=True)
class Attack(Perturbation):
    """The accuracy on images that were changed within a ball so that the network errs.

    An image counts as right where the network is right about it unchanged, and at every point that the attack tried.
    So the value is at least the accuracy under the strongest attack there is, and at most the clean accuracy.
    """

    STRENGTH: ClassVar[str] = "eps"
    norm: ClassVar[float] = math.inf

    eps: float = option(8 / 255, EPS, minimum=0.0)

    def of(self, subject: Subject) -> Outcome:
        subject.need_classes()
        clean = subject.cached("clean", subject.values)
        right, found = clean.clone(), Counts()
        for inputs, targets, place in subject.placed():
            alive = clean[place].nonzero().flatten()
            if len(alive):
                chosen = alive.to(inputs.device)
                region = Region.of(subject, inputs[chosen], self.eps, self.norm)
                numbers = (alive + place.start).tolist()
                right[place.start + alive] = self.survivors(subject, region, targets[chosen], numbers, found).cpu()
        details = {"eps": self.eps, "norm": self.norm, **self.settings(), **found.details(int(clean.sum()))}
        return share_of(right, clean=clean.double().mean().item(), seed=subject.seed, **details)

    def settings(self) -> dict[str, Any]:
        """What else the details tell of how the attack was made."""
        return {}

    @abstractmethod
    def survivors(
        self, subject: Subject, region: Region, targets: Tensor, numbers: Sequence[int], counts: Counts
    ) -> Tensor:
        """About which images of a region the network is right wherever the attack looks, (B,) bool.

        Args:
            subject: the network.
            region: around images about which it is right.
            targets: their classes.
            numbers: of the images among all examples.
            counts: is told what it took.
        """


class Counts:
    """What an attack took, and what makes its result doubtful.

    Attributes:
        forward, backward: passes, of one image each.
        flat: images whose gradient is zero in every entry where it was first taken.
        only_one_step: images that fell to the one-step point, and not to the steps of the attack.
    """

    def __init__(self) -> None:
        self.forward = self.backward = self.flat = self.only_one_step = 0

    def details(self, attacked: int) -> dict[str, Any]:
        """As the details of an outcome."""
        return {"attacked": attacked, "passes": self.forward + self.backward} | {
            key: getattr(self, key) for key in ("flat", "only_one_step")
        }


def gradient_at(
    subject: Subject, inputs: Tensor, targets: Tensor, counts: Counts, loss: str = "cross-entropy"
) -> tuple[Tensor, Tensor, Tensor]:
    """About which images the network is right, the loss of each, and the gradient of their sum in the inputs.

    Entries of the gradient that are not finite are zero: the attack does not move along them.
    """
    inputs = inputs.detach().requires_grad_()
    output = subject.model(inputs)
    each = logit_ratio(output, targets) if loss == "dlr" else example_losses(subject.task.loss, output, targets)
    (gradient,) = torch.autograd.grad(each.sum(), inputs)
    counts.forward += len(inputs)
    counts.backward += len(inputs)
    return subject.hits(output, targets), each.detach(), gradient.nan_to_num(0.0, 0.0, 0.0)


def logit_ratio(output: Tensor, targets: Tensor) -> Tensor:
    """-(z_y - max z_i, i ≠ y)/(z_(1) - z_(3)) of each image: the difference of logits ratio (Croce and Hein, eq. 6).

    z_(1) and z_(3) are the largest and third largest logit. Unlike cross-entropy it has the same gradient however
    large the logits are, so that a network that is very sure of itself does not hide it.

    >>> logit_ratio(torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([0]))
    tensor([-0.6667])
    """
    ordered = output.sort(dim=1).values
    own = output.gather(1, targets[:, None]).squeeze(1)
    other = torch.where(ordered[:, -1] == own, ordered[:, -2], ordered[:, -1])
    return -(own - other) / (ordered[:, -1] - ordered[:, -3] + 1e-12)


@torch.no_grad()
def right_at(subject: Subject, region: Region, delta: Tensor, targets: Tensor, counts: Counts) -> Tensor:
    """About which images the network is right at δ, (B,) bool."""
    counts.forward += len(delta)
    return subject.hits(subject.model(region.inputs(delta)), targets)


def one_step(subject: Subject, region: Region, targets: Tensor, counts: Counts) -> Tensor:
    """About which images the network is right after one step of length ε from each, (B,) bool."""
    _, _, gradient = gradient_at(subject, region.x, targets, counts)
    counts.flat += int((gradient == 0).flatten(1).all(1).sum())
    return right_at(subject, region, region.projected(region.steepest(gradient, region.eps)), targets, counts)


def after_one_step_too(subject: Subject, region: Region, targets: Tensor, right: Tensor, counts: Counts) -> Tensor:
    """Those of the images that are right which one step does not change either: no attack is weaker than that step."""
    left = right.nonzero().flatten()
    if len(left):
        still = one_step(subject, region[left], targets[left], counts)
        counts.only_one_step += int((~still).sum())
        right = right.clone()
        right[left] = still
    return right
