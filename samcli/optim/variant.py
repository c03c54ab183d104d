"""The choices that make a member of the SAM family; everything else is the engine's."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim.means import Descent, StepMeans
from samcli.registry import Registry, option
from samcli.weights.perturb import Epsilon

if TYPE_CHECKING:
    from samcli.optim.step import Step


@dataclass(frozen=True, kw_only=True)
class Variant(ABC):
    """A rule that turns gradients near the weights into the gradient that the base optimizer descends.

    `gradient` makes the passes of a step. Most rules look at the weights first and then around them: they are a
    `TwoPass`, and say no more than where to look. The fields of the class are the rule's hyper-parameters; what changes
    while training lives in `step.memory` and `step.state`, which the optimizer saves and restores.

    Attributes:
        passes: forward and backward passes per step, as a phrase for tables; see also `passes_per_step`.
        memory: extra memory within a step, in units of the weights, as a phrase for tables.
        paper: the source of the rule.
        year: of its publication.
        reuses_gradient: whether the rule reads `step.gradient` after a further pass. If not, the engine frees it before
            that pass, so that the rule costs one copy of the weights and no more.
        begins_at_weights: whether the first pass is at the weights, and with it the loss that a step returns and
            BatchNorm's running statistics.
        climbs_first: whether the first pass finds where to look, so that it may be cheaper than the others, see
            `Ascent`.
        base_defaults: other defaults for some of the base optimizer's options, by name.
        waits: whether the host waits for the device in some steps, because the rule decides by a result.
        repeats: whether every step launches the same operations with the same numbers, whatever its index and what the
            host keeps of earlier ones; see `signature`. Not inherited: a rule made from another may well look at the
            index.
        parts_apart: whether `gradient` keeps nothing of a micro-batch for the next, in `step.state` or `step.memory`,
            so that processes can take micro-batches side by side. Not inherited.
        takes_complex: whether the rule is right for complex parameters, in the 2-norm: it takes no inner products,
            signs or powers of elements. Not inherited.
        takes_sparse: whether it is right for sparse gradients, such as those of `nn.Embedding(sparse=True)`. Not
            inherited.
        uses_progress: whether the rule looks at `step.progress`, so that its steps depend on the number of epochs.
    """

    passes: ClassVar[str] = "2"
    memory: ClassVar[str] = "1"
    paper: ClassVar[str] = ""
    year: ClassVar[int] = 0
    reuses_gradient: ClassVar[bool] = False
    begins_at_weights: ClassVar[bool] = True
    climbs_first: ClassVar[bool] = False
    base_defaults: ClassVar[Mapping[str, Any]] = {}
    waits: ClassVar[bool] = False
    repeats: ClassVar[bool] = False
    parts_apart: ClassVar[bool] = False
    takes_complex: ClassVar[bool] = False
    takes_sparse: ClassVar[bool] = False
    uses_progress: ClassVar[bool] = False

    rho: float = option(0.05, "radius ρ of the neighbourhood; 0 is the base optimizer", minimum=0.0)

    @abstractmethod
    def gradient(self, step: Step) -> list[Tensor]:
        """The gradient for the base optimizer, one tensor for each of `step.parameters`, from all passes of a step.

        Not called while ρ is 0.
        """

    def update(self, step: Step, means: StepMeans, descend: Descent) -> None:
        """Update the weights, once all passes are done: by default one descent of the mean gradient.

        Not called while ρ is 0, nor after a gradient that the host found not to be finite.

        Args:
            step: the step of the last micro-batch, for what the rule keeps.
            means: over the micro-batches.
            descend: lets the base optimizer take a step along a gradient, given by parameter; may be called any number
                of times.
        """
        del step
        descend(means.gradient)

    def passes_per_step(self, batch_size: int) -> float | None:
        """How many examples go forward and backward in a step, in batches, on average over training.

        Not asked while ρ is 0, when it is one. By default the number that `passes` is, and None where it is a phrase.

        Args:
            batch_size: examples in a batch.

        Returns:
            None where the rule decides by what it sees, so that nobody knows before training.
        """
        del batch_size
        return float(self.passes) if self.passes.isdecimal() else None

    def signature(self, index: int, seed: int, state: Mapping[str, Any]) -> Hashable | None:
        """The host's decisions about a step: steps of one signature may be recorded once and replayed from then on.

        Not asked while ρ is 0.

        Args:
            index: of the step, from 0.
            seed: of the rule's random draws.
            state: `Step.state` before the step.

        Returns:
            Anything hashable; None if the host has to run each step, because it draws random numbers or waits for a
            result. By default one signature if the rule `repeats`, otherwise None.
        """
        del index, seed, state
        return "step" if self.declares("repeats") else None

    def declares(self, name: str) -> bool:
        """Whether this class itself, not one that it is made from, says so: `repeats`, `takes_complex`, ..."""
        return bool(vars(type(self)).get(name, False))

    def note_replay(self, index: int, state: dict[str, Any]) -> None:
        """Note in `Step.state` what the host itself would note in a step that the device has replayed."""
        del index, state

    def objection(self, base: Optimizer, model: nn.Module | None, *, m: int | None, scaled: bool) -> str:
        """The reason why the rule cannot work so, as a sentence that says what to do; empty if it can.

        Args:
            base: the optimizer that takes the step.
            model: the model whose parameters are optimised; None if the optimizer was not given it.
            m: size of the micro-batches, see `Ascent`; None without them.
            scaled: whether the loss is scaled, as for fp16.
        """
        del base, model, m, scaled
        return ""


@dataclass(frozen=True, kw_only=True)
class TwoPass(Variant):
    """A rule that takes the gradient at the weights first, and then decides where near them to take another.

    It is a choice of where to look (`ascend`), what to descend (`descend`), and when that is worth a second pass
    (`perturbs`).

    Attributes:
        decides_ahead: whether `perturbs` needs no gradient, and is asked before the first pass.
    """

    climbs_first: ClassVar[bool] = True
    decides_ahead: ClassVar[bool] = False

    @abstractmethod
    def ascend(self, step: Step) -> list[Tensor] | list[Epsilon]:
        """The perturbation ε, one entry for each of `step.parameters`, from the gradient at the weights."""

    def descend(self, step: Step) -> list[Tensor]:
        """The gradient for the base optimizer, one tensor for each of `step.parameters`: by default g(w + ε)."""
        return step.gradient_at(self.ascend(step))

    def perturbs(self, step: Step) -> bool:
        """Whether this step has a further pass at all; otherwise the base optimizer gets the plain gradient."""
        del step
        return True

    def gradient(self, step: Step) -> list[Tensor]:
        """Run the pass at the weights; then, if its gradient is finite and `perturbs` says so, `descend`."""
        if self.decides_ahead and not self.perturbs(step):
            return step.evaluate(whole=True)
        step.evaluate()
        if not step.parameters or not step.finite:
            return step.gradient
        if not self.decides_ahead and not self.perturbs(step):
            return step.complete()
        return self.descend(step)


VARIANTS: Registry[Variant] = Registry(
    "optimizer", advice={"gradient": "a rule that says no more than where to look (ascend) is a samcli.optim.TwoPass"}
)
