"""Trainings that come before a run's own: `stages:` of an experiment."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from samcli.config.schema import Evaluation, RunConfig, Sharpness, Training, vars_of
from samcli.config.source import Source
from samcli.errors import ConfigError, nearest
from samcli.registry import options_of

BLOCKS = ("dataset", "optimizer", "schedule")
KEYS = (*BLOCKS, *(key for key in options_of(Training) if key != "keep"))  # of a stage the last epoch goes on
MOST = 10  # stages, so that a grid of them ends

Expand = Callable[[Source], list[RunConfig]]


def stages_of(source: Source, value: Any) -> list[dict[str, Any]]:
    """The stages that a document lists, each as written.

    Raises:
        ConfigError: it is no list of blocks, or one of them has a key that no stage has.

    >>> stages_of(Source({}), [{"dataset": "wine", "epochs": 3}])
    [{'dataset': 'wine', 'epochs': 3}]
    """
    stages = [value] if isinstance(value, dict) else value
    if not isinstance(stages, list) or len(stages) > MOST or not all(isinstance(one, dict) and one for one in stages):
        raise ConfigError(
            f"{source.where(('stages',))}: stages must be a list of at most {MOST} blocks such as "
            "{dataset: digits, optimizer: sam, epochs: 10}: the trainings that come before this one."
        )
    for number, stage in enumerate(stages):
        for key in stage:
            if key not in KEYS:
                what = "the model is one for all stages." if key == "model" else nearest(str(key), KEYS)
                raise ConfigError(f"{source.where(('stages', number, key))}: a stage has no {key!r}; {what}")
    return [dict(stage) for stage in stages]


def with_stages(run: RunConfig, stages: Sequence[Mapping[str, Any]], source: Source, expand: Expand) -> list[RunConfig]:
    """The run behind each choice of what its stages may be; what a stage leaves out is as in the run itself.

    Args:
        run: as it is without stages.
        stages: see `stages_of`; each may hold lists.
        source: the document, for messages.
        expand: the runs that a document describes.

    Raises:
        ConfigError: a value that does not fit its option.
    """
    if not stages:
        return [run]
    inherited = {key: value for key, value in run.document().items() if key in (*KEYS, "model")}
    choices = []
    for number, stage in enumerate(stages):
        try:
            found = expand(Source({**inherited, **stage}, source.name, trusted=source.trusted))
        except ConfigError as error:
            raise ConfigError(f"{source.where(('stages', number))}: stage {number + 1}: {error}") from None
        choices.append([_stage(one) for one in found])
    return [dataclasses.replace(run, stages=tuple(chosen)) for chosen in itertools.product(*choices)]


def stage_runs(run: RunConfig) -> list[RunConfig]:
    """The trainings that come before a run, as runs of their own: evaluated after their last epoch, and not measured.

    They see all examples in one place, also before rounds of clients.

    Each begins where the one before it ended, the first with the model's `init`, which is therefore a part of what the
    later ones are too; all of them train the whole of the run's model, by the run's seed.
    """
    found = []
    for number, stage in enumerate(run.stages):
        training = Training(**{key: value for key, value in stage.items() if key not in BLOCKS})
        found.append(
            dataclasses.replace(
                run,
                dataset=stage["dataset"],
                model=_whole(run.model),
                optimizer=stage["optimizer"],
                schedule=stage["schedule"],
                training=training,
                stages=run.stages[:number],
                federated=None,
                sharpness=Sharpness(every=0),
                evaluate=Evaluation(every=training.epochs),
            )
        )
    return found


def trainings_of(run: RunConfig) -> list[RunConfig]:
    """The trainings that a run is made of, in their order: its stages, and itself."""
    return [*stage_runs(run), run]


def flat_stages(stages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings of stages by dotted keys: an option of the optimizer needs no more than its name.

    >>> flat_stages([{"optimizer": {"name": "sam", "rho": 0.1}, "dataset": {"name": "wine"}, "epochs": 3}])
    {'stage1.optimizer': 'sam', 'stage1.rho': 0.1, 'stage1.dataset': 'wine', 'stage1.epochs': 3}
    """
    flat: dict[str, Any] = {}
    for number, stage in enumerate(stages, 1):
        for key, value in stage.items():
            options = value.items() if isinstance(value, Mapping) else [("name", value)]
            for option, setting in options:
                inner = key if option == "name" else option if key == "optimizer" else f"{key}.{option}"
                flat[f"stage{number}.{inner}"] = setting
    return flat


def is_of_optimizer(key: str) -> bool:
    """Whether a key of `flat_stages` is of a stage's optimizer: its name, or one of its options.

    >>> [is_of_optimizer(key) for key in ("stage1.optimizer", "stage1.rho", "stage1.epochs", "stage2.dataset.name")]
    [True, True, False, False]
    """
    inner = key.partition(".")[2].partition(".")[0]
    return key.startswith("stage") and inner not in ("dataset", "schedule", *options_of(Training))


def remembered(expand: Expand) -> Expand:
    """The same function, which computes what it has computed before no second time."""
    known: dict[str, list[RunConfig]] = {}

    def look_up(source: Source) -> list[RunConfig]:
        key = json.dumps(source.data, sort_keys=True, default=str)
        if key not in known:
            known[key] = expand(source)
        return known[key]

    return partial(look_up)


def _whole(model: Mapping[str, Any]) -> dict[str, Any]:
    return {**model, "freeze": ("none",)} if "freeze" in model else dict(model)


def _stage(run: RunConfig) -> dict[str, Any]:
    settings = {key: value for key, value in vars_of(run.training).items() if key in KEYS}
    return {**{key: getattr(run, key) for key in BLOCKS}, **settings}
