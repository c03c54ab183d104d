"""Parameter groups: parts of a network with a learning rate or a weight decay of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from samcli.weights.layers import depths_of


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """How the parameters of a network are parted.

    The rule of a variant sees all of them together, whatever their groups: its perturbation has one norm.

    Attributes:
        head_lr: learning rate of the head; None is that of all.
        layer_decay: factor of the learning rate for each layer that lies below the head, see
            `samcli.weights.layers.depths_of`; 1 is off.
        decay: `all` parameters, or `weights` alone: those of two dimensions or more, so that neither biases nor
            normalisation layers decay.
    """

    head_lr: float | None = None
    layer_decay: float = 1.0
    decay: str = "all"

    def of(self, model: nn.Module, outputs: int, *, lr: float, weight_decay: float) -> list[dict[str, Any]]:
        """The groups of a model's trainable parameters, as torch's optimizers take them.

        With nothing set there is one, which leaves rate and decay to the optimizer.

        Args:
            model: see `samcli.weights.layers.head_of`.
            outputs: columns of its output, by which the head is known.
            lr: the learning rate of the rest.
            weight_decay: of what decays.

        >>> model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
        >>> groups = Grouping(head_lr=1.0, layer_decay=0.5, decay="weights").of(model, 2, lr=0.1, weight_decay=5e-4)
        >>> [(len(group["params"]), group["lr"], group["weight_decay"]) for group in groups]
        [(1, 0.05, 0.0005), (1, 0.05, 0.0), (1, 1.0, 0.0005), (1, 1.0, 0.0)]
        """
        trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
        if self == WHOLE:
            return [{"params": list(trained.values())}]
        depths = depths_of(model, outputs)
        groups: dict[tuple[float, float], dict[str, Any]] = {}
        for name, parameter in trained.items():
            rate = self._rate(depths[name], lr)
            decays = weight_decay if self.decay == "all" or parameter.dim() >= 2 else 0.0
            group = groups.setdefault((rate, decays), {"params": [], "lr": rate, "weight_decay": decays})
            group["params"].append(parameter)
        return list(groups.values())

    def idle(self, model: nn.Module, outputs: int) -> list[str]:
        """What is set and reaches no parameter that is trained, with the reason, in clauses.

        Args:
            model: with its frozen parameters frozen.
            outputs: columns of its output, by which the head is known.

        >>> Grouping(layer_decay=0.5).idle(nn.Linear(2, 3), 3)
        ['layer_decay changes nothing, as the head alone is trained']
        """
        depths = depths_of(model, outputs)
        trained = {depths[name] for name, p in model.named_parameters() if p.requires_grad}
        clauses = []
        if self.layer_decay != 1 and trained == {0}:
            clauses.append("layer_decay changes nothing, as the head alone is trained")
        if self.head_lr is not None and 0 not in trained:
            clauses.append("head_lr changes nothing, as the head is frozen")
        return clauses

    def _rate(self, depth: int, lr: float) -> float:
        if depth == 0 and self.head_lr is not None:
            return self.head_lr
        return lr * self.layer_decay**depth


WHOLE = Grouping()
