"""Learning-rate schedules: pure functions of the step, so that a resumed run needs no state of theirs."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from samcli.registry import Registry, option


@dataclass(frozen=True, kw_only=True)
class Schedule(ABC):
    """The learning rate as a factor of its top value.

    Attributes:
        knows_the_end: whether a step before the end depends on where that is.
    """

    knows_the_end: ClassVar[bool] = True

    warmup_epochs: float = option(0.0, "epochs over which the learning rate first rises linearly from 0", minimum=0.0)

    def factor(self, step: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at a step, counted from 0 over the whole run.

        Warm-up reaches 1 at its last step; the rest of the run follows `shape`.
        """
        warmup = round(self.warmup_epochs * steps_per_epoch)
        if step < warmup:
            return (step + 1) / warmup
        remaining = max(epochs * steps_per_epoch - warmup, 1)
        return self.shape((step - warmup) / remaining, step / steps_per_epoch)

    @abstractmethod
    def shape(self, progress: float, epoch: float) -> float:
        """The factor after the warm-up: `progress` from 0 to 1 since then, `epoch` since the start of the run."""


SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.register("constant")
@dataclass(frozen=True, kw_only=True)
class Constant(Schedule):
    """The same learning rate throughout."""

    knows_the_end: ClassVar[bool] = False

    def shape(self, progress: float, epoch: float) -> float:
        del progress, epoch
        return 1.0


@SCHEDULES.register("cosine")
@dataclass(frozen=True, kw_only=True)
class Cosine(Schedule):
    """Half a cosine from the top to 0, stepwise (Loshchilov and Hutter, ICLR 2017, without restarts)."""

    def shape(self, progress: float, epoch: float) -> float:
        del epoch
        return 0.5 * (1.0 + math.cos(math.pi * progress))


@SCHEDULES.register("multi-step")
@dataclass(frozen=True, kw_only=True)
class MultiStep(Schedule):
    """The learning rate drops by a factor at given epochs."""

    knows_the_end: ClassVar[bool] = False

    milestones: tuple[int, ...] = option((60, 120, 160), "finished epochs after which the rate drops", minimum=1)
    gamma: float = option(0.2, "factor of each drop", above=0.0, maximum=1.0)

    def shape(self, progress: float, epoch: float) -> float:
        del progress
        return self.gamma ** sum(epoch >= milestone for milestone in self.milestones)
