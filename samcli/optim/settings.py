"""The settings of an optimizer as an experiment writes them, split once by what each of them is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer

from samcli.errors import ConfigError
from samcli.optim.ascent import WHOLE, Ascent
from samcli.optim.average import NONE, Averaging, WeightAverage
from samcli.optim.base import BASES, Base
from samcli.optim.build import clip_gradient
from samcli.optim.engine import SharpnessAware
from samcli.optim.groups import WHOLE as ONE_GROUP
from samcli.optim.groups import Grouping
from samcli.optim.radius_schedule import CONSTANT, RadiusSchedule
from samcli.optim.variant import VARIANTS, Variant
from samcli.registry import options_of


@dataclass(frozen=True)
class OptimizerSettings:
    """One resolved `optimizer:` block of an experiment, in parts.

    >>> block = {"name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0}
    >>> OptimizerSettings.of(block).base
    SGD(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)

    Attributes:
        base: the optimizer that takes the step.
        variant: the rule around it; None for the base optimizer alone.
        ascent: the options of the variant's ascent.
        radius: the schedule of its radius over training.
        averaging: the average of the weights that is the result, if one is.
    """

    base: Base
    variant: Variant | None = None
    ascent: Ascent = WHOLE
    radius: RadiusSchedule = CONSTANT
    averaging: Averaging = NONE

    @classmethod
    def of(cls, block: Mapping[str, Any]) -> OptimizerSettings:
        """Split a block into its parts.

        Args:
            block: `name` and the options of the base optimizer; for a variant also `base`, the variant's own options,
                and those of `Ascent` and `RadiusSchedule`; for both those of `Averaging`. The options of these three
                may be left out.

        Raises:
            ConfigError: no such name, or options that exclude each other.
        """
        name = block["name"]
        averaging = Averaging(**{key: block[key] for key in options_of(Averaging) if key in block})
        if name not in VARIANTS:
            base = BASES.create(name, **{key: block[key] for key in BASES.options(name)})
            return cls(base, averaging=averaging)
        of = block["base"]
        return cls(
            BASES.create(of, **{key: block[key] for key in BASES.options(of)}),
            VARIANTS.create(name, **{key: block[key] for key in VARIANTS.options(name)}),
            Ascent(**{key: block[key] for key in options_of(Ascent) if key in block}),
            RadiusSchedule(**{key: block[key] for key in options_of(RadiusSchedule) if key in block}),
            averaging,
        )

    def passes_per_step(self, batch_size: int, epochs: int) -> float:
        """How many examples go forward and backward in a step, in batches, on average over a training.

        Args:
            batch_size: examples in a batch.
            epochs: of the training, over which the variant may be at work for a part only.

        Raises:
            ConfigError: the rule decides it by what it sees.

        >>> block = {"name": "sam", "base": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0}
        >>> block |= {"rho": 0.05, "norm": 2.0, "ascent_steps": 2, "start_epoch": 5.0}
        >>> OptimizerSettings.of(block).passes_per_step(128, epochs=20)
        2.5
        """
        if self.variant is None or self.variant.rho == 0.0:
            return 1.0
        if self.variant.climbs_first and self.ascent.ascent_fraction < 1.0:
            raise ConfigError("what ascent_fraction saves is known after training only")
        passes = self.variant.passes_per_step(self.ascent.m or batch_size)
        if passes is None:
            raise ConfigError("it decides by what it sees how many passes a step makes")
        end = epochs if self.radius.end_epoch is None else min(self.radius.end_epoch, epochs)
        share = max(end - self.radius.start_epoch, 0.0) / epochs
        return 1.0 + (passes - 1.0) * share

    def build(
        self,
        model: nn.Module,
        *,
        clip_norm: float | None = None,
        seed: int = 0,
        grouping: Grouping = ONE_GROUP,
        outputs: int = 1,
    ) -> Optimizer:
        """Build the optimizer of a model's trainable parameters.

        Args:
            model: see `SharpnessAware`.
            clip_norm: the largest 2-norm of the gradient that the base optimizer may take, see `clip_gradient`.
            seed: of the variant's own random draws.
            grouping: which parameters have a learning rate or a weight decay of their own.
            outputs: columns of the model's output, by which its head is known.

        Raises:
            ConfigError: the variant cannot work so, see `Variant.objection`.
        """
        options = {key: float(getattr(self.base, key, 0.0)) for key in ("lr", "weight_decay")}
        base = self.base.build(grouping.of(model, outputs, **options))
        if clip_norm is not None:
            clip_gradient(base, clip_norm)
        return self._with_variant(base, model, seed)

    def average_of(self, model: nn.Module, steps_per_epoch: int, epochs: int) -> WeightAverage | None:
        """The average of a model's weights that the settings ask for, of no network yet; None without one.

        Args:
            model: see `WeightAverage`.
            steps_per_epoch: batches in an epoch.
            epochs: of the run.

        Raises:
            ConfigError: fewer than two networks would be averaged.
        """
        if self.averaging.average is None:
            return None
        return WeightAverage(model, self.averaging, steps_per_epoch=steps_per_epoch, epochs=epochs)

    def check(self, model: nn.Module, *, scaled: bool) -> None:
        """Refuse, without a step, an optimizer that cannot work with a model.

        Args:
            model: may be on the meta device.
            scaled: whether the loss will be scaled, as for fp16.

        Raises:
            ConfigError: it cannot; see `Variant.objection`.
        """
        base = self.base.build(nn.Linear(1, 1).parameters())  # fused optimizers take no parameters without numbers
        optimizer = self._with_variant(base, model, seed=0)
        if isinstance(optimizer, SharpnessAware):
            optimizer.check(scaled=scaled)

    def _with_variant(self, base: Optimizer, model: nn.Module, seed: int) -> Optimizer:
        if self.variant is None:
            return base
        return SharpnessAware(base, self.variant, model=model, ascent=self.ascent, seed=seed)
