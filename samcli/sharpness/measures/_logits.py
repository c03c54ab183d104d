"""Losses that do not depend on the scale of the logits."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.errors import NotApplicable
from samcli.sharpness.problem import Loss, Problem

SMALLEST = 1e-10  # length of logits that are divided by it, as in the authors' code: equal logits stay equal


def with_normalised_logits(problem: Problem) -> Problem:
    """The same problem with the outputs f of each example replaced by (f - mean f)/‖f - mean f‖ before the loss.

    The mean and the norm are over the last dimension (Andriushchenko et al., ICML 2023). The scale of the logits, which
    changes the loss and its sharpness but no prediction, then does not matter.

    Raises:
        NotApplicable: on evaluation of the loss, where there is one output for each example.
    """
    return problem.cached("normalised logits", lambda: problem.with_loss(_on_normalised_logits))


def _on_normalised_logits(loss: Loss) -> Loss:
    def normalised_loss(output: Tensor, target: Tensor) -> Tensor:
        if output.shape[-1] < 2:
            raise NotApplicable("One output for each example cannot be normalised; leave normalise_logits out.")
        centred = output - output.mean(-1, keepdim=True)
        return loss(torch.nn.functional.normalize(centred, dim=-1, eps=SMALLEST), target)

    return normalised_loss
