"""MESA: memory-efficient sharpness-aware training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.optim.variants._trajectory import check_logits, gradient_with_trajectory
from samcli.registry import option
from samcli.weights.guard import evaluating


@VARIANTS.register("mesa")
@dataclass(frozen=True, kw_only=True)
class MESA(Variant):
    """One backward pass: hold the outputs near those of a moving average of the weights.

    ::

        v ← δ v + (1 - δ) w
        w ← base(w, ∇[L(w) + ρ T² mean_i KL(softmax(z_i(v) / T) ‖ softmax(z_i(w) / T))])

    with the logits z_i of example i, and v = w before the first step. The network at v runs in evaluation mode, with
    the same moving average of running statistics. The weight of the trajectory loss, λ in the paper, is called ρ here,
    as what makes any variant the base optimizer when it is 0. Du, Zhou, Feng, Tan, Zhou, "Sharpness-Aware Training for
    Free", NeurIPS 2022; the rule as in the authors' code.

    Cost: a forward and backward pass, and a forward pass. State: v, and an average of the buffers. Needs a `Batch`.
    Defaults of the authors' script for ImageNet (ResNet-50): λ = 0.8, T = 5, δ = 0.9998, and a start epoch of 5, which
    in their code is the last one without the loss, counted from 0. That is `start_epoch: 6`, but the average begins
    there too, theirs at the first step. None are known for CIFAR, and δ suits runs of many thousand steps.

    >>> from math import log
    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((log(81), 0.0))  # at 0 after the first step; v = w/2, whose softmax is (0.9, 0.1)
    >>> bowl.after("mesa", rho=1.0, temperature=1.0, delta=0.5, steps=2)  # softmax of v less that of 0
    tensor([ 0.4000, -0.4000])
    """

    passes: ClassVar[str] = "1 + a forward"
    memory: ClassVar[str] = "1"
    paper: ClassVar[str] = "Du et al., NeurIPS"
    year: ClassVar[int] = 2022

    rho: float = option(0.8, "weight of the trajectory loss, λ in the paper; 0 is the base optimizer", minimum=0.0)
    temperature: float = option(5.0, "T, which flattens the softmax", above=0.0)
    delta: float = option(0.9998, "δ, decay of the average of the weights", minimum=0.0, below=1.0)

    def gradient(self, step: Step) -> list[Tensor]:
        batch = step.batch
        teacher = Averaged(batch.model, self._average(step, batch.model))
        with evaluating(batch.model):
            past = batch.outputs(teacher)
        check_logits("mesa", past)
        known = torch.isfinite(past).flatten(1).all(1)
        return gradient_with_trajectory(step, past, known, step.rho, self.temperature)

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0

    def _average(self, step: Step, model: nn.Module) -> dict[str, Tensor]:
        """The average of the weights and buffers by the model's names, after it took in the present ones."""
        weights = step.memory("average", step.candidates)
        buffers: dict[str, Tensor] = step.state.setdefault("buffers", {})
        seen = step.state.get("averaged")  # the step that last took part; a step's micro-batches do so once
        share = 1.0 if seen is None else 0.0 if seen == step.index else 1.0 - self.delta
        step.state["averaged"] = step.index
        if share > 0.0:
            torch._foreach_lerp_(weights, step.candidates, share)
        for name, buffer in model.named_buffers():
            kept = buffers[name].to(buffer.device) if name in buffers else buffer.clone()
            if share > 0.0:
                kept.lerp_(buffer, share) if kept.is_floating_point() else kept.copy_(buffer)
            buffers[name] = kept
        averages = dict(zip(step.candidates, weights, strict=True))
        return {n: averages[p] for n, p in model.named_parameters() if p in averages} | buffers


class Averaged(nn.Module):
    """A model with other weights and buffers, which are put in its place for each forward pass."""

    def __init__(self, model: nn.Module, tensors: dict[str, Tensor]) -> None:
        super().__init__()
        self._model = (model,)  # no submodule of this one
        self._tensors = tensors

    def forward(self, inputs: Tensor) -> Any:
        return torch.func.functional_call(self._model[0], self._tensors, (inputs,))
