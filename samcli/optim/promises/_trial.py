"""A small training that promises are tried on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from samcli.optim.ascent import WHOLE, Ascent
from samcli.optim.base import Base
from samcli.optim.batch import Batch
from samcli.optim.engine import SharpnessAware
from samcli.optim.variant import Variant


class Network(nn.Module):
    """A small network with what makes further passes delicate.

    It has BatchNorm, dropout, a parameter that no loss depends on, and one that is frozen.
    """

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(4 * 36, 3)
        self.unused = nn.Linear(2, 2)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, 8, 8) to (B, 3)."""
        hidden = self.norm(self.conv(x)).relu().flatten(1)
        kept = self.dropout(torch.ones_like(hidden))  # a mask that does not depend on where the weights are
        output: Tensor = self.head(hidden * kept) * self.frozen
        return output


@dataclass
class Trial:
    """A fresh network under a variant, with batches to train it on.

    >>> from samcli.optim import BASES, VARIANTS
    >>> trial = Trial(VARIANTS.create("sam"), BASES.create("sgd"))
    >>> trial.train(0, 3)
    >>> int(trial.model.norm.num_batches_tracked)
    3

    Attributes:
        variant: the rule under trial.
        base: the settings of the base optimizer.
        dropout: of the network.
        ascent: the options of the variant's ascent.
        model: the network.
        inner: the base optimizer.
        optimizer: the variant around it.
    """

    variant: Variant
    base: Base
    dropout: float = 0.5
    ascent: Ascent = WHOLE
    model: Network = field(init=False)
    inner: Optimizer = field(init=False)
    optimizer: SharpnessAware = field(init=False)

    def __post_init__(self) -> None:
        torch.manual_seed(0)
        self.model = Network(self.dropout)
        self.inner = self.base.build(self.model.parameters())
        self.optimizer = SharpnessAware(self.inner, self.variant, model=self.model, ascent=self.ascent)

    def batch(self, index: int, factor: float = 1.0, **options: Any) -> Batch:
        """The closure of one of the batches, 16 examples of 64, which come again after 4 batches.

        Args:
            index: of the batch.
            factor: multiplies its inputs.
            options: of `Batch`.
        """
        generator = torch.Generator().manual_seed(index)
        x = torch.randn(16, 1, 8, 8, generator=generator) * factor
        y = torch.randint(3, (16,), generator=generator)
        indices = torch.arange(16) + 16 * (index % 4)
        return Batch(self.model, nn.functional.cross_entropy, x, y, indices=indices, **options)

    def train(self, first: int, last: int, **options: Any) -> None:
        """Steps on some of the batches, each with dropout masks of its own; training is at its end after twenty."""
        for index in range(first, last):
            torch.manual_seed(index)
            self.optimizer.progress = min(index / 20, 1.0)
            self.optimizer.step(self.batch(index, **options))

    def stand_still(self) -> None:
        """Set every learning rate to zero."""
        for group in self.optimizer.param_groups:
            group["lr"] = 0.0

    def weights(self) -> dict[str, Tensor]:
        """A copy of the parameters."""
        return {name: p.detach().clone() for name, p in self.model.named_parameters()}

    def objection(self, *, m: int | None = None, scaled: bool = False) -> str:
        """The reason why the variant cannot work so, see `Variant.objection`; empty if it can."""
        return self.variant.objection(self.inner, self.model, m=m, scaled=scaled)


def after_steps(trial: Trial, steps: int, **options: Any) -> str:
    """Train, and say what is unsound about the weights after it; empty if nothing is."""
    before = trial.weights()
    trial.train(0, steps, **options)
    found = unsound(before, trial.weights())
    return found and f"after {steps} steps {found}"


def unsound(before: dict[str, Tensor], after: dict[str, Tensor]) -> str:
    """Say what is wrong with weights that should be finite and have moved; empty if nothing is.

    >>> unsound({"head.weight": torch.zeros(1)}, {"head.weight": torch.tensor([float("nan")])})
    'not finite: head.weight'
    """
    bad = [name for name, w in after.items() if not bool(torch.isfinite(w).all())]
    if bad:
        return f"not finite: {', '.join(bad)}"
    return "" if not torch.equal(before["head.weight"], after["head.weight"]) else "nothing moved"


def differing(a: dict[str, Tensor], b: dict[str, Tensor]) -> str:
    """The names of the tensors that are not the same bit for bit.

    >>> differing({"a": torch.zeros(1), "b": torch.zeros(1)}, {"a": torch.zeros(1), "b": torch.ones(1)})
    'b'
    """
    return ", ".join(name for name in a if not torch.equal(a[name], b[name]))
