"""Activations of few bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from torch import Tensor, nn

from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome
from samcli.robustness.subject import Subject

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@PERTURBATIONS.register("activation-rounding")
@dataclass(frozen=True, kw_only=True)
class ActivationRounding(Perturbation):
    """Accuracy with what each linear or convolutional layer is given rounded to few bits, simulated.

    Values become the nearest of 2ᵇ of equal distance between the smallest and the largest that the layer is given of
    these examples, zero among them: affine rounding per tensor, its range observed on the examples themselves, as
    torch.ao's `MinMaxObserver` has it. Weights stay as they are, and so does the arithmetic.
    """

    STRENGTH: ClassVar[str] = "bits"
    USUAL: ClassVar[tuple[float, ...]] = (8, 6, 4)

    bits: int = option(8, "bits of each activation", minimum=2, maximum=16)

    def of(self, subject: Subject) -> Outcome:
        layers: list[nn.Module] = [module for module in subject.model.modules() if isinstance(module, LAYERS)]
        if not layers:
            raise NotApplicable("it changes what linear and convolutional layers are given, and this network has none")
        ranges = subject.cached("activation ranges", lambda: _ranges(subject, layers))
        hooks = [
            layer.register_forward_pre_hook(self._hook(*ranges[number]))
            for number, layer in enumerate(layers)
            if number in ranges
        ]
        try:
            values = subject.values()
        finally:
            for hook in hooks:
                hook.remove()
        found = subject.outcome(values, bits=self.bits, layers=len(hooks))
        own = subject.cached("clean", subject.values).double().mean().item()
        return replace(found, details={**found.details, "clean": own})

    def _hook(self, low: float, high: float) -> Any:
        def hook(layer: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
            return (affinely_rounded(given[0], low, high, self.bits), *given[1:])

        return hook


def affinely_rounded(values: Tensor, low: float, high: float, bits: int) -> Tensor:
    """Values at the nearest of 2ᵇ points of equal distance s from low to high, moved so that zero is one of them.

    >>> import torch
    >>> affinely_rounded(torch.tensor([0.0, 0.4, 0.9, 7.0]), 0.0, 3.0, bits=2)
    tensor([0., 0., 1., 3.])
    """
    low, high = min(low, 0.0), max(high, 0.0)
    scale: float = (high - low) / (2**bits - 1)
    if not scale > 0.0:
        return values
    zero = round(-low / scale)
    steps: Tensor = ((values / scale).round() + zero).clamp(0, 2**bits - 1) - zero
    return steps * scale


def _ranges(subject: Subject, layers: list[nn.Module]) -> dict[int, tuple[float, float]]:
    """The smallest and largest value that each layer is given; layers that are not called have none."""
    found: dict[int, tuple[float, float]] = {}

    def hook_of(number: int) -> Any:
        def hook(layer: nn.Module, given: tuple[Any, ...]) -> None:
            low, high = (end.item() for end in given[0].aminmax())
            before = found.get(number, (low, high))
            found[number] = (min(before[0], low), max(before[1], high))

        return hook

    hooks = [layer.register_forward_pre_hook(hook_of(number)) for number, layer in enumerate(layers)]
    try:
        subject.values()
    finally:
        for hook in hooks:
            hook.remove()
    return found
