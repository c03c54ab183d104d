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
    ascent_fraction: float = 1.0,
    ascent_dtype: torch.dtype | None = None,
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
        ascent_fraction: share of the batch in the passes that find where to look.
        ascent_dtype: of autocast in those passes.
        seed: of the variant's own random draws.
        options: the variant's hyper-parameters: `rho`, `norm`, ...

    Raises:
        ConfigError: no variant of that name.
        TypeError: the variant has no such option.
    """
    variant = VARIANTS.create(name, **options)
    return SharpnessAware(
        base,
        variant,
        model=model,
        m=m,
        ascent_weight_decay=ascent_weight_decay,
        ascent_fraction=ascent_fraction,
        ascent_dtype=ascent_dtype,
        seed=seed,
    )


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
    base = _base_of(settings, model)
    if clip_norm is not None:
        clip_gradient(base, clip_norm)
    return _surrounded(base, settings, model, seed)


def check_settings(settings: Mapping[str, Any], model: nn.Module, *, scaled: bool) -> None:
    """Find out, without a step, that an `optimizer:` block cannot work.

    Args:
        settings: as for `build_from_settings`.
        model: may be on the meta device.
        scaled: whether the loss will be scaled, as for fp16.

    Raises:
        ConfigError: it cannot; see `Variant.objection`.
    """
    base = _base_of(settings, nn.Linear(1, 1))  # fused optimizers take no parameters without numbers
    optimizer = _surrounded(base, settings, model, seed=0)
    if isinstance(optimizer, SharpnessAware):
        optimizer.check(scaled=scaled)


def _base_of(settings: Mapping[str, Any], model: nn.Module) -> Optimizer:
    name = settings["base"] if settings["name"] in VARIANTS else settings["name"]
    options = {key: settings[key] for key in BASES.options(name)}
    return BASES.create(name, **options).build(p for p in model.parameters() if p.requires_grad)


def _surrounded(base: Optimizer, settings: Mapping[str, Any], model: nn.Module, seed: int) -> Optimizer:
    name = settings["name"]
    if name not in VARIANTS:
        return base
    around = around_of(settings)
    return build(
        name,
        base,
        model=model,
        m=around.m,
        ascent_weight_decay=around.ascent_weight_decay,
        ascent_fraction=around.ascent_fraction,
        ascent_dtype=around.ascent_dtype,
        seed=seed,
        **{key: settings[key] for key in VARIANTS.options(name)},
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
