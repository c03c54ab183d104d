"""Building optimizers by name."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from samcli.optim.ascent import Ascent
from samcli.optim.engine import SharpnessAware
from samcli.optim.variant import VARIANTS
from samcli.registry import options_of


def build(
    name: str, base: Optimizer, *, model: nn.Module | None = None, seed: int = 0, **options: Any
) -> SharpnessAware:
    """Build a member of the SAM family around a base optimizer.

    Args:
        name: `sam`, `asam`, ... as in `samcli list optimizers`.
        base: the optimizer that takes the step.
        model: see `SharpnessAware`.
        seed: of the variant's own random draws.
        options: the variant's hyper-parameters, `rho`, `norm`, ...; and those that all variants have, see `Ascent`:
            `m`, `ascent_fraction`, ...

    Raises:
        ConfigError: no variant of that name, or it cannot work so.
        TypeError: the variant has no such option.

    >>> model = torch.nn.Linear(2, 1)
    >>> base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    >>> build("asam", base, model=model, rho=0.5, m=16).variant
    ASAM(rho=0.5, eta=0.01, norm=2.0)
    """
    ascent = Ascent(**{key: options.pop(key) for key in options_of(Ascent) if key in options})
    return SharpnessAware(base, VARIANTS.create(name, **options), model=model, ascent=ascent, seed=seed)


def clip_gradient(base: Optimizer, max_norm: float) -> None:
    """Scale the gradient down to a 2-norm of at most `max_norm` just before each step of `base`.

    Under a sharpness-aware optimizer that is the gradient it descends. Clipping the gradient it climbs would be in
    vain: the ascent normalises it.

    >>> weight = torch.nn.Parameter(torch.zeros(2))
    >>> base = torch.optim.SGD([weight], lr=1.0)
    >>> clip_gradient(base, 0.5)
    >>> weight.grad = torch.tensor([3.0, 4.0])
    >>> base.step()
    >>> weight.data
    tensor([-0.3000, -0.4000])
    """

    def clip(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        del args, kwargs
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        torch.nn.utils.clip_grad_norm_(parameters, max_norm, foreach=True)

    base.register_step_pre_hook(clip)
