"""One optimizer step as a variant sees it: gradients at the weights and around them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.errors import ConfigError
from samcli.examples import count
from samcli.optim.ascent import Ascent
from samcli.optim.batch import Batch
from samcli.optim.means import ByParameter
from samcli.weights.geometry import global_norm
from samcli.weights.guard import RandomState, buffers_untouched, same_draws
from samcli.weights.names import parameter_names
from samcli.weights.perturb import Epsilon, moved

Closure = Callable[[], Tensor]


class Step:
    """The passes of one step over one batch, as a variant sees them.

    A variant may read every attribute without an underscore. It may change what is in `state` and the tensors of
    `memory`, set `displacement`, and add to `extras`; it never changes the weights. The other attributes are set by
    `evaluate`, `complete`, `gradient_at`, `require` and `adopt`.

    Args:
        closure: clears the gradients, runs forward and backward, and returns the loss.
        base: the optimizer that takes the step.
        rho: the radius at this step.
        index: the number of steps before this one.
        part: which micro-batch of the step this is, from 0.
        progress: the finished share of training, from 0 to 1; None if nobody said how long it is.
        seed: of the variant's random draws.
        model: the module whose buffers and random draws further passes must not disturb.
        state: what the variant keeps between steps; tensors and plain values.
        ascent: the options of the ascent.
        keeps_gradient: whether `gradient` outlives the next pass.
        takes_sparse: whether the rule is right for sparse gradients.
        host_waits: whether the host may wait for a result of the device and act on it.
        unscale: the factor of every gradient, the inverse of the loss's scale.

    Attributes:
        candidates: all parameters that the base optimizer may update.
        parameters: those that had a gradient in the first pass; every list here is aligned with them.
        loss: the loss of the first pass, detached.
        passed_loss: the loss of the latest pass, detached.
        gradient_norm: ‖g‖₂ of the first pass, as a tensor on the device.
        finite: False if the host may wait to find out that `gradient_norm` is not finite, or that what `require` was
            given does not hold.
        unperturbed: the gradients of the latest pass by parameter, for parameters that had none in the first: nothing
            was known to climb, and they are handed to the base optimizer as they are.
        displacement: a shift of the weights after the base optimizer's step, one tensor for each parameter; empty for
            none.
        extras: further tensors for `Variant.update`, by name, each list with one tensor for each parameter.
    """

    def __init__(
        self,
        closure: Closure,
        *,
        base: Optimizer,
        rho: float,
        index: int,
        part: int,
        progress: float | None,
        seed: int,
        model: nn.Module | None,
        state: dict[str, Any],
        ascent: Ascent,
        keeps_gradient: bool,
        takes_sparse: bool,
        host_waits: bool,
        unscale: float,
    ) -> None:
        self.base, self.model, self.state = base, model, state
        self.rho, self.index, self.part, self.progress, self.seed = rho, index, part, progress, seed
        self.host_waits = host_waits
        self.candidates: list[Tensor] = [p for group in base.param_groups for p in group["params"] if p.requires_grad]
        self.parameters: list[Tensor] = []
        self.loss = self.passed_loss = torch.tensor(float("nan"))
        self.gradient_norm = torch.tensor(0.0)
        self.finite = True
        self.unperturbed: dict[Tensor, Tensor] = {}
        self.displacement: list[Tensor] = []
        self.extras: dict[str, list[Tensor]] = {}
        self._closure = closure
        self._ascent = ascent
        self._keeps_gradient = keeps_gradient
        self._takes_sparse = takes_sparse
        self._unscale = unscale
        self._climbing_closure = self._closure_to_climb()
        self._gradient: list[Tensor] | None = None
        self._draws = part << 16  # micro-batches draw different numbers
        self._start = RandomState(self.device) if model is not None else None

    @property
    def device(self) -> torch.device:
        """The device of the parameters."""
        return self.candidates[0].device if self.candidates else torch.device("cpu")

    @property
    def gradient(self) -> list[Tensor]:
        """The gradient g of the first pass, one tensor for each parameter."""
        if self._gradient is None:
            raise RuntimeError(
                "The gradient at the weights is gone: a variant that reads it later sets reuses_gradient."
            )
        return self._gradient

    @property
    def ascent_gradient(self) -> list[Tensor]:
        """The gradient to climb: g, or g + λw if `Ascent.ascent_weight_decay` is set."""
        return self.with_weight_decay(self.gradient)

    def with_weight_decay(self, gradient: list[Tensor], epsilon: Sequence[Tensor] | None = None) -> list[Tensor]:
        """The gradient to climb from w + ε: the one given, plus λ(w + ε) if `Ascent.ascent_weight_decay` is set.

        Args:
            gradient: at w + ε, one tensor for each of `parameters`; it stays as it is.
            epsilon: ε, one tensor for each of `parameters`; 0 if left out.
        """
        if not self._ascent.ascent_weight_decay:
            return gradient
        decay = {p: group.get("weight_decay", 0.0) for group in self.base.param_groups for p in group["params"]}
        points = self.parameters if epsilon is None else torch._foreach_add(self.parameters, list(epsilon))
        return [g.add(point, alpha=decay[p]) for g, point, p in zip(gradient, points, self.parameters, strict=True)]

    @property
    def batch(self) -> Batch:
        """The closure as a `Batch`, which knows its examples.

        Raises:
            ValueError: it is a plain callable.
        """
        if not isinstance(self._closure, Batch):
            raise ValueError("This rule looks at single examples: call step with a samcli.optim.Batch.")
        return self._closure

    def over_training_set(self) -> Iterator[Batch]:
        """The closures of the whole training set, batch by batch; none where the batch is all that there is."""
        if isinstance(self._closure, Batch) and self._closure.knows_training_set:
            yield from self._closure.of_training_set()

    @cached_property
    def position(self) -> dict[Tensor, int]:
        """The number of each of `candidates` in that list, under which tensors are kept between steps."""
        return {p: position for position, p in enumerate(self.candidates)}

    @cached_property
    def names(self) -> list[str]:
        """The model's name of each parameter."""
        return parameter_names(self.parameters, self.model, self.base.param_groups)

    def generator(self) -> torch.Generator:
        """A random generator on the parameters' device, a new one at each call.

        Its draws are a function of the seed, the step's index and the number of the call, so that there is no state to
        save, and a resumed run draws what an uninterrupted one does.
        """
        self._draws += 1
        mixed = hash((self.seed, self.index, self._draws))  # of whole numbers: equal in every process
        return torch.Generator(self.device).manual_seed(mixed & (2**63 - 1))

    def noise(self) -> list[Tensor]:
        """Standard normal numbers, shaped like the parameters."""
        generator = self.generator()
        return [torch.empty_like(p).normal_(generator=generator) for p in self.parameters]

    def memory(self, name: str, parameters: Sequence[Tensor] | None = None) -> list[Tensor]:
        """Tensors that outlive the step, one for each parameter and shaped like it; zero at first.

        Change them in place. They are part of the optimizer's state dictionary.

        Args:
            name: of the memory.
            parameters: some of the candidates, for use before the first pass; those with a gradient if left out.
        """
        parameters = self.parameters if parameters is None else parameters
        kept = self.state.setdefault("memory", {}).setdefault(name, {})
        for p in parameters:
            position = self.position[p]
            if position not in kept:
                kept[position] = torch.zeros_like(p, requires_grad=False)
            elif kept[position].device != p.device:  # loaded from a checkpoint
                kept[position] = kept[position].to(p.device)
        return [kept[self.position[p]] for p in parameters]

    def base_memory(self, *names: str) -> list[Tensor | None]:
        """The base optimizer's own tensor for each of `candidates`, such as its momentum; None where it has none.

        Args:
            names: keys of the base optimizer's state, of which the first that it has is taken.
        """
        state = self.base.state
        return [
            next((state[p][name] for name in names if p in state and state[p].get(name) is not None), None)
            for p in self.candidates
        ]

    def _closure_to_climb(self) -> Closure:
        """The closure of the passes which find where to look: of a fraction of the batch, or in another precision."""
        if not self._ascent.is_cheaper:
            return self._closure
        if not isinstance(self._closure, Batch):
            raise ValueError("A cheaper ascent is one of a samcli.optim.Batch: call step with one.")
        some = math.ceil(self._ascent.ascent_fraction * len(self._closure) - 1e-9)
        return self._closure.share(slice(0, some), self._ascent.dtype)

    def evaluate(
        self, epsilon: Sequence[Epsilon] | None = None, *, whole: bool = False, closure: Closure | None = None
    ) -> list[Tensor]:
        """Run the first pass, the one that counts for running statistics.

        Args:
            epsilon: ε, one entry for each of `candidates`, to run it at w + ε; at the weights if left out.
            whole: whether it sees the whole batch in its own precision even if the ascent is to be cheaper: for a step
                that descends this gradient.
            closure: of another objective, such as `Batch.penalised`; that of the step if left out.

        Returns:
            Its gradient g, one tensor for each of `parameters`.

        Raises:
            ConfigError: a gradient is sparse, and the rule does not take such.
        """
        with moved(self.candidates if epsilon is not None else [], list(epsilon or [])):
            self.loss = self.passed_loss = self._pass(closure or (self._closure if whole else self._climbing_closure))
        self.parameters = [p for p in self.candidates if p.grad is not None]
        if not self._takes_sparse and any(p.grad is not None and p.grad.is_sparse for p in self.parameters):
            raise ConfigError(
                "This rule is not right for sparse gradients; set sparse=False in the embedding that makes them, or "
                "take sam, asam, gsam or wsam without ascent_weight_decay."
            )
        self._set_gradient(self._take(self.parameters))
        return self.gradient

    def complete(self) -> list[Tensor]:
        """Extend a cheaper first pass to the whole batch, for a step that descends its gradient after all.

        After a fraction the rest of the batch is passed, after another precision the whole batch once more.

        Returns:
            The gradient g of the whole batch, one tensor for each of `parameters`.
        """
        if isinstance(self._closure, Batch) and self._climbing_closure is not self._closure:
            if self._ascent.dtype is None:
                self._pass_the_rest(self._closure)
            else:
                nowhere: list[Epsilon] = [None] * len(self.parameters)
                self._set_gradient(self.gradient_at(nowhere))
                self.loss = self.passed_loss
        return self.gradient

    def _pass_the_rest(self, batch: Batch) -> None:
        seen = count(batch.output_targets, batch.output_targets)
        left = batch.share(slice(seen, None)) if seen < len(batch) else None
        if left is None:
            return
        share, gradient = batch.select(slice(0, seen)).weight / batch.weight, ByParameter()
        gradient.add(self.parameters, self.gradient, share)
        rest = self._pass(left)
        others = [p for p in self.candidates if p.grad is not None]
        gradient.add(others, self._take(others), 1.0 - share)
        self.parameters = list(gradient)
        self._set_gradient(list(gradient.values()))
        self.loss = self.passed_loss = share * self.loss + (1.0 - share) * rest

    def _set_gradient(self, gradient: list[Tensor]) -> None:
        self._gradient = gradient
        if gradient:
            self.gradient_norm = global_norm(gradient)
            self.finite = not self.host_waits or bool(torch.isfinite(self.gradient_norm))

    def gradient_at(
        self, epsilon: list[Epsilon] | list[Tensor], closure: Closure | None = None, *, climbing: bool = False
    ) -> list[Tensor]:
        """The gradient at w + ε, of the same batch with the same random draws; the weights come back bit for bit.

        A parameter without gradient in this pass counts as zero; one that had none in the first pass is not perturbed,
        and its gradient is handed to the base optimizer as it is.

        Args:
            epsilon: ε, one entry for each of `parameters`; the list is emptied, so that ε takes no memory in the pass.
            closure: of a part of the batch; the whole batch if left out.
            climbing: whether the gradient serves to find where to look, and may be as cheap as the first.

        Returns:
            One tensor for each of `parameters`.
        """
        if not self._keeps_gradient:
            self._gradient = None
        offsets: list[Epsilon] = list(epsilon)
        epsilon.clear()
        with moved(self.parameters, offsets), ExitStack() as same:
            if self.model is not None and self._start is not None:
                same.enter_context(same_draws(self._start, self.device))
                same.enter_context(buffers_untouched(self.model))
            self.passed_loss = self._pass(closure or (self._climbing_closure if climbing else self._closure))
        gradient = self._take(self.parameters)
        others = [p for p in self.candidates if p.grad is not None]
        self.unperturbed = dict(zip(others, self._take(others), strict=True))
        return gradient

    def require(self, sound: Tensor) -> None:
        """Set `finite` to False where the host may wait to find out that a flag, without dimensions, is not set."""
        self.finite = self.finite and (not self.host_waits or bool(sound))

    def adopt(self, parameters: list[Tensor], loss: Tensor | None = None, gradient_norm: Tensor | None = None) -> None:
        """Take over the results of a first pass that another process makes.

        Args:
            parameters: those that had a gradient in it.
            loss: of that pass, once it is known.
            gradient_norm: of that pass, once it is known; the host waits for it.
        """
        self.parameters, self.unperturbed = parameters, {}
        if loss is not None:
            self.loss = loss
        if gradient_norm is not None:
            self.gradient_norm, self.finite = gradient_norm, bool(torch.isfinite(gradient_norm))

    @staticmethod
    @torch.enable_grad()
    def _pass(closure: Closure) -> Tensor:
        loss: object = closure()
        if not isinstance(loss, Tensor):
            raise TypeError(f"The closure must return the loss, a tensor, and not {type(loss).__name__}.")
        return loss.detach()

    def _take(self, parameters: list[Tensor]) -> list[Tensor]:
        """Take the gradients away from the parameters, so that a closure that zeroes in place cannot reach them."""
        gradient = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        for p in parameters:
            p.grad = None
        if self._unscale != 1.0 and gradient:
            torch._foreach_mul_(gradient, self._unscale)
        return gradient
