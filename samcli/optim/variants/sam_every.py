"""SAM at every k-th step."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from samcli.optim.step import Step
from samcli.optim.variant import VARIANTS, TwoPass
from samcli.registry import option
from samcli.weights.geometry import steepest_ascent


@VARIANTS.register("sam-every")
@dataclass(frozen=True, kw_only=True)
class SAMEvery(TwoPass):
    """SAM at every k-th step, the base optimizer at the others.

    ::

        w ← base(w, ∇L(w + ρ g / ‖g‖₂))   at steps 0, k, 2k, ...
        w ← base(w, g)                    at the others

    with g = ∇L(w). From no paper: the library Composer (MosaicML, 2022) calls k the interval of its SAM.

    Cost: 1 + 1/k forward and backward passes. State: none, the step is counted by the optimizer, and saved with it.
    Defaults: ρ = 0.5 with k = 10, as Composer documents for ResNet-50 on ImageNet; none are known for CIFAR.

    >>> from samcli.optim.example import Bowl
    >>> bowl = Bowl((4.0,))  # w - (w + 1)/2, then w - w/2, then again w - (w + 1)/2
    >>> [bowl.after("sam-every", rho=1.0, k=2, lr=0.5, steps=steps).item() for steps in (1, 2, 3)]
    [1.5, 0.75, -0.125]
    """

    decides_ahead: ClassVar[bool] = True
    passes: ClassVar[str] = "1 + 1/k"
    paper: ClassVar[str] = "Composer, MosaicML"
    year: ClassVar[int] = 2022
    parts_apart: ClassVar[bool] = True
    takes_complex: ClassVar[bool] = True
    takes_sparse: ClassVar[bool] = True

    rho: float = option(0.5, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)
    k: int = option(10, "SAM's second pass is run every k-th step", minimum=1)

    def ascend(self, step: Step) -> list[Tensor]:
        return steepest_ascent(step.ascent_gradient, step.rho)

    def perturbs(self, step: Step) -> bool:
        return self._due(step.index)

    def passes_per_step(self, batch_size: int) -> float:
        del batch_size
        return 1.0 + 1.0 / self.k

    def signature(self, index: int, seed: int, state: Mapping[str, Any]) -> Hashable:
        return self._due(index)

    def _due(self, index: int) -> bool:
        return index % self.k == 0
