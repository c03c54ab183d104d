"""Building optimizers by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from samcli.optim.around import Around
from samcli.optim.base import BASES
from samcli.optim.engine import SharpnessAware
from samcli.optim.variant import VARIANTS
from samcli.registry import options_of


def build(
    name: str,
    base: Optimizer,
    *,
    model: nn.Module | None = None,
    m: int | None = None,
    ascent_weight_decay: bool = False,
    seed: int = 0,
    **options: Any,
) -> SharpnessAware:
    """A member of the SAM family around a base optimizer.

    Args:
        name: `sam`, `asam`, ... as in `samcli list optimizers`.
        base: the optimizer that takes the step.
        model: see `SharpnessAware`, as for the next three.
        m: size of the micro-batches that are perturbed each by itself.
        ascent_weight_decay: whether the climbed gradient contains the weight decay.
        seed: of the variant's own random draws.
        options: the variant's hyper-parameters: `rho`, `norm`, ...

    Raises:
        ConfigError: no variant of that name.
        TypeError: the variant has no such option.
    """
    variant = VARIANTS.create(name, **options)
    return SharpnessAware(base, variant, model=model, m=m, ascent_weight_decay=ascent_weight_decay, seed=seed)


def build_from_settings(
    settings: Mapping[str, Any], model: nn.Module, *, clip_norm: float | None = None, seed: int = 0
) -> Optimizer:
    """The optimizer that one resolved `optimizer:` block of an experiment describes.

    Args:
        settings: `name`; for a variant its options, those of `Around`, and `base`; the options of the base optimizer.
        model: whose trainable parameters are optimised.
        clip_norm: the largest 2-norm of the gradient that the base optimizer may take, see `clip_gradient`.
        seed: of the variant's own random draws.
    """
    name = settings["name"]
    base_name = settings["base"] if name in VARIANTS else name
    base_options = {key: settings[key] for key in BASES.options(base_name)}
    base = BASES.create(base_name, **base_options).build(p for p in model.parameters() if p.requires_grad)
    if clip_norm is not None:
        clip_gradient(base, clip_norm)
    if name not in VARIANTS:
        return base
    options = {key: settings[key] for key in VARIANTS.options(name)}
    around = around_of(settings)
    return build(
        name, base, model=model, m=around.m, ascent_weight_decay=around.ascent_weight_decay, seed=seed, **options
    )


def around_of(settings: Mapping[str, Any]) -> Around:
    """What surrounds the variant of an `optimizer:` block; the defaults for a plain optimizer."""
    return Around(**{key: settings[key] for key in options_of(Around) if key in settings})


def clip_gradient(base: Optimizer, max_norm: float) -> None:
    """Scale the gradient down to a 2-norm of at most `max_norm` just before each step of `base`.

    Under a sharpness-aware optimizer that is the gradient it descends. Clipping the gradient it climbs would be in
    vain: the ascent normalises it.
    """

    def clip(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        del args, kwargs
        parameters = [p for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        torch.nn.utils.clip_grad_norm_(parameters, max_norm, foreach=True)

    base.register_step_pre_hook(clip)
