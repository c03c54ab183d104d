"""What a member of the SAM family decides; everything else is the engine's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from torch import Tensor

from samcli.optim.perturb import Epsilon
from samcli.registry import Registry, option

if TYPE_CHECKING:
    from samcli.optim.step import Step


@dataclass(frozen=True, kw_only=True)
class Variant(ABC):
    """A rule that turns gradients near the weights into the gradient that the base optimizer descends.

    A variant is a choice of where to look (`ascend`), what to descend (`descend`), and when it is worth a second pass
    (`perturbs`). Its fields are its hyper-parameters; what changes while training lives in `step.state`, a dictionary
    that the optimizer saves and restores.

    Attributes:
        passes: forward and backward passes per step, as a phrase for tables.
        memory: extra memory within a step, in units of the weights, as a phrase for tables.
        paper: the source of the rule.
        year: of its publication.
        reuses_gradient: whether `descend` reads `step.gradient` after a further pass. If not, the engine frees it
            before that pass, so that the rule costs one copy of the weights and no more.
        several_descents: whether `descend` lets the base optimizer step by itself, see `Step.base_step`.
    """

    passes: ClassVar[str] = "2"
    memory: ClassVar[str] = "1"
    paper: ClassVar[str] = ""
    year: ClassVar[int] = 0
    reuses_gradient: ClassVar[bool] = False
    several_descents: ClassVar[bool] = False

    rho: float = option(0.05, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)

    @abstractmethod
    def ascend(self, step: Step) -> list[Tensor] | list[Epsilon]:
        """ε, one entry for each of `step.parameters`, from the gradient at the weights."""

    def descend(self, step: Step) -> list[Tensor]:
        """The gradient for the base optimizer, one tensor for each of `step.parameters`: by default g(w + ε)."""
        return step.gradient_at(self.ascend(step))

    def perturbs(self, step: Step) -> bool:
        """Whether this step looks around at all; otherwise the base optimizer gets the plain gradient."""
        del step
        return True

    def gradient(self, step: Step) -> list[Tensor]:
        """All passes of a step: first at the weights; then, if that is sound and the schedule says so, `descend`.

        Not called while ρ is 0.
        """
        step.evaluate()
        if not step.parameters or not step.finite or not self.perturbs(step):
            return step.gradient
        return self.descend(step)


VARIANTS: Registry[Variant] = Registry("optimizer")
