"""The loss of SAF and MESA that holds the outputs near those of the past, in the step's one backward pass."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.optim.step import Step


def trajectory_loss(outputs: Tensor, past: Tensor, known: Tensor, temperature: float) -> Tensor:
    """T² KL(softmax(z_past / T) ‖ softmax(z / T)), the mean over a batch, and over the tokens of each example.

    Args:
        outputs: z, logits (B, C), or (B, tokens, C).
        past: z_past, logits likewise.
        known: (B,), whether an example has a past; if not, its divergence counts as zero.
        temperature: T.

    >>> z = torch.tensor([[2.0, 0.0]])
    >>> trajectory_loss(z, z, torch.tensor([True]), temperature=5.0)
    tensor(0.)
    """
    log_p, log_q = (torch.log_softmax(z / temperature, -1) for z in (past, outputs))
    divergence = (log_p.exp() * (log_p - log_q)).sum(-1)
    divergence = divergence if divergence.dim() == 1 else divergence.mean(1)
    return temperature**2 * torch.where(known, divergence, 0.0).mean()


def gradient_with_trajectory(
    step: Step, past: Tensor, known: Tensor, weight: float, temperature: float
) -> list[Tensor]:
    """The gradient of the loss plus weight · `trajectory_loss`, at the weights; `step.loss` is that of the loss alone.

    Args:
        step: the current one, whose closure is a `Batch`.
        past: logits, (B, C) or (B, tokens, C).
        known: (B,).
        weight: of the trajectory loss.
        temperature: T.
    """

    def penalty(outputs: Tensor, part: slice) -> Tensor:
        return weight * trajectory_loss(outputs, past[part], known[part], temperature)

    return step.evaluate(closure=step.batch.penalised(penalty))


def check_logits(name: str, outputs: Tensor) -> None:
    """Refuse outputs that are no logits of classes, (B, C), or for each token of an example, (B, tokens, C).

    Raises:
        ValueError: they are not.
    """
    if outputs.ndim not in (2, 3) or outputs.shape[-1] < 2 or not outputs.is_floating_point():
        raise ValueError(
            f"{name} compares distributions over classes: it needs outputs of the shape (examples, classes), "
            f"not {tuple(outputs.shape)}."
        )
