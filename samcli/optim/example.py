"""A model whose steps can be worked out in the head, for the examples in the docstrings of the rules."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from samcli.optim.batch import Batch
from samcli.optim.build import build


class Bowl(nn.Module):
    """A quadratic loss, L(w) = ½ Σᵢ cᵢ wᵢ², with the curvatures cᵢ.

    Its gradient is c w, element by element. Where all cᵢ are 1, as they are by default, that is w itself, and a step of
    gradient descent at the learning rate 1 ends at the bottom, at 0. A step along ∇L(w + ε) = w + ε ends at -ε: what
    `after` returns is then the perturbation that a rule chose, with the other sign.

    >>> Bowl((3.0, 4.0)).after("sam", rho=0.5)  # -0.5 w / ‖w‖
    tensor([-0.3000, -0.4000])

    The outputs, one row for each example, are the weights themselves, so that rules about classes take them for logits.
    w is all parameters of the module in one vector, those of a layer that is set as an attribute among them.

    Args:
        weight: the parameter called weight.
        bias: the parameter called bias; none if empty.
        curvatures: (B, D) or what broadcasts to it, c of each of the B examples of a batch. The loss is their mean.
    """

    def __init__(
        self,
        weight: Sequence[float],
        bias: Sequence[float] = (),
        *,
        curvatures: Sequence[Sequence[float]] = ((1.0,),),
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))
        self.bias = nn.Parameter(torch.tensor(bias)) if bias else None
        self._curvatures = torch.tensor(curvatures)

    def forward(self, inputs: Tensor) -> Tensor:
        """The weights, (B, D), whatever the inputs are, (B, ...)."""
        return self._flat().expand(len(inputs), -1)

    def after(
        self,
        variant: str,
        *,
        steps: int = 1,
        lr: float = 1.0,
        momentum: float = 0.0,
        progress: float | None = None,
        **options: Any,
    ) -> Tensor:
        """The weights, (D,), after some steps of SGD under a variant; those of the bowl itself stay.

        Args:
            variant: its name.
            steps: the number of steps, all on the same batch.
            lr: learning rate of SGD.
            momentum: of SGD.
            progress: the finished share of training at every step, see `SharpnessAware`.
            options: of the variant, see `build`.
        """
        model = copy.deepcopy(self)
        base = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
        optimizer = build(variant, base, model=model, **options)
        optimizer.progress = progress
        examples = torch.arange(len(self._curvatures))
        for _ in range(steps):
            optimizer.step(Batch(model, _loss, examples, self._curvatures, indices=examples))
        return model._flat().detach()

    def _flat(self) -> Tensor:
        return torch.cat([p.flatten() for p in self.parameters()])


def _loss(outputs: Tensor, curvatures: Tensor) -> Tensor:
    return 0.5 * (curvatures * outputs.square()).sum(1).mean()
