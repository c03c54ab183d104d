"""Schedules of the radius ρ: when a variant is on, and how far it looks."""

from __future__ import annotations

import math
from dataclasses import dataclass

from samcli.errors import ConfigError
from samcli.registry import checks_options, option


@checks_options
@dataclass(frozen=True, kw_only=True)
class RadiusSchedule:
    """The radius ρ over training, as a factor of its top value: a pure function of the step, the same for all variants.

    >>> schedule = RadiusSchedule(rho_schedule="linear", start_epoch=1)
    >>> [schedule.factor(step, steps_per_epoch=1, epochs=4, lr_factor=1.0) for step in range(4)]
    [0.0, 0.75, 0.5, 0.25]
    """

    rho_schedule: str = option(
        "constant", "how ρ changes after its warm-up", choices=("constant", "linear", "cosine", "lr")
    )
    rho_warmup_epochs: float = option(0.0, "epochs over which ρ first rises linearly from 0", minimum=0.0)
    start_epoch: float = option(0.0, "finished epochs before which the base optimizer works alone", minimum=0.0)
    end_epoch: float | None = option(
        None, "finished epochs from which on the base optimizer works alone; null: never", minimum=0.0
    )

    def __post_init__(self) -> None:
        if self.end_epoch is not None and self.end_epoch <= self.start_epoch:
            raise ConfigError(
                f"end_epoch {self.end_epoch:g} is not after start_epoch {self.start_epoch:g}, and the rule would never "
                "work; set a later end_epoch, or leave it out."
            )

    def factor(self, step: int, steps_per_epoch: int, epochs: int, lr_factor: float) -> float:
        """ρ as a factor of its top value; 0 outside [start_epoch, end_epoch).

        `linear` and `cosine` fall to 0 at the end of training, `lr` follows the learning rate.

        Args:
            step: counted from 0 over the whole run.
            steps_per_epoch: batches in an epoch.
            epochs: of the run.
            lr_factor: the learning rate as a factor of its top value.
        """
        epoch = step / steps_per_epoch
        if epoch < self.start_epoch or (self.end_epoch is not None and epoch >= self.end_epoch):
            return 0.0
        since = step - math.ceil(self.start_epoch * steps_per_epoch)
        warmup = round(self.rho_warmup_epochs * steps_per_epoch)
        if since < warmup:
            return (since + 1) / warmup
        progress = step / (steps_per_epoch * epochs)
        return {
            "constant": 1.0,
            "linear": 1.0 - progress,
            "cosine": 0.5 * (1.0 + math.cos(math.pi * progress)),
            "lr": lr_factor,
        }[self.rho_schedule]


CONSTANT = RadiusSchedule()
