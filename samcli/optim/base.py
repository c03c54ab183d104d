"""The base optimizers: torch's own, fused, so that an update is one pass over the parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from samcli.errors import ConfigError
from samcli.registry import Registry, option

Parameters = Iterable[nn.Parameter] | Iterable[dict[str, Any]]


class Base(ABC):
    """An optimizer that a variant can stand on, or that runs by itself."""

    @abstractmethod
    def build(self, parameters: Parameters) -> Optimizer:
        """The optimizer of torch for these parameters, or groups of them."""


BASES: Registry[Base] = Registry("optimizer")


@BASES.register("sgd")
@dataclass(frozen=True, kw_only=True)
class SGD(Base):
    """Stochastic gradient descent with momentum, weight decay added to the gradient."""

    lr: float = option(0.1, "learning rate at the top of the schedule", minimum=0.0)
    momentum: float = option(0.9, "heavy-ball momentum", minimum=0.0, below=1.0)
    nesterov: bool = option(False, "Nesterov's form of the momentum")
    weight_decay: float = option(0.0, "weight decay λ: λw joins the gradient", minimum=0.0)

    def __post_init__(self) -> None:
        if self.nesterov and self.momentum == 0.0:
            raise ConfigError("nesterov: true needs a momentum above 0; set momentum: 0.9 or nesterov: false.")

    def build(self, parameters: Parameters) -> Optimizer:
        return torch.optim.SGD(parameters, **asdict(self), fused=True)


@BASES.register("adam")
@dataclass(frozen=True, kw_only=True)
class Adam(Base):
    """Adam (Kingma and Ba, ICLR 2015), weight decay added to the gradient."""

    lr: float = option(1e-3, "learning rate at the top of the schedule", minimum=0.0)
    betas: tuple[float, float] = option((0.9, 0.999), "decay of the first and second moment", minimum=0.0, below=1.0)
    eps: float = option(1e-8, "added to the root of the second moment", above=0.0)
    weight_decay: float = option(0.0, "weight decay λ: λw joins the gradient", minimum=0.0)

    def build(self, parameters: Parameters) -> Optimizer:
        return torch.optim.Adam(parameters, **asdict(self), fused=True)


@BASES.register("adamw")
@dataclass(frozen=True, kw_only=True)
class AdamW(Base):
    """Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019)."""

    lr: float = option(1e-3, "learning rate at the top of the schedule", minimum=0.0)
    betas: tuple[float, float] = option((0.9, 0.999), "decay of the first and second moment", minimum=0.0, below=1.0)
    eps: float = option(1e-8, "added to the root of the second moment", above=0.0)
    weight_decay: float = option(0.01, "weight decay λ: w shrinks by the factor 1 - lr·λ", minimum=0.0)

    def build(self, parameters: Parameters) -> Optimizer:
        return torch.optim.AdamW(parameters, **asdict(self), fused=True)
