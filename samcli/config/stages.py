"""Trainings that come before a run's own: `stages:` of an experiment."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from samcli.config.block import as_list
from samcli.config.schema import Evaluation, RunConfig, Sharpness, Training, plain, vars_of
from samcli.config.source import Source
from samcli.errors import ConfigError, nearest
from samcli.registry import options_of

BLOCKS = ("dataset", "optimizer", "schedule")
REPEATING = ("repeat", "step")
OWN = ("labels", "drop")  # of each training by itself: what a stage leaves out of these has its default
KEYS = (*BLOCKS, *(key for key in options_of(Training) if key != "keep"))  # of a stage the last epoch goes on
MOST = 10  # blocks of stages, so that a grid of them ends
MOST_TURNS = 1000  # of one that is repeated

V = TypeVar("V")
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
            if key not in (known := (*KEYS, *REPEATING)):
                what = "the model is one for all stages." if key == "model" else nearest(str(key), known)
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
    inherited = {key: value for key, value in run.document().items() if key in (*KEYS, "model") and key not in OWN}
    choices = []
    for number, stage in enumerate(stages):
        settings = {key: value for key, value in stage.items() if key not in REPEATING}

        def expanded(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
            return [_stage(one) for one in expand(Source(dict(settings), source.name, trusted=source.trusted))]

        try:
            found = expanded({**inherited, **settings})
            turns = repetitions(stage)
            for one, turn in itertools.product(found if turns else (), turns):
                last = turn_of({**one, **turn}, turn["repeat"] - 1)  # what steps lead to has to fit as well
                expanded({**inherited, **{key: plain(value) for key, value in last.items()}})
        except ConfigError as error:
            raise ConfigError(f"{source.where(('stages', number))}: stage {number + 1}: {error}") from None
        choices.append([{**one, **turn} for one, turn in itertools.product(found, turns or [{}])])
    return [dataclasses.replace(run, stages=tuple(chosen)) for chosen in itertools.product(*choices)]


def repetitions(stage: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `repeat` and `step` of a stage may be, each with both; empty for one that is not repeated.

    Raises:
        ConfigError: `repeat` is no number of times, or `step` does not name numbers to add.

    >>> repetitions({"epochs": 3, "repeat": 2, "step": {"dataset.examples_from": [0, 50]}})[1]
    {'repeat': 2, 'step': {'dataset.examples_from': 50}}
    """
    if "repeat" not in stage:
        if "step" in stage:
            raise ConfigError("step says what is added at each repetition; set repeat as well.")
        return []
    times, step = as_list(stage["repeat"]), stage.get("step") or {}
    if not all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= MOST_TURNS for one in times):
        raise ConfigError(f"repeat must be how often the stage is trained, from 1 to {MOST_TURNS}.")
    if not isinstance(step, Mapping) or not all(map(_is_number, (one for v in step.values() for one in as_list(v)))):
        raise ConfigError("step must name numbers to add at each repetition, such as {dataset.rotate: 2.5}.")
    ways = [dict(zip(step, values, strict=True)) for values in itertools.product(*map(as_list, step.values()))]
    return [{"repeat": one, "step": way} for one, way in itertools.product(times, ways)]


def turn_of(stage: Mapping[str, Any], turn: int) -> dict[str, Any]:
    """A stage as it is trained at a repetition, from 0: so many steps are added to each number that `step` names.

    Raises:
        ConfigError: `step` names what the stage does not have, or what is no number.

    >>> stage = {"dataset": {"name": "digits", "rotate": (0.0, 5.0)}, "repeat": 9, "step": {"dataset.rotate": 2.5}}
    >>> turn_of(stage, 2)
    {'dataset': {'name': 'digits', 'rotate': (5.0, 10.0)}}
    """
    made = {key: dict(value) if isinstance(value, Mapping) else value for key, value in stage.items()}
    for key, step in (made.pop("step", None) or {}).items():
        section, _, option = str(key).rpartition(".")
        block = made.get(section) if section else made
        value = block.get(option) if isinstance(block, dict) else None
        numbers = list(value) if isinstance(value, list | tuple) else [value]
        if block is None or not numbers or not all(map(_is_number, numbers)):
            raise ConfigError(f"step: the stage has no number {key!r} to add {step} to; write it as in --set.")
        added = [number + turn * step for number in numbers]
        block[option] = tuple(added) if isinstance(value, list | tuple) else added[0]
    made.pop("repeat", None)
    return made


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def stage_runs(run: RunConfig) -> list[RunConfig]:
    """The trainings that come before a run, as runs of their own: evaluated after their last epoch, and not measured.

    A stage that stops early is evaluated as often as the run, for by that it stops. Stages see all examples in one
    place, also before rounds of clients. A stage that is repeated is so many runs.

    Each begins where the one before it ended, the first with the model's `init`, which is therefore a part of what the
    later ones are too; all of them train the whole of the run's model, by the run's seed.
    """
    found = []
    for stage, before in _trained(run.stages):
        training = Training(**{key: value for key, value in stage.items() if key not in BLOCKS})
        found.append(
            dataclasses.replace(
                run,
                dataset=stage["dataset"],
                model=_whole(run.model),
                optimizer=stage["optimizer"],
                schedule=stage["schedule"],
                training=training,
                stages=before,
                federated=None,
                sharpness=Sharpness(every=0),
                evaluate=Evaluation(every=training.epochs if training.patience is None else run.evaluate.every),
            )
        )
    return found


def _trained(stages: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], tuple[dict[str, Any], ...]]]:
    """Each training of the stages, and what comes before it, where a stage under way is repeated fewer times."""
    for number, stage in enumerate(stages):
        before = tuple(dict(one) for one in stages[:number])
        if "repeat" not in stage:
            yield stage, before
            continue
        for turn in range(stage["repeat"]):
            yield turn_of(stage, turn), (*before, {**stage, "repeat": turn}) if turn else before


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
    return key.startswith("stage") and inner not in ("dataset", "schedule", *REPEATING, *options_of(Training))


def own_key(key: str) -> str:
    """The key of the run's own setting that one of a stage leaves as it is.

    >>> own_key("stage2.optimizer"), own_key("stage2.rho"), own_key("stage2.epochs"), own_key("stage1.dataset.classes")
    ('optimizer.name', 'optimizer.rho', 'epochs', 'dataset.classes')
    """
    inner = key.partition(".")[2]
    if is_of_optimizer(key):
        return "optimizer.name" if inner == "optimizer" else f"optimizer.{inner}"
    return f"{inner}.name" if inner in BLOCKS else inner


def without_echoes(flats: Sequence[Mapping[str, V]]) -> list[dict[str, V]]:
    """The settings of runs without those of stages that are as the run's own in each of these runs: they tell nothing.

    >>> one, other = ({"optimizer.rho": rho, "stage1.rho": rho, "stage1.epochs": 3, "epochs": 4} for rho in (0.1, 0.2))
    >>> without_echoes([one, other])[1]
    {'optimizer.rho': 0.2, 'stage1.epochs': 3, 'epochs': 4}
    """
    of_stages = {key for flat in flats for key in flat if re.match(r"stage\d", key)}
    telling = {key for key in of_stages for flat in flats if key in flat and flat.get(own_key(key)) != flat[key]}
    return [{key: value for key, value in flat.items() if key not in of_stages or key in telling} for flat in flats]


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
