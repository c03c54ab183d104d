"""The optimizer around a base optimizer: what all members of the SAM family share."""

from __future__ import annotations

import copy
from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.optim import Optimizer

from samcli.errors import ConfigError
from samcli.optim.ascent import WHOLE, Ascent
from samcli.optim.batch import Batch
from samcli.optim.leftovers import Leftovers
from samcli.optim.means import ByParameter, Descent, Share, StepMeans, is_whole
from samcli.optim.scaled import scaled_update
from samcli.optim.step import Closure, Step
from samcli.optim.variant import Variant


def _of_base(name: str) -> Any:
    """An attribute that is always the base optimizer's own, also after that has loaded a state with new groups."""

    def get(self: SharpnessAware) -> Any:
        return getattr(self.base, name) if "base" in self.__dict__ else self.__dict__[name]

    def put(self: SharpnessAware, value: Any) -> None:
        if "base" in self.__dict__:
            setattr(self.base, name, value)
        else:  # from the constructor of torch's own class, which comes first
            self.__dict__[name] = value

    return property(get, put)


class SharpnessAware(Optimizer):
    """A base optimizer that descends the gradient a `Variant` chooses, used through the closure protocol.

    >>> import samcli.optim
    >>> weights = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> base = torch.optim.SGD([weights], lr=1.0)
    >>> optimizer = samcli.optim.build("sam", base, rho=0.5)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = 0.5 * weights.square().sum()  # its gradient is w, so SAM steps by w + 0.5 w/‖w‖
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)
    tensor(12.5000)
    >>> weights.data
    tensor([-0.3000, -0.4000])

    Promises, for every variant: ρ = 0 equals the base optimizer bit for bit; the weights come back from a saved copy
    bit for bit, also when the closure raises; `state_dict` holds the base optimizer's state too, so that a resumed run
    equals an uninterrupted one; a step with a gradient that is not finite changes nothing and is counted in
    `skipped_steps`; parameter groups are those of the base optimizer, so learning-rate schedulers work on either.

    Whether gradients are finite is decided on the host where that costs nothing (on the CPU). On an accelerator a fused
    base optimizer decides on the device; any other makes the host wait twice in a step, for the norm of the first
    gradient and for that of what is descended.

    Args:
        base: any optimizer of torch that takes gradients from `.grad`.
        variant: the rule.
        model: with it, further passes leave buffers (BatchNorm's running statistics) alone and replay the random draws
            (dropout) of the first pass. Rules that tell weights from biases, or layers apart, need it.
        ascent: the options of the ascent: for micro-batches, along the gradient of a fraction of the batch, in another
            precision. By default along the gradient of the whole batch.
        seed: of the variant's own random draws.

    Raises:
        ConfigError: the variant cannot work so, see `Variant.objection`.

    Attributes:
        rho_factor: the factor of the variant's radius, for a schedule of ρ; at 0 the base optimizer works alone.
        progress: the finished share of training, from 0 to 1, for rules that change over it; None if unknown.
        runs_ahead: whether the host waits for nothing that the device can decide, not even on the CPU where waiting is
            free. Steps that are to be recorded and replayed must run so.
    """

    param_groups = _of_base("param_groups")
    state = _of_base("state")
    defaults = _of_base("defaults")

    def __init__(
        self,
        base: Optimizer,
        variant: Variant,
        *,
        model: nn.Module | None = None,
        ascent: Ascent = WHOLE,
        seed: int = 0,
    ) -> None:
        super().__init__(base.param_groups, {})
        for name in ("param_groups", "state", "defaults"):
            del self.__dict__[name]
        self.base = base
        self.variant = variant
        self.model = model
        self.rho_factor = 1.0
        self.progress: float | None = None
        self.runs_ahead = False
        self._ascent = ascent
        self._seed = seed
        self._steps = 0
        self._variant_state: dict[str, Any] = {}
        self._skipped: int | Tensor = 0
        self._leftovers = Leftovers()
        self.check(scaled=False)

    @property
    def ascent(self) -> Ascent:
        """The options of the ascent."""
        return self._ascent

    @property
    def rho(self) -> float:
        """The radius ρ of the next step."""
        return self.variant.rho * self.rho_factor

    @property
    def skipped_steps(self) -> int:
        """The number of steps that changed nothing, for want of finite gradients; reading it waits for the device."""
        return int(self._skipped)

    @torch.no_grad()
    def step(self, closure: Closure | None = None, scaler: GradScaler | None = None) -> Tensor:  # type: ignore[override]
        """Update the weights once.

        Args:
            closure: clears the gradients, runs forward and backward on one batch, and returns the loss. It is called
                once for each pass that the variant needs.
            scaler: the one that the closure scales its loss with. It unscales once, and is updated here.

        Returns:
            The loss of the first pass, detached: at the unperturbed weights, for all rules that start there.

        Raises:
            ValueError: no closure, one that does not know its examples where the rule needs them, or one that does not
                clear gradients from before the step.
            LossError: the batch is passed in parts, and its loss is no mean over examples.
            TypeError: the closure returns no tensor.
            ConfigError: a scaler, and the variant takes none.
        """
        if closure is None:
            raise ValueError("A sharpness-aware step evaluates the loss more than once: call step(closure).")
        if scaler is not None:
            self.check(scaled=True)
        on_host = scaler is not None or self._decides_on_host()
        if isinstance(closure, Batch):
            closure.output = None  # a batch may serve several steps
        else:
            closure = self._leftovers.guarded(closure, self._parameters())
        means = StepMeans()
        step, loss, norm, finite = self._pass_all(closure, means, on_host, scaler)
        if scaler is not None:
            finite = scaled_update(scaler, self.base, means, finite, partial(self._update, step, means))
        elif on_host:
            finite = finite and self._update_if_finite(step, means)
            if not finite:
                self.zero_grad()
        else:
            self._update_on_device(norm, step, means)
        self._steps += 1
        if not finite:
            self._skipped += 1
        if not isinstance(closure, Batch):  # which clears its gradients by itself
            self._leftovers.note(self._parameters())
        return loss

    def signature(self) -> Hashable | None:
        """The signature of the next step: steps of one signature launch the same operations with the same numbers.

        None says that the host has to run it. See `Variant.signature`.
        """
        if self._decides_on_host():
            return None
        decided = self.variant.signature(self._steps, self._seed, self._variant_state) if self.rho > 0.0 else ()
        return None if decided is None else (decided, self.rho)

    def note_replay(self) -> None:
        """Count a step that the device has replayed, one with the `signature` that was due."""
        if self.rho > 0.0:
            self.variant.note_replay(self._steps, self._variant_state)
        self._steps += 1

    def host_state(self) -> tuple[int, dict[str, Any]]:
        """The host's notes on the steps so far, for `restore_host_state`."""
        return self._steps, dict(self._variant_state)

    def restore_host_state(self, noted: tuple[int, dict[str, Any]]) -> None:
        """Go back to an earlier `host_state`, after a recording that failed and of which the device did nothing."""
        self._steps, self._variant_state = noted

    @torch.no_grad()
    def pass_part(self, part: Closure, number: int) -> list[Tensor]:
        """Make the passes of one micro-batch without a step: the gradient that the rule has for it, see `Variant`.

        What the rule keeps of it is kept.

        Args:
            part: its closure.
            number: which one of the step it is, from 0.
        """
        return self.variant.gradient(self._part_of_step(part, number, self._decides_on_host(), None))

    def check(self, *, scaled: bool) -> None:
        """Refuse, without a step, a variant that cannot work with this base optimizer, model and ascent.

        Args:
            scaled: whether the loss will be scaled, as for fp16.

        Raises:
            ConfigError: it cannot; see `Variant.objection`.
        """
        words = self.variant.objection(self.base, self.model, m=self._ascent.m, scaled=scaled)
        if self._ascent.is_cheaper and not self.variant.climbs_first:
            words = "This rule descends the gradient of its first pass: leave ascent_fraction and ascent_precision out."
        if words := words or self._objection_to_parameters():
            raise ConfigError(words)

    def _objection_to_parameters(self) -> str:
        """The reason why the rule is not right for the parameters; what only gradients tell is seen by the step."""
        right = self.variant.declares("takes_complex") and getattr(self.variant, "norm", 2.0) == 2.0
        if right or not any(p.is_complex() for p in self._parameters()):
            return ""
        return (
            "This rule is not right for complex parameters; take sam with norm 2, or keep real and imaginary parts as "
            "two parameters and join them in the model by torch.complex."
        )

    def state_dict(self) -> dict[str, Any]:
        """The base optimizer's state dictionary, and under `sharpness_aware` what the variant keeps."""
        own = {"steps": self._steps, "skipped": self.skipped_steps, "state": self._variant_state}
        return {**self.base.state_dict(), "sharpness_aware": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state that `state_dict` gave, or begin with that of a plain optimizer like the base.

        With the latter the variant starts anew, as for finishing with SAM what was begun with SGD.
        """
        state_dict = dict(state_dict)
        fresh = {"steps": 0, "skipped": 0, "state": {}}
        own = copy.deepcopy(state_dict.pop("sharpness_aware", fresh))
        steps, skipped, state = own["steps"], own["skipped"], own["state"]
        if not (type(steps) is int and isinstance(skipped, int | Tensor) and isinstance(state, dict)):
            raise ValueError("This is no state of a sharpness-aware optimizer: its numbers of steps are no numbers.")
        self.base.load_state_dict(state_dict)
        self._steps, self._skipped, self._variant_state = steps, skipped, state

    def __getstate__(self) -> dict[str, Any]:
        """All of it, base optimizer and model too, for copies and pickles; hooks stay behind, as torch's do."""
        return {name: value for name, value in self.__dict__.items() if not name.startswith("_optimizer_")}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, for this optimizer and its base alike."""
        if "base" in self.__dict__:
            self.base.add_param_group(param_group)
        else:  # from the constructor of torch's own class
            super().add_param_group(param_group)

    def _parameters(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    def _pass_all(
        self, closure: Closure, means: StepMeans, on_host: bool, scaler: GradScaler | None
    ) -> tuple[Step, Tensor, Tensor, bool]:
        """All passes of a step, whose results are added to `means`.

        Returns:
            The step of the last micro-batch, the loss, the norm of the first gradient, or of several their sum, and
            whether all of these are finite as far as the host knows.
        """
        loss: Tensor | None = None
        norm: Tensor | None = None
        finite = True
        parts, apart = self._parts(closure)
        for number, part, share in parts:
            step = self._part_of_step(part, number, on_host, scaler)
            gradient = self.variant.gradient(step) if self.rho > 0.0 else step.evaluate()
            means.add(step.parameters, gradient, step.extras, step.displacement, share)
            means.gradient.add(list(step.unperturbed), list(step.unperturbed.values()), share)
            part_loss = step.loss if is_whole(share) else share * step.loss
            loss = part_loss if loss is None else loss + part_loss
            norm = step.gradient_norm if norm is None else norm + step.gradient_norm
            finite = finite and step.finite
        assert loss is not None and norm is not None
        if isinstance(closure, Batch):
            if apart:
                loss, norm, finite = closure.sum_parts(means, loss, norm, finite)
            closure.check_loss()
        return step, loss, norm, finite

    def _part_of_step(self, closure: Closure, part: int, on_host: bool, scaler: GradScaler | None) -> Step:
        return Step(
            closure,
            base=self.base,
            rho=self.rho,
            index=self._steps,
            part=part,
            progress=self.progress,
            seed=self._seed,
            model=self.model,
            state=self._variant_state,
            ascent=self._ascent if self.rho > 0.0 else WHOLE,
            keeps_gradient=self.variant.reuses_gradient,
            takes_sparse=self.rho == 0.0
            or (self.variant.declares("takes_sparse") and not self._ascent.ascent_weight_decay),
            host_waits=on_host,
            unscale=1.0 if scaler is None else 1.0 / scaler.get_scale(),
        )

    def _parts(self, closure: Closure) -> tuple[list[tuple[int, Closure, Share]], bool]:
        """The micro-batches with their numbers and their shares of the batch; without a perturbation there is one.

        Returns:
            Those of this process, and whether other ranks have others, which nothing is told of meanwhile.
        """
        if self._ascent.m is None or self.rho == 0.0:
            return [(0, closure, 1.0)], False
        if not isinstance(closure, Batch):
            raise ValueError("Micro-batches (m) are parts of a samcli.optim.Batch: call step with one.")
        parts = list(closure.parts(self._ascent.m))
        weights = [part.weight for part in parts]
        whole = sum(weights)
        numbered = [(i, part, weight / whole) for i, (part, weight) in enumerate(zip(parts, weights, strict=True))]
        apart = self.variant.declares("parts_apart") and closure.takes_apart(parts)
        if apart:
            assert closure.ranks is not None
            numbered = numbered[closure.ranks.own(len(parts))]
        return list(numbered), apart

    def _decides_on_host(self) -> bool:
        """Whether the host looks at the first gradient: for free on the CPU, and where the base cannot skip by itself.

        Before its first step a fused optimizer has no state yet, and would make some from a gradient that is skipped.
        """
        on_cpu = all(p.device.type == "cpu" for group in self.param_groups for p in group["params"])
        fused = all(group.get("fused") for group in self.param_groups)
        return (on_cpu and not self.runs_ahead) or not fused or not self.base.state

    def _update(self, step: Step, means: StepMeans, descend: Descent, unless: Tensor | None = None) -> None:
        if self.rho > 0.0:
            self.variant.update(step, means, descend)
        else:
            descend(means.gradient)
        means.displace(unless)

    def _descend(self, gradient: ByParameter) -> None:
        gradient.hand_over()
        self.base.step()

    def _update_if_finite(self, step: Step, means: StepMeans) -> bool:
        """An update unless what it descends is not finite, though the first gradient was; whether it was made."""
        if self.rho > 0.0 and not bool(torch.isfinite(means.norm())):
            return False
        self._update(step, means, self._descend)
        return True

    def _update_on_device(self, norm: Tensor, step: Step, means: StepMeans) -> None:
        """An update that the device skips where it finds something that is not finite, and counts.

        It is told by the attributes that torch's GradScaler uses.

        Args:
            norm: that of the first gradient.
            step: that of the last micro-batch.
            means: over the micro-batches.
        """
        finite = torch.isfinite(norm)
        if self.rho > 0.0:
            finite = finite & torch.isfinite(means.norm())
        not_finite = ~finite
        found = not_finite.to(torch.float32)
        self.base.grad_scale, self.base.found_inf = None, found  # type: ignore[attr-defined]
        try:
            self._update(step, means, self._descend, unless=not_finite)
        finally:
            del self.base.grad_scale, self.base.found_inf  # type: ignore[attr-defined]
        if not isinstance(self._skipped, Tensor):
            self._skipped = torch.full_like(found, self._skipped)
        self._skipped += found
