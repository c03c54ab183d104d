"""SSAM-F: sparse sharpness-aware minimisation, masked by the Fisher information."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS
from samcli.optim.variants._sparse_sam import SparseSAM, concatenated, largest
from samcli.registry import option
from samcli.weights.guard import evaluating
from samcli.weights.perturb import Epsilon


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

    >>> from samcli.optim.example import Bowl
    >>> Bowl((3.0, 4.0)).after("sparse-sam-f", rho=0.5, sparsity=0.5)  # SAM's step where F = w² is largest
    tensor([ 0.0000, -0.4000])
    """

    passes: ClassVar[str] = "2 + n/(k B)"

    samples: int = option(16, "n, examples that the Fisher information is measured on", minimum=1)

    def passes_per_step(self, batch_size: int) -> float:
        return 2.0 + min(self.samples, batch_size) / (self.k * batch_size)

    def choose(self, step: Step, gradient: list[Tensor], perturbed: Tensor | None) -> Tensor:
        batch = step.batch
        fisher = [torch.zeros_like(p) for p in step.parameters]
        nowhere: list[Epsilon] = [None] * len(fisher)
        with evaluating(batch.model):
            for example in range(min(self.samples, len(batch))):
                single = step.gradient_at(list(nowhere), batch.select(slice(example, example + 1)))
                torch._foreach_addcmul_(fisher, single, single)
        scores = concatenated(fisher, step.parameters)
        return largest(scores, self.count(len(scores)))
