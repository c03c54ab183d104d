"""Losses that do not depend on the scale of the logits."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.errors import NotApplicable
from samcli.losses import Loss
from samcli.sharpness.problem import Problem

SMALLEST = 1e-10  # length of logits that are divided by it, as in the authors' code: equal logits stay equal


def with_normalised_logits(problem: Problem) -> Problem:
    """The same problem with the outputs f of each example replaced by (f - mean f)/‖f - mean f‖ before the loss.

    The mean and the norm are over the last dimension (Andriushchenko et al., ICML 2023). The scale of the logits, which
    changes the loss and its sharpness but no prediction, then does not matter.

    Raises:
        NotApplicable: on evaluation of the loss, where there is one output for each example.

    >>> model = torch.nn.Linear(2, 3)
    >>> problem = Problem(model, torch.nn.functional.cross_entropy, [(torch.eye(2), torch.tensor([0, 1]))], seed=0)
    >>> six_times = [6 * parameter.detach() for parameter in problem.parameters]  # on top: logits seven times as large
    >>> normalised = with_normalised_logits(problem)
    >>> abs(normalised.loss_at(six_times) - normalised.loss_at()) < 1e-6
    True
    """
    return problem.cached("normalised logits", lambda: problem.with_loss(_on_normalised_logits))


def _on_normalised_logits(loss: Loss) -> Loss:
    def normalised_loss(output: Tensor, target: Tensor) -> Tensor:
        if output.shape[-1] < 2:
            raise NotApplicable("One output for each example cannot be normalised; leave normalise_logits out.")
        centred = output - output.mean(-1, keepdim=True)
        return loss(torch.nn.functional.normalize(centred, dim=-1, eps=SMALLEST), target)

    return normalised_loss
