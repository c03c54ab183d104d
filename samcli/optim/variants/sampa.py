"""SAMPa: SAM whose two gradients do not wait for each other."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.distributed
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.errors import ConfigError
from samcli.optim.means import Descent, StepMeans
from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import option
from samcli.weights.geometry import global_norm, replace_where, steepest_ascent


@VARIANTS.register("sampa")
@dataclass(frozen=True, kw_only=True)
class SAMPa(Variant):
    """SAM that climbs along the gradient at a forecast of the weights, for two gradients that can run in parallel.

    ::

        x̃_t     = x_t + ρ ∇L_t(y_t) / ‖∇L_t(y_t)‖₂
        y_{t+1} = base(x_t, ∇L_t(y_t))
        x_{t+1} = base(x_t, (1 - λ) ∇L_t(x̃_t) + λ ∇L_{t+1}(y_{t+1}))

    with y_0 = x_0. The gradients at x̃_t and y_{t+1} do not depend on each other. Xie, Pethick, Cevher, "SAMPa:
    Sharpness-aware Minimization Parallelized", NeurIPS 2024, which has the rule for plain gradient steps; as in the
    authors' code, except that its first step is one of the base optimizer, while ours leaves the weights at x_0. For a
    base optimizer with state, y_{t+1} is where a step of it from x_t would lead, weight decay and momentum included;
    only the step to x_{t+1} changes its state.

    In one process (`processes: 1`) the step that is given the batch t computes ∇L_t(y_t), goes to x_t, and computes
    ∇L_t(x̃_t) for the next step. The first step therefore leaves the weights where they are. With `processes: 2`, two
    processes of torch.distributed, which both take every step with the same batches, compute ∇L_{t-1}(x̃_{t-1}) and
    ∇L_t(y_t) at the same time and exchange them; weights and running statistics are bit for bit the same. Either way
    the batch counts for running statistics at y_t, and the loss that a step returns is that at y_t.

    Cost: two forward and backward passes, and one or two trial steps of the base optimizer with a copy of its state.
    Two processes take the time of one pass. State: the gradients at x̃_t and y_t; for two processes the gradient at y_t
    and the last batch, so that a run is continued with as many processes as it began with. Takes no micro-batches, for
    each would need its last gradient kept, and two processes no loss scale. A step whose gradient at x̃_t is not finite
    is skipped too. The host waits once per step for two processes. Defaults of the authors' code for CIFAR-10 with
    ResNet-56: ρ = 0.1, twice SAM's, and λ = 0.2; there the running statistics are those at x̃, of the batch before.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((3.0, 4.0))
    >>> [bowl.after("sampa", rho=0.5, lam=0.2, steps=steps) for steps in (1, 2)]  # w, then λ w - (1 - λ) ε
    [tensor([3., 4.]), tensor([0.3600, 0.4800])]
    """

    passes: ClassVar[str] = "2"
    memory: ClassVar[str] = "6"
    paper: ClassVar[str] = "Xie et al., NeurIPS"
    year: ClassVar[int] = 2024
    begins_at_weights: ClassVar[bool] = False
    reuses_gradient: ClassVar[bool] = True

    rho: float = option(0.1, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    lam: float = option(0.2, "λ, share of the gradient at the forecast of the weights", minimum=0.0, maximum=1.0)
    processes: int = option(1, "2: compute the two gradients at once, on the CPU of two processes", choices=(1, 2))

    def gradient(self, step: Step) -> list[Tensor]:
        if self.processes == 2:
            return self._in_parallel(step)
        if "owners" not in step.state:
            step.evaluate()
            if step.parameters and step.finite:
                self._keep(step, step.gradient_at(steepest_ascent(step.ascent_gradient, step.rho)))
                step.state["begun"] = step.index
            return step.gradient
        owners = [step.candidates[position] for position in step.state["owners"]]
        with _forecast(step, owners, step.memory("at forecast", owners)):
            step.evaluate()
        if not step.parameters or not step.finite:
            return step.gradient
        mixed = list(torch._foreach_lerp(step.memory("at climbed"), step.gradient, self.lam))
        with _forecast(step, step.parameters, mixed):
            climbed = step.gradient_at(steepest_ascent(step.ascent_gradient, step.rho))
        self._keep(step, climbed)
        return mixed

    def update(self, step: Step, means: StepMeans, descend: Descent) -> None:
        if step.state["begun"] != step.index:  # x_0 is where it is
            descend(means.gradient)

    def objection(self, base: Optimizer, model: nn.Module | None, *, m: int | None, scaled: bool) -> str:
        if m is not None:
            return "sampa does not take micro-batches: leave m out."
        if self.processes == 2 and scaled:
            return "sampa with processes: 2 does not take precision: fp16, whose scale changes between its gradients."
        return ""

    def _keep(self, step: Step, climbed: list[Tensor]) -> None:
        sound = torch.isfinite(step.gradient_norm) & torch.isfinite(global_norm(climbed))
        step.require(sound)
        replace_where(sound, step.memory("at climbed"), climbed)
        replace_where(sound, step.memory("at forecast"), step.gradient)
        if step.finite:
            self._keep_owners(step)

    @staticmethod
    def _keep_owners(step: Step) -> None:
        owners = set(step.parameters)
        step.state["owners"] = [position for position, p in enumerate(step.candidates) if p in owners]

    def _in_parallel(self, step: Step) -> list[Tensor]:
        batch, random_state = step.batch, torch.get_rng_state()
        _check_two_processes(step)
        first = "owners" not in step.state
        if first:
            mixed = step.evaluate()
        else:
            owners = [step.candidates[position] for position in step.state["owners"]]
            mixed = self._exchange(step, owners)
        if not step.parameters or not step.finite:
            return step.gradient if first else mixed
        if first:
            for kept, g in zip(step.memory("at forecast"), step.gradient, strict=True):
                kept.copy_(g)
            self._keep_owners(step)
            step.state["begun"] = step.index
        step.state["batch"] = {"inputs": batch.inputs, "targets": batch.targets, "random": random_state}
        return mixed

    def _exchange(self, step: Step, owners: list[Tensor]) -> list[Tensor]:
        """This process's gradient for the other's, and (1 - λ) ∇L_{t-1}(x̃_{t-1}) + λ ∇L_t(y_t) of both."""
        assert step.model is not None
        at_forecast = step.memory("at forecast", owners)
        told: list[Any] = [None]
        climbed = [torch.empty_like(p) for p in owners]
        new = [torch.empty_like(p) for p in owners]
        if torch.distributed.get_rank() == 1:
            with _forecast(step, owners, at_forecast):
                step.evaluate()
            found = dict(zip(step.parameters, step.gradient, strict=True))
            new = [found[p] if p in found else torch.zeros_like(p) for p in owners]
            buffers = dict(step.model.named_buffers())
            told = [(step.loss, step.gradient_norm, torch.get_rng_state(), step.batch.output, buffers)]
        else:
            last = copy.copy(step.batch)
            last.inputs, last.targets = step.state["batch"]["inputs"], step.state["batch"]["targets"]

            def at_last_batch() -> Tensor:
                torch.set_rng_state(step.state["batch"]["random"])
                return last()

            step.adopt(owners)
            step.batch.count(len(last) + len(step.batch))
            climbed = step.gradient_at(steepest_ascent(step.with_weight_decay(at_forecast), step.rho), at_last_batch)
        for mine, source in ((climbed, 0), (new, 1)):
            for tensor in mine:
                torch.distributed.broadcast(tensor, source)
        torch.distributed.broadcast_object_list(told, 1)
        loss, gradient_norm, now, step.batch.output, buffers = told[0]
        torch.set_rng_state(now)
        for name, buffer in step.model.named_buffers():
            buffer.copy_(buffers[name])
        step.adopt(owners, loss, gradient_norm)
        if step.finite:
            torch._foreach_copy_(at_forecast, new)
        return list(torch._foreach_lerp(climbed, new, self.lam))


def _check_two_processes(step: Step) -> None:
    """Refuse to go on unless this is one of two processes, with the model at hand and on the CPU.

    Raises:
        ConfigError: it is not.
    """
    ready = torch.distributed.is_available() and torch.distributed.is_initialized()
    if not ready or torch.distributed.get_world_size() != 2:
        raise ConfigError(
            "sampa with processes: 2 runs in two processes: start both with torchrun --nproc-per-node 2 "
            "and call torch.distributed.init_process_group, or set processes: 1."
        )
    if step.model is None or step.device.type != "cpu":
        raise ConfigError("sampa with processes: 2 needs model=, on the CPU.")


@contextmanager
def _forecast(step: Step, parameters: Sequence[Tensor], gradient: Sequence[Tensor]) -> Iterator[None]:
    """Within the block the weights are where the base optimizer would take them; it and they come back bit for bit."""
    base = step.base
    weights = [p.clone() for p in parameters]
    state = {p: base.state[p] for p in parameters if p in base.state}
    try:
        for p, own in state.items():
            base.state[p] = {k: v.clone() if isinstance(v, Tensor) else v for k, v in own.items()}
        for p, part in zip(parameters, gradient, strict=True):
            p.grad = part.clone()  # hooks of the base may change it
        base.step()
        for p in parameters:
            p.grad = None
        yield
    finally:
        torch._foreach_copy_(list(parameters), weights)
        for p in parameters:
            if p in state:
                base.state[p] = state[p]
            else:
                base.state.pop(p, None)
