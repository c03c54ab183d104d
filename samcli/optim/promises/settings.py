"""Promises about settings that all variants have: another precision, parts of a batch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from samcli.optim.ascent import Ascent
from samcli.optim.base import Base
from samcli.optim.promises._trial import Trial, after_steps, differing, unsound
from samcli.optim.variant import Variant


def takes_a_scaled_loss(variant: Variant, base: Base) -> str:
    """A loss scaled by a power of two, as fp16 needs, gives the same bits, unless the rule objects to one."""
    trial, plain = Trial(variant, base), Trial(variant, base)
    if trial.objection(scaled=True):
        return ""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    plain.train(0, 6)
    for index in range(6):
        torch.manual_seed(index)
        trial.optimizer.progress = index / 20
        trial.optimizer.step(trial.batch(index, scale=scaler.scale), scaler)
    if scaler.get_scale() != 1024.0:
        return "the scaler took finite gradients for others"
    names = differing(trial.model.state_dict(), plain.model.state_dict())
    return names and f"different under a scaled loss: {names}"


def takes_micro_batches(variant: Variant, base: Base) -> str:
    """Micro-batches leave the weights finite and move them, unless the rule objects to them."""
    if Trial(variant, base).objection(m=5):
        return ""
    return after_steps(Trial(variant, base, ascent=Ascent(m=5)), 4)


def micro_batches_stand_apart_as_it_says(variant: Variant, base: Base) -> str:
    """The gradient of a micro-batch does not depend on those before it, where the rule says that they are apart."""
    if not variant.declares("parts_apart") or Trial(variant, base).objection(m=8):
        return ""
    found: list[dict[int, list[Tensor]]] = []
    for order in ((0, 1), (1, 0)):
        trial = Trial(variant, base, dropout=0.0, ascent=Ascent(m=8))
        trial.train(0, 3)
        parts = list(trial.batch(3).parts(8))
        found.append({number: trial.optimizer.pass_part(parts[number], number) for number in order})
    pairs = [pair for number in (0, 1) for pair in zip(found[0][number], found[1][number], strict=True)]
    if all(torch.equal(a, b) for a, b in pairs):
        return ""
    return "a micro-batch has another gradient after another one; leave out parts_apart"


def climbs_the_weight_decay(variant: Variant, base: Base) -> str:
    """An ascent gradient that contains the weight decay leaves the weights finite and moves them."""
    return after_steps(Trial(variant, base, ascent=Ascent(ascent_weight_decay=True)), 4)


def climbs_cheaper(variant: Variant, base: Base) -> str:
    """A cheaper ascent, for a rule that climbs first, returns the loss of what it saw, and trains."""
    if not variant.climbs_first:
        return ""
    for ascent, tolerance in ((Ascent(ascent_fraction=0.25), 1e-5), (Ascent(ascent_precision="bf16"), 2e-2)):
        trial = Trial(variant, base, ascent=ascent)
        before = trial.weights()
        for index in range(6):
            torch.manual_seed(index)
            trial.optimizer.progress = index / 20
            batch = trial.batch(index)
            loss = trial.optimizer.step(batch)
            assert batch.output is not None
            seen = nn.functional.cross_entropy(batch.output.float(), batch.output_targets)
            if not torch.isclose(loss, seen, rtol=tolerance, atol=1e-6):
                return f"with {ascent} the loss of a step is {float(loss):.6g}, that of its output {float(seen):.6g}"
        found = unsound(before, trial.weights())
        if found:
            return f"with {ascent} {found}"
    return ""


def takes_pieces_in_bfloat16(variant: Variant, base: Base) -> str:
    """Passes in two pieces and in bfloat16 leave the weights in fp32, finite, and move them."""
    trial = Trial(variant, base)
    found = after_steps(trial, 4, accumulate=2, precision=lambda: torch.autocast("cpu", torch.bfloat16))
    other = [name for name, p in trial.model.named_parameters() if p.dtype != torch.float32]
    return f"no longer fp32: {', '.join(other)}" if other else found
