"""Promises about the passes of a step: all of them see the same network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from samcli.optim.base import Base
from samcli.optim.promises._trial import Trial, differing
from samcli.optim.variant import Variant

# Steps over which passes are counted, and how far their mean may be from what is said: three in ten is four standard
# deviations of a coin's tosses, and less than a pass too many in every third step.
COUNTED, SLACK = 60, 0.3
# Steps that are looked at: some rules look around in their first step, others not before their second.
SEEN = 6


def statistics_count_once(variant: Variant, base: Base) -> str:
    """BatchNorm's running statistics count each batch once, as at the weights if the first pass is there."""
    trial, plain = Trial(variant, base), Trial(variant, base)
    trial.stand_still()
    trial.train(0, 4)
    for index in range(4):
        plain.batch(index)()
    counted = int(trial.model.norm.num_batches_tracked or 0)
    if counted != 4:
        return f"4 batches were counted as {counted}"
    if not variant.begins_at_weights:
        return ""
    names = differing(trial.model.norm.state_dict(), plain.model.norm.state_dict())
    return names and f"at learning rate 0 other than those of plain passes: {names}"


def draws_as_one_pass(variant: Variant, base: Base) -> str:
    """The global random state moves on by the draws of one pass, so that dropout masks are those of any optimizer."""
    trial, plain = Trial(variant, base), Trial(variant, base)
    for index in range(SEEN):
        trial.train(index, index + 1)
        after = torch.get_rng_state()
        torch.manual_seed(index)
        plain.batch(index)()
        if not torch.equal(after, torch.get_rng_state()):
            return f"step {index + 1} drew from torch's global generator"
    return ""


def passes_share_their_draws(variant: Variant, base: Base) -> str:
    """All passes over a batch have the same dropout masks."""
    trial, masks = Trial(variant, base), list[Tensor]()

    def note(module: nn.Module, inputs: tuple[Tensor, ...], mask: Tensor) -> None:
        del inputs
        if module.training and mask.shape[0] == 16:
            masks.append(mask.clone())

    trial.model.dropout.register_forward_hook(note)
    for index in range(SEEN):
        masks.clear()
        trial.train(index, index + 1)
        differ = [str(number) for number, mask in enumerate(masks, 1) if not torch.equal(mask, masks[0])]
        if differ:
            return f"other masks in pass {', '.join(differ)} of step {index + 1} than in the first"
    return ""


def costs_as_it_says(variant: Variant, base: Base) -> str:
    """Steps make as many passes as `passes_per_step` says, on average over 60 of them, within three in ten."""
    said, trial, evaluated = variant.passes_per_step(16), Trial(variant, base), 0
    if said is None:
        return ""
    for index in range(COUNTED):
        torch.manual_seed(index)
        trial.optimizer.progress = index / COUNTED
        batch = trial.batch(index)
        trial.optimizer.step(batch)
        evaluated += batch.evaluated
    made = evaluated / (16 * COUNTED)
    return "" if abs(made - said) <= SLACK else f"{made:.2f} passes a step, not {said:.2f}"
