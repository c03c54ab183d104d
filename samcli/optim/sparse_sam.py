"""SSAM: sparse sharpness-aware minimisation, which perturbs a chosen share of the weights."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option
from samcli.weights.geometry import global_norm
from samcli.weights.guard import evaluating
from samcli.weights.perturb import Epsilon, Sparse, in_memory_order


@dataclass(frozen=True, kw_only=True)
class SparseSAM(Variant):
    """What the two rules share: a mask, kept for k steps, that ε passes through.

    Attributes of the state: `index`, for each parameter the positions of its perturbed elements in memory; `chosen`,
    the step that chose them.
    """

    memory: ClassVar[str] = "3 (1 - s)"
    paper: ClassVar[str] = "Mi et al., NeurIPS"
    year: ClassVar[int] = 2022

    rho: float = option(0.1, "radius ρ before the mask; 0 is the base optimizer", minimum=0.0)
    sparsity: float = option(0.5, "s, share of the weights that are not perturbed", minimum=0.0, below=1.0)
    k: int = option(100, "steps for which a choice of weights is kept", minimum=1)

    @abstractmethod
    def choose(self, step: Step, gradient: list[Tensor], perturbed: Tensor | None) -> Tensor:
        """Which weights to perturb: (D,) bool over all parameters.

        Args:
            step: the current one.
            gradient: the one that is climbed.
            perturbed: (D,) bool, those perturbed so far; None at first.
        """

    def ascend(self, step: Step) -> list[Epsilon]:
        gradient = step.ascent_gradient
        position = {p: index for index, p in enumerate(step.candidates)}
        places = [position[p] for p in step.parameters]
        if "index" not in step.state or step.index >= step.state["chosen"] + self.k:
            self._refresh(step, gradient, places)
        kept: dict[int, Tensor] = step.state["index"]
        length = global_norm(gradient)
        factor = torch.where(length > 0, step.rho / length, 0.0)
        epsilon: list[Epsilon] = []
        for p, g, place in zip(step.parameters, gradient, places, strict=True):
            if place not in kept:
                epsilon.append(None)
                continue
            index = kept[place] = kept[place].to(p.device)  # on the host after loading a checkpoint
            epsilon.append(Sparse(index, _flat(g, p)[index] * factor))
        return epsilon

    def count(self, total: int) -> int:
        """How many of so many weights are perturbed, at least one."""
        return max(1, int(total * (1.0 - self.sparsity)))

    def _refresh(self, step: Step, gradient: list[Tensor], places: list[int]) -> None:
        kept: dict[int, Tensor] | None = step.state.get("index")
        sizes = [p.numel() for p in step.parameters]
        perturbed = None
        if kept is not None:
            masks = [torch.zeros(size, dtype=torch.bool, device=step.device) for size in sizes]
            for mask, place in zip(masks, places, strict=True):
                if place in kept:
                    mask[kept[place].to(mask.device)] = True
            perturbed = torch.cat(masks)
        chosen = self.choose(step, gradient, perturbed)
        index = {}
        for place, mask in zip(places, torch.split(chosen, sizes), strict=True):
            positions = mask.nonzero().flatten()
            if len(positions):
                index[place] = positions.to(torch.int32) if len(mask) < 2**31 else positions
        step.state["index"], step.state["chosen"] = index, step.index


@VARIANTS.register("sparse-sam-f")
@dataclass(frozen=True, kw_only=True)
class SparseSAMF(SparseSAM):
    """SAM that perturbs only the weights with the largest Fisher information (SSAM-F).

    ::

        F = Σ_i (∇L_i(w))²            over n single examples i, every k steps
        M = 1 for the share 1 - s of the weights with the largest F, 0 for the others
        ε = M · ρ g / ‖g‖₂            (the norm is that of the whole gradient)
        w ← base(w, ∇L(w + ε))

    Mi, Shen, Ren, Zhou, Sun, Ji, Tao, "Make Sharpness-Aware Minimization Stronger: A Sparsified Perturbation Approach",
    NeurIPS 2022. As in the authors' code ε is shorter than ρ, because it is cut after it was normalised.

    Cost: two forward and backward passes, and those of n single examples every k steps, when the host waits for the
    device. State: the positions of the perturbed weights. Only these are copied: with positions of 4 bytes that is less
    memory than SAM needs from s = 2/3 on. No time is saved. The authors' defaults: s = 0.5, n = 16, a choice every
    epoch (390 steps of 128 examples), ρ = 0.1 for CIFAR-10, 0.2 for CIFAR-100.

    Where we depart from the code: the first steps are perturbed too (there the mask is zero until the first choice);
    the n examples are the first of the current batch, so the optimizer must be called with a `Batch`; their gradients
    are taken in evaluation mode, where one example does not have to serve as BatchNorm's whole batch.
    """

    passes: ClassVar[str] = "2 + n/(k B)"

    samples: int = option(16, "n, examples that the Fisher information is measured on", minimum=1)

    def choose(self, step: Step, gradient: list[Tensor], perturbed: Tensor | None) -> Tensor:
        batch = step.batch
        fisher = [torch.zeros_like(p) for p in step.parameters]
        nowhere: list[Epsilon] = [None] * len(fisher)
        with evaluating(batch.model):
            for example in range(min(self.samples, len(batch))):
                single = step.gradient_at(list(nowhere), batch.select(slice(example, example + 1)))
                torch._foreach_addcmul_(fisher, single, single)
        scores = _concatenated(fisher, step.parameters)
        return _largest(scores, self.count(len(scores)))


@VARIANTS.register("sparse-sam-d")
@dataclass(frozen=True, kw_only=True)
class SparseSAMD(SparseSAM):
    """SAM that perturbs a changing share of the weights: where the gradient is small, others take turns (SSAM-D).

    ::

        M = a random share 1 - s of the weights at first; then, every k steps,
            without the share a_t of M with the smallest |g|, and with as many at random from outside M
        a_t = a (1 + cos(π t/T)) / 2
        ε = M · ρ g / ‖g‖₂            (the norm is that of the whole gradient)
        w ← base(w, ∇L(w + ε))

    with a = `drop` and t/T the finished share of training (0 if nobody said how long it is). Mi, Shen, Ren, Zhou, Sun,
    Ji, Tao, "Make Sharpness-Aware Minimization Stronger: A Sparsified Perturbation Approach", NeurIPS 2022. As in the
    authors' code ε is shorter than ρ, because it is cut after it was normalised.

    Cost: two forward and backward passes; every k steps the host waits for the device. State: the positions of the
    perturbed weights. Only these are copied: with positions of 4 bytes that is less memory than SAM needs from s = 2/3
    on. No time is saved. The authors' defaults: s = 0.5, a = 0.5, a choice every epoch (390 steps of 128 examples),
    ρ = 0.1 for CIFAR-10, 0.2 for CIFAR-100; dropping by gradient and growing at random as here. Their code first
    changes the mask within the first step, ours k steps later.
    """

    drop: float = option(0.5, "a, share of the mask that is renewed at first", minimum=0.0, maximum=1.0)

    def choose(self, step: Step, gradient: list[Tensor], perturbed: Tensor | None) -> Tensor:
        random = _concatenated(step.noise(), step.parameters)
        if perturbed is None:
            return _largest(random, self.count(len(random)))
        share = self.drop * (1.0 + math.cos(math.pi * (step.progress or 0.0))) / 2.0
        size = int(perturbed.sum())
        dropped = min(int(size * share), len(random) - size)
        slope = _concatenated(gradient, step.parameters).abs()
        stay = _largest(slope.masked_fill(~perturbed, -1.0), size - dropped)
        come = _largest(random.masked_fill(perturbed, -math.inf), dropped)
        return stay | come


def _largest(scores: Tensor, count: int) -> Tensor:
    """Where the largest scores are; of equal ones, such as zeros of dead units, the first: the same on any device."""
    if count == 0:
        return torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    scores = scores.nan_to_num()  # a step that is about to be skipped must not empty the mask
    least = scores.topk(count).values[-1]
    above, equal = scores > least, scores == least
    return above | (equal & (equal.cumsum(0) <= count - above.sum()))


def _flat(tensor: Tensor, parameter: Tensor) -> Tensor:
    """The tensor as a vector in the order of the parameter's memory."""
    if tensor.stride() != parameter.stride():
        tensor = torch.empty_like(parameter).copy_(tensor)
    return in_memory_order(tensor)


def _concatenated(tensors: Sequence[Tensor], parameters: Sequence[Tensor]) -> Tensor:
    return torch.cat([_flat(tensor, p) for tensor, p in zip(tensors, parameters, strict=True)])
