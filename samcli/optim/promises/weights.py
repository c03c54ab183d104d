"""Promises about the weights: where a step leaves them."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from samcli.optim.base import Base
from samcli.optim.batch import Batch
from samcli.optim.promises._trial import Trial, after_steps, differing, unsound
from samcli.optim.variant import Variant


def zero_radius_is_the_base(variant: Variant, base: Base) -> str:
    """With ρ = 0 training equals the base optimizer's, bit for bit."""
    trial, plain = Trial(variant, base), Trial(variant, base)
    trial.optimizer.rho_factor = 0.0
    trial.train(0, 5)
    for index in range(5):
        torch.manual_seed(index)
        plain.batch(index)()
        plain.inner.step()
    names = differing(trial.model.state_dict(), plain.model.state_dict())
    return names and f"different after five steps: {names}"


def radius_matters(variant: Variant, base: Base) -> str:
    """With a radius above 0 training is another than the base optimizer's."""
    if variant.rho == 0.0:
        return ""
    trial, plain = Trial(variant, base), Trial(variant, base)
    plain.optimizer.rho_factor = 0.0
    for index in range(100):  # some rules look around in few steps, or late; most differ after the first
        trial.train(index, index + 1)
        plain.train(index, index + 1)
        if differing(trial.weights(), plain.weights()):
            return ""
    return "the same weights after a hundred steps as with ρ = 0"


def weights_come_back(variant: Variant, base: Base) -> str:
    """With learning rate 0 the weights do not move, whatever was perturbed."""
    trial = Trial(variant, base)
    trial.stand_still()
    before = trial.weights()
    trial.train(0, 20)
    names = differing(before, trial.weights())
    return names and f"moved at learning rate 0: {names}"


def weights_come_back_after_an_error(variant: Variant, base: Base) -> str:
    """When a pass raises an error, the weights stand where they stood before the step, buffers after the first pass."""
    failing = passes = 0
    while failing <= passes:  # each pass in turn, and once none
        failing, passes = failing + 1, 0
        trial = Trial(variant, base)
        trial.train(0, 3)
        before, random_state, twin = trial.weights(), torch.get_rng_state(), copy.deepcopy(trial.model)

        def loss(output: Tensor, targets: Tensor, trial: Trial = trial, failing: int = failing) -> Tensor:
            nonlocal passes
            passes += output.requires_grad  # a rule may look at the loss of an output without a pass
            if output.requires_grad and passes == failing:
                if failing > 1 and trial.model.norm.running_mean is not None:
                    trial.model.norm.running_mean.fill_(9.0)
                raise KeyboardInterrupt
            return nn.functional.cross_entropy(output, targets)

        batch = trial.batch(3)
        batch.loss = loss
        try:
            trial.optimizer.step(batch)
        except KeyboardInterrupt:
            names = differing(before, trial.weights())
            if names:
                return f"an error in pass {failing} left changed: {names}"
            if failing > 1 and variant.begins_at_weights:
                torch.set_rng_state(random_state)
                Batch(twin, nn.functional.cross_entropy, batch.inputs, batch.targets)()
                names = differing(dict(twin.named_buffers()), dict(trial.model.named_buffers()))
                if names:
                    return f"an error in pass {failing} left changed: {names}"
    return ""


def bad_gradient_changes_nothing(variant: Variant, base: Base) -> str:
    """A step whose first gradient is not finite changes no weight and is counted; the next one trains on."""
    trial = Trial(variant, base)
    trial.train(0, 3)
    before, statistics = trial.weights(), copy.deepcopy(trial.model.norm.state_dict())
    state = copy.deepcopy(trial.inner.state_dict()["state"])
    trial.optimizer.step(trial.batch(3, factor=float("inf")))
    found = _changed(trial, before, state)
    if found:
        return found
    trial.model.norm.load_state_dict(statistics)  # the pass did see the batch
    trial.train(4, 5)
    found = unsound(before, trial.weights())
    return found and f"in the step after it: {found}"


def bad_second_gradient_changes_nothing(variant: Variant, base: Base) -> str:
    """A step whose gradient near the weights is not finite changes no weight and is counted, if it looks there."""
    trial, passes = Trial(variant, base), 0
    trial.train(0, 3)
    before, state = trial.weights(), copy.deepcopy(trial.inner.state_dict()["state"])

    def loss(output: Tensor, targets: Tensor) -> Tensor:
        nonlocal passes
        passes += output.requires_grad
        bad = float("nan") if passes > 1 and output.requires_grad else 1.0
        return bad * nn.functional.cross_entropy(output, targets)

    batch = trial.batch(3)
    batch.loss = loss
    trial.optimizer.progress = 3 / 20
    trial.optimizer.step(batch)
    if passes < 2:
        return ""
    return _changed(trial, before, state)


def _changed(trial: Trial, before: dict[str, Tensor], state: dict[int, dict[str, object]]) -> str:
    """What a step changed that had to be skipped; empty if it changed nothing and was counted."""
    names = differing(before, trial.weights())
    if names:
        return f"a gradient that is not finite changed: {names}"
    after = trial.inner.state_dict()["state"]
    for index, kept in state.items():
        for key, old in kept.items():
            if isinstance(old, Tensor) and not torch.equal(old, after[index][key]):
                return "a gradient that is not finite changed the base optimizer's state"
    return "" if trial.optimizer.skipped_steps == 1 else "the step was not counted in skipped_steps"


def stays_finite(variant: Variant, base: Base) -> str:
    """Twenty steps on plain data leave all weights finite, and move them."""
    return after_steps(Trial(variant, base), 20)
