"""Averages of the weights along the steps of any optimizer: no further pass, and no step changes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import swa_utils

from samcli.errors import ConfigError
from samcli.registry import checks_options, option
from samcli.weights.batch_norm import batch_norms, recalibrate
from samcli.weights.guard import RandomState
from samcli.words import count

DECAY = 0.999
FROM = {"ema": 0.0, "swa": 0.75}


@checks_options
@dataclass(frozen=True, kw_only=True)
class Averaging:
    """The options of an average of the weights, the same for every optimizer.

    `swa` is the mean of the networks at the ends of the last epochs (Izmailov et al., UAI 2018; for convex problems
    Polyak and Juditsky 1992), `ema` an exponential moving average over all steps (Morales-Brotons et al., TMLR 2024).
    SWA's own learning rate, constant or cyclic in the end, is a matter of the schedule, which stays what it is.

    >>> swa = Averaging(average="swa", average_from=0.5)
    >>> [step for step in range(1, 13) if swa.takes(step, steps_per_epoch=3, epochs=4)]
    [9, 12]
    >>> Averaging(average_decay=0.99)
    Traceback (most recent call last):
    samcli.errors.ConfigError: average_decay has no effect without an average; set average: ema, or leave it out.
    """

    average: str | None = option(
        None,
        "average of the weights that is evaluated and kept: ema, exponential; swa, equal; null: none",
        choices=(None, "ema", "swa"),
    )
    average_decay: float | None = option(
        None, f"decay of ema for each network, less for the first ones; null: {DECAY:g}", minimum=0.0, below=1.0
    )
    average_from: float | None = option(
        None, "share of the epochs before the first network; null: 0 for ema, 0.75 for swa", minimum=0.0, below=1.0
    )
    average_every: int | None = option(
        None, "steps from one network to the next; null: 1 for ema, an epoch for swa", minimum=1
    )

    def __post_init__(self) -> None:
        for name in ("average_decay", "average_from", "average_every"):
            if self.average is None and getattr(self, name) is not None:
                kind = "ema" if name == "average_decay" else "ema or swa"
                raise ConfigError(f"{name} has no effect without an average; set average: {kind}, or leave it out.")
        if self.average == "swa" and self.average_decay is not None:
            raise ConfigError("average_decay has no effect on swa, a plain mean; set average: ema, or leave it out.")

    @property
    def begins(self) -> float:
        """The share of the epochs after which the average begins."""
        return FROM.get(self.average or "", 0.0) if self.average_from is None else self.average_from

    def takes(self, step: int, steps_per_epoch: int, epochs: int) -> bool:
        """Whether the network after a step is one of those averaged.

        Args:
            step: counted from 1 over the whole run.
            steps_per_epoch: batches in an epoch.
            epochs: of the run.
        """
        return self.taken(step, steps_per_epoch, epochs) > self.taken(step - 1, steps_per_epoch, epochs)

    def taken(self, step: int, steps_per_epoch: int, epochs: int) -> int:
        """How many networks have been averaged after a step; the arguments are those of `takes`."""
        if self.average is None:
            return 0
        every = self.average_every or (1 if self.average == "ema" else steps_per_epoch)
        before = math.floor(round(self.begins * epochs * steps_per_epoch, 6))  # 0.29 · 100 is less than 29
        return max(step // every - before // every, 0)

    def check(self, steps_per_epoch: int, epochs: int) -> None:
        """Refuse an average of fewer than two networks, which is none.

        Args:
            steps_per_epoch: batches in an epoch.
            epochs: of the run.

        Raises:
            ConfigError: with what to change.
        """
        steps = steps_per_epoch * epochs
        if self.average is not None and (found := self.taken(steps, steps_per_epoch, epochs)) < 2:
            have, length = count(found, "network"), count(epochs, "epoch")
            raise ConfigError(
                f"average: {self.average} has {have} to average in {length} of {count(steps_per_epoch, 'step')}; "
                "begin earlier (average_from), take more of them (average_every), or train for more epochs."
            )

    def decay(self, taken: int) -> float:
        """The decay of `ema` for the next network, min(decay, (1 + t)/(10 + t)) after t of them.

        A constant decay would keep the first network, next to the initial one, with the weight decayᵗ: 37 % after 1000
        steps of 0.999, many an experiment's whole training. This is the rule of TensorFlow's
        `ExponentialMovingAverage(num_updates=t)`. It reaches 0.999 after 8990 networks; before, the average is mostly
        one over the last tenth of them.

        >>> [round(Averaging(average="ema").decay(t), 3) for t in (1, 10, 100, 10000)]
        [0.182, 0.55, 0.918, 0.999]
        """
        limit = DECAY if self.average_decay is None else self.average_decay
        return min(limit, (1 + taken) / (10 + taken))


NONE = Averaging()


class WeightAverage:
    """The average of the weights of a model under training, a network beside it; torch's `AveragedModel`.

    The model is only read, and no random number is drawn. Parameters are averaged; buffers are those of the last
    network taken, until BatchNorm's statistics are recomputed, see `recalibrate`.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> average = WeightAverage(model, Averaging(average="swa", average_from=0.0), steps_per_epoch=1, epochs=3)
    >>> for step, weight in enumerate((1.0, 2.0, 6.0), start=1):
    ...     _ = model.weight.data.fill_(weight)
    ...     average.update(model, step)
    >>> average.networks, average.network.weight.item()
    (3, 3.0)

    Args:
        model: of the weights that training begins with, or will be given later.
        averaging: when a network is taken, and with which weight.
        steps_per_epoch: batches in an epoch.
        epochs: of the run.

    Raises:
        ConfigError: fewer than two networks would be averaged.
    """

    def __init__(self, model: nn.Module, averaging: Averaging, *, steps_per_epoch: int, epochs: int) -> None:
        averaging.check(steps_per_epoch, epochs)
        self._averaging, self._length = averaging, (steps_per_epoch, epochs)
        self._averaged = swa_utils.AveragedModel(model)

    @property
    def networks(self) -> int:
        """How many networks it is the average of; with none there is no average yet."""
        return int(self._averaged.n_averaged)  # on the host, whatever the device of the model

    @property
    def network(self) -> nn.Module:
        """The average as a network."""
        module: nn.Module = self._averaged.module
        return module

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take the model into the average, if the network after this step is one to be taken.

        Args:
            model: the one under training.
            step: the one that was made, counted from 1 over the whole run.
        """
        if not self._averaging.takes(step, *self._length):
            return
        if self.networks == 0:
            self._averaged.update_parameters(model)  # a copy
            return
        # what torch does, but for the count, which it moves to the model's device, and there the host waits
        self._mix(list(self.network.parameters()), list(model.parameters()))
        own, given = list(self.network.buffers()), list(model.buffers())
        if own:
            torch._foreach_copy_(own, given)
        self._averaged.n_averaged += 1

    def recalibrate(self, data: Iterable[tuple[Any, Any]], seed: int) -> bool:
        """Recompute the running statistics of BatchNorm, by one pass of the average over batches as in training.

        Those of the model belong to its own weights; with them an average of these can be as bad as guessing. As in
        torch's `update_bn` dropout is on, and frozen layers keep what they came with. Global random generators are
        left as they were.

        Args:
            data: (input, target) batches; not looked at without a layer that needs them.
            seed: of the random draws.

        Returns:
            Whether there was such a layer.
        """
        layers = batch_norms(self.network)
        if layers:
            random_state = RandomState(next((p.device for p in self.network.parameters()), torch.device("cpu")))
            try:
                torch.manual_seed(seed)
                recalibrate(self.network.train(), layers, data)
            finally:
                random_state.restore()
        self.network.eval()
        return bool(layers)

    def restore(self, weights: Mapping[str, Tensor], networks: int, step: int) -> None:
        """Continue with the average that there was after a step.

        Args:
            weights: the state dictionary of `network` then.
            networks: `networks` then.
            step: counted as in `update`.

        Raises:
            ValueError: after that step it is of another number of networks.
        """
        expected = self._averaging.taken(step, *self._length)
        if networks != expected:
            raise ValueError(f"the average is of {networks!r:.20} networks, not {expected}")
        self.network.load_state_dict(weights)
        self._averaged.n_averaged.fill_(networks)

    def _mix(self, averages: list[nn.Parameter], weights: list[nn.Parameter]) -> None:
        """Move each parameter's average towards the parameter by the share of one more network."""
        of_type: dict[torch.dtype, tuple[list[Tensor], list[Tensor]]] = {}
        for average, weight in zip(averages, weights, strict=True):
            own, given = of_type.setdefault(average.dtype, ([], []))
            own.append(average.detach())
            given.append(weight.detach())
        taken, is_ema = self.networks, self._averaging.average == "ema"
        rules: Any = swa_utils  # whose functions torch gives no types
        mix = rules.get_ema_multi_avg_fn(self._averaging.decay(taken)) if is_ema else rules.get_swa_multi_avg_fn()
        for own, given in of_type.values():
            mix(own, given, taken)
