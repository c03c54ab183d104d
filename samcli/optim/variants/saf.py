"""SAF: sharpness-aware training for free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.optim.variants._trajectory import check_logits, gradient_with_trajectory
from samcli.registry import option


@VARIANTS.register("saf")
@dataclass(frozen=True, kw_only=True)
class SAF(Variant):
    """One pass: hold each example's outputs near those that it had some epochs ago.

    ::

        w ← base(w, ∇[L(w) + ρ T² mean_i KL(softmax(z_i^past / T) ‖ softmax(z_i / T))])

    with the logits z_i of example i at w, and z_i^past of the same example Ẽ visits ago; an example that was not
    visited so often adds nothing. The weight of the trajectory loss, λ in the paper, is called ρ here, as what makes
    any variant the base optimizer when it is 0. Du, Zhou, Feng, Tan, Zhou, "Sharpness-Aware Training for Free", NeurIPS
    2022; the rule as in the authors' code.

    Cost: one forward and backward pass, and the softmax. State: the last Ẽ logits of every example, N × Ẽ × C numbers
    for N examples and C classes, in a language model as many for each token; on the device of the outputs. Needs a
    `Batch` with `indices`; the host reads the largest of them, which costs nothing where they are on the CPU. Logits
    that are not finite are not kept. A visit is an epoch as long as every epoch visits every example once.

    Defaults of the authors' script for ImageNet (ResNet-50): λ = 0.3, T = 5, Ẽ = 2, and a start epoch of 5, which in
    their code is the last one without the loss, counted from 0; none are known for CIFAR. Logits are collected from
    `start_epoch` on, so `start_epoch: 4` is that.

    >>> from math import log
    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((log(9), 0.0))  # softmax (0.9, 0.1); after the first step at 0, softmax (0.5, 0.5)
    >>> bowl.after("saf", rho=1.0, temperature=1.0, epochs_ago=1, steps=2)  # back by the difference
    tensor([ 0.4000, -0.4000])
    """

    passes: ClassVar[str] = "1"
    memory: ClassVar[str] = "Ẽ logits/example"
    paper: ClassVar[str] = "Du et al., NeurIPS"
    year: ClassVar[int] = 2022

    rho: float = option(0.3, "weight of the trajectory loss, λ in the paper; 0 is the base optimizer", minimum=0.0)
    temperature: float = option(5.0, "T, which flattens the softmax", above=0.0)
    epochs_ago: int = option(2, "Ẽ, how old the outputs are that present ones are held near", minimum=1)

    def gradient(self, step: Step) -> list[Tensor]:
        batch, state = step.batch, step.state
        if batch.indices is None:
            raise ValueError("saf remembers the outputs of each example: give the Batch the examples' indices.")
        size = batch.population or int(batch.indices.max()) + 1
        where = batch.indices.to(step.device)
        if "logits" in state:
            self._fit(state, size, step.device)
            slots = state["visits"][where] % self.epochs_ago  # what is oldest is read, and then written over
            known = state["visits"][where] >= self.epochs_ago
            gradient = gradient_with_trajectory(step, state["logits"][where, slots], known, step.rho, self.temperature)
        else:
            gradient = step.evaluate()
        logits = batch.output
        assert logits is not None
        check_logits("saf", logits)
        if not step.finite:
            return gradient
        if "logits" not in state:
            state["logits"] = logits.new_zeros(size, self.epochs_ago, *logits.shape[1:])
            state["visits"] = torch.zeros(size, dtype=torch.int64, device=logits.device)
            slots = state["visits"][where]
        sound = torch.isfinite(logits).flatten(1).all(1)
        kept = state["logits"]
        writes = sound.view(-1, *[1] * (logits.dim() - 1))
        kept[where, slots] = torch.where(writes, logits.to(kept.dtype), kept[where, slots])
        state["visits"][where] += sound
        return gradient

    def _fit(self, state: dict[str, Tensor], size: int, device: torch.device) -> None:
        """Make room for more examples, on the right device after loading a checkpoint."""
        for name in ("logits", "visits"):
            kept = state[name].to(device)
            missing = max(size - len(kept), 0)
            state[name] = torch.cat([kept, kept.new_zeros(missing, *kept.shape[1:])]) if missing else kept
