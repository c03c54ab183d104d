"""The optimizer around a base optimizer: what all members of the SAM family share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim.step import Step
from samcli.optim.variant import Variant


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
    equals an uninterrupted one; a step whose first gradient is not finite changes nothing and is counted in
    `skipped_steps`; parameter groups are those of the base optimizer, so learning-rate schedulers work on either.

    Whether the first gradient is finite is decided on the host where that costs nothing (on the CPU). On an accelerator
    a fused base optimizer decides on the device; any other makes the host wait once per step.

    Args:
        base: any optimizer of torch that takes gradients from `.grad`.
        variant: the rule.
        model: with it, further passes leave buffers (BatchNorm's running statistics) alone and replay the random draws
            (dropout) of the first pass. Rules that tell weights from biases need it.
    """

    def __init__(self, base: Optimizer, variant: Variant, *, model: nn.Module | None = None) -> None:
        super().__init__(base.param_groups, {})
        self.base = base
        self.variant = variant
        self.model = model
        self._steps = 0
        self._variant_state: dict[str, Any] = {}
        self._skipped: int | Tensor = 0
        self._share_with_base()

    @property
    def rho(self) -> float:
        """The radius ρ of the next step."""
        return self.variant.rho

    @property
    def skipped_steps(self) -> int:
        """How many steps had a non-finite first gradient; reading it waits for the device."""
        return int(self._skipped)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Tensor:  # type: ignore[override]
        """One update.

        Args:
            closure: clears the gradients, runs forward and backward on one batch, and returns the loss. It is called
                once for each pass that the variant needs.

        Returns:
            The loss of the first pass, at the unperturbed weights, detached.

        Raises:
            ValueError: no closure.
        """
        if closure is None:
            raise ValueError("A sharpness-aware step evaluates the loss more than once: call step(closure).")
        on_host = self._decides_on_host()
        step = Step(
            torch.enable_grad()(closure),
            [p for group in self.param_groups for p in group["params"] if p.requires_grad],
            rho=self.rho,
            index=self._steps,
            state=self._variant_state,
            model=self.model,
            groups=self.param_groups,
            keep_gradient=self.variant.reuses_gradient,
            finite_on_host=on_host,
        )
        gradient = self.variant.gradient(step)
        self._steps += 1
        if not step.finite:
            self._skipped = self._skipped + 1
            return step.loss
        for parameter, part in [*zip(step.parameters, gradient, strict=True), *step.late.items()]:
            parameter.grad = part
        if on_host:
            self.base.step()
        else:
            self._step_unless_found(~torch.isfinite(step.gradient_norm))
        return step.loss

    def state_dict(self) -> dict[str, Any]:
        """The base optimizer's state dictionary, and under `sharpness_aware` what the variant keeps."""
        own = {"steps": self._steps, "skipped": self.skipped_steps, "state": self._variant_state}
        return {**self.base.state_dict(), "sharpness_aware": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        state_dict = dict(state_dict)
        own = state_dict.pop("sharpness_aware")
        self.base.load_state_dict(state_dict)
        self._steps, self._skipped, self._variant_state = own["steps"], own["skipped"], own["state"]
        self._share_with_base()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, for this optimizer and its base alike."""
        if hasattr(self, "base"):
            self.base.add_param_group(param_group)
            self._share_with_base()
        else:  # from the constructor of torch's own class
            super().add_param_group(param_group)

    def _share_with_base(self) -> None:
        self.param_groups = self.base.param_groups
        self.state = self.base.state
        self.defaults = self.base.defaults

    def _decides_on_host(self) -> bool:
        """Whether the host looks at the first gradient: for free on the CPU, and where the base cannot skip by itself.

        Before its first step a fused optimizer has no state yet, and would make some from a gradient that is skipped.
        """
        on_cpu = all(p.device.type == "cpu" for group in self.param_groups for p in group["params"])
        fused = all(group.get("fused") for group in self.param_groups)
        return on_cpu or not fused or not self.base.state

    def _step_unless_found(self, not_finite: Tensor) -> None:
        """A step that the device skips where the flag is set, by the attributes that torch's GradScaler uses."""
        found = not_finite.to(torch.float32)
        self.base.grad_scale, self.base.found_inf = None, found  # type: ignore[attr-defined]
        try:
            self.base.step()
        finally:
            del self.base.grad_scale, self.base.found_inf  # type: ignore[attr-defined]
        self._skipped = self._skipped + found


def take_step(optimizer: Optimizer, closure: Callable[[], Tensor]) -> Tensor:
    """One update with a sharpness-aware or a plain optimizer, and the loss before it.

    A plain optimizer could take the closure itself, but would call it after its step hooks, which are where
    `clip_gradient` must see the gradient.
    """
    if isinstance(optimizer, SharpnessAware):
        return optimizer.step(closure)
    loss = closure().detach()
    optimizer.step()
    return loss
