"""Equal compute: every optimizer trains for as many epochs as its passes allow, each with its own full schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from samcli.config.schema import Catalogue, RunConfig
from samcli.config.source import Source
from samcli.errors import ConfigError

PASSES = 2.0  # a step of the optimizer, SAM for one, that trains for `epochs` epochs

# what counts in epochs and is stretched with the training: a floating number, or milestones
STRETCHED = {
    "schedule": ("warmup_epochs", "milestones"),
    "optimizer": ("rho_warmup_epochs", "start_epoch", "end_epoch"),
}


def wants_equal_compute(value: Any, source: Source) -> bool:
    """Whether an experiment asks for it.

    Raises:
        ConfigError: neither yes nor no.

    >>> wants_equal_compute(True, Source({}))
    True
    """
    if not isinstance(value, bool):
        raise ConfigError(f"{source.where(('equal_compute',))}: equal_compute must be true or false, not {value!r}.")
    return value


def with_equal_compute(run: RunConfig, catalogue: Catalogue, source: Source) -> RunConfig:
    """The run with as many whole epochs as cost no more gradient evaluations than `epochs` epochs of two passes.

    SGD at twice the epochs against SAM. What a schedule or the optimizer counts in epochs is stretched likewise, so
    that every training sees its whole schedule.

    Raises:
        ConfigError: the cost of the optimizer is not known before training, or not even one epoch is left.
    """
    epochs, name = run.training.epochs, run.optimizer["name"]
    where = source.where(("equal_compute",))
    try:
        passes = catalogue.optimizer(run.optimizer).passes_per_step(run.training.batch_size, epochs)
    except ConfigError as error:
        raise ConfigError(
            f"{where}: equal_compute does not know how many epochs {name} may train, for {error}; "
            "leave this optimizer out, or train it in an experiment without equal_compute."
        ) from None
    allowed = int(epochs * PASSES / passes + 1e-9)
    if allowed < 1:
        raise ConfigError(
            f"{where}: {epochs * PASSES:g} passes over the training part are not one epoch of {name}, "
            f"which makes {passes:g} a step; set epochs to at least {-int(-passes // PASSES)}."
        )
    factor = allowed / epochs
    return replace(
        run,
        training=replace(run.training, epochs=allowed),
        schedule=_stretched(run.schedule, STRETCHED["schedule"], factor),
        optimizer=_stretched(run.optimizer, STRETCHED["optimizer"], factor),
    )


def _stretched(block: Mapping[str, Any], keys: tuple[str, ...], factor: float) -> dict[str, Any]:
    return {key: _times(value, factor) if key in keys else value for key, value in block.items()}


def _times(value: Any, factor: float) -> Any:
    if isinstance(value, tuple):
        return tuple(max(1, round(item * factor)) for item in value)
    return None if value is None else value * factor
