"""The mask on the perturbation that the two rules of sparse sharpness-aware minimisation share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import TwoPass
from samcli.registry import option
from samcli.weights.geometry import global_norm
from samcli.weights.perturb import Epsilon, Sparse, in_memory_order


@dataclass(frozen=True, kw_only=True)
class SparseSAM(TwoPass):
    """SAM with a mask on ε that is kept for k steps; the two rules differ in how they choose it.

    Attributes of the state: `index`, for each parameter the positions of its perturbed elements in memory; `chosen`,
    the step that chose them.
    """

    memory: ClassVar[str] = "3 (1 - s)"
    paper: ClassVar[str] = "Mi et al., NeurIPS"
    year: ClassVar[int] = 2022
    waits: ClassVar[bool] = True

    rho: float = option(0.1, "radius ρ before the mask; 0 is the base optimizer", minimum=0.0)
    sparsity: float = option(0.5, "s, share of the weights that are not perturbed", minimum=0.0, below=1.0)
    k: int = option(100, "steps for which a choice of weights is kept", minimum=1)

    @abstractmethod
    def choose(self, step: Step, gradient: list[Tensor], perturbed: Tensor | None) -> Tensor:
        """The mask of the weights to perturb, (D,) bool over all parameters.

        Args:
            step: the current one.
            gradient: the one that is climbed.
            perturbed: (D,) bool, those perturbed so far; None at first.
        """

    def ascend(self, step: Step) -> list[Epsilon]:
        gradient = step.ascent_gradient
        places = [step.position[p] for p in step.parameters]
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
            epsilon.append(Sparse(index, in_memory_order(g, p)[index] * factor))
        return epsilon

    def count(self, total: int) -> int:
        """The number of perturbed weights among this many, at least one."""
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


def largest(scores: Tensor, count: int) -> Tensor:
    """A mask of the largest scores; of equal ones, such as zeros of dead units, the first: the same on any device."""
    if count == 0:
        return torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    scores = scores.nan_to_num()  # a step that is about to be skipped must not empty the mask
    least = scores.topk(count).values[-1]
    above, equal = scores > least, scores == least
    return above | (equal & (equal.cumsum(0) <= count - above.sum()))


def concatenated(tensors: Sequence[Tensor], parameters: Sequence[Tensor]) -> Tensor:
    """All tensors as one vector, (D,), each in the order of its parameter's memory."""
    return torch.cat([in_memory_order(tensor, p) for tensor, p in zip(tensors, parameters, strict=True)])
