"""What each file of a results folder must hold; whatever else it holds is kept as it is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

STATUSES = ("finished", "diverged", "failed", "interrupted", "running")

Count = Annotated[int, Field(ge=0, lt=2**63)]
Text = Annotated[str, Field(max_length=4096)]
Scalar = str | int | float | bool | None
Setting = Scalar | list[Any]


class Document(BaseModel):
    """A part of a file: its known keys have these types, exactly."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)


class ConfigBlock(Document):
    """A block of `config.yaml`: a name and options."""

    __pydantic_extra__: dict[str, Setting]
    name: Text = Field(min_length=1)


class Optimizer(ConfigBlock):
    """The `optimizer:` block."""

    base: Text | None = None


class ConfigDocument(Document):
    """`config.yaml`: one cell of a grid, which has one seed."""

    dataset: ConfigBlock
    model: ConfigBlock
    optimizer: Optimizer
    schedule: ConfigBlock | None = None
    sharpness: dict[str, Setting] | None = None
    evaluate: dict[str, Setting] | None = None
    federated: dict[str, Setting] | None = None
    seeds: Count
    name: Text = ""
    epochs: Count | None = None
    stop_at_train_loss: float | None = None
    patience: Count | None = None
    sync_batch_norm: bool = False


class StatusDocument(Document):
    """`run.json`: how a run ended, and what it was trained with."""

    status: Literal["finished", "diverged", "failed", "interrupted", "running"]
    epochs_done: Count | None = None
    identity: Text | None = None
    best_epoch: Count | None = None
    metrics_digest: Text | None = None
    host: Text | None = None
    pid: Count | None = None
    machine: Text | None = None
    error: str | None = None
    data_dir: Text | None = None
    versions: dict[str, str | None] | None = None
    git: dict[str, Scalar] | None = None
    hardware: dict[str, Scalar] | None = None
    plugins: dict[str, str] | None = None
    dataset: dict[str, Any] | None = None
    init: dict[str, Any] | None = None
    earlier: list[dict[str, Any]] | None = None


class OwnerDocument(Document):
    """`.owner.json`: the process that trains a run."""

    token: Text
    host: Text
    pid: Count
    machine: Text
    process_started: Text | None
    since: Text | None = None


Measured = float | Literal["inf", "-inf"] | None  # JSON knows no infinity; null is not a number


class MeasurementKey(Document):
    """What was measured, and how."""

    measure: Text
    examples: Count
    parameters: dict[str, Any] = {}


class MeasurementDetails(Document):
    """What a measure tells besides its value."""

    examples: Count
    batch_norm: Text
    rho: float | None = None
    m: float | None = None
    error: Measured = None
    residual: Measured = None


class MeasurementDocument(Document):
    """An entry of `sharpness.json`."""

    label: Text
    key: MeasurementKey
    value: Measured
    stderr: float | None
    converged: bool
    details: MeasurementDetails


class RobustnessKey(Document):
    """What was tested, and how."""

    test: Text
    examples: Count
    seed: Count
    parameters: dict[str, Any] = {}


class RobustnessDetails(Document):
    """What a test tells besides its value; of an attack, its ball and what makes it doubtful."""

    norm: float | Literal["inf"] | None = None
    eps: float | None = None
    attacked: Count = 0
    flat: Count = 0
    only_one_step: Count = 0

    @model_validator(mode="after")
    def _has_a_ball(self) -> RobustnessDetails:
        if "attacked" in self.model_fields_set and (self.norm is None or self.eps is None):
            raise ValueError("an attack has a ball: norm and eps")
        return self


class RobustnessDocument(Document):
    """An entry of `robustness.json`."""

    label: Text
    key: RobustnessKey
    value: Measured
    stderr: float | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    n: Count
    score: Literal["accuracy", "loss", "calibration_error", "roc_auc"]
    details: RobustnessDetails

    @model_validator(mode="after")
    def _is_a_share(self) -> RobustnessDocument:
        if self.score != "loss" and not (self.value is None or 0.0 <= float(self.value) <= 1.0 + 1e-9):  # rounding
            raise ValueError("all scores but a loss are from 0 to 1")
        return self


LARGEST = 1e100  # of a loss in a file; means of larger ones, and pictures, know no numbers for them


class LandscapeKey(Document):
    """How a slice was cut."""

    dimensions: Literal[1, 2]
    directions: Text
    span: float
    points: Count
    examples: Count
    seed: Count


class LandscapeDocument(Document):
    """An entry of `landscape.json`."""

    key: LandscapeKey
    loss: Text
    axes: list[list[float]] = Field(min_length=1, max_length=2)
    losses: list[Measured]
    examples: Count
    converged: bool

    @model_validator(mode="after")
    def _has_a_loss_at_each_point(self) -> LandscapeDocument:
        if len(self.axes) != self.key.dimensions or len(self.losses) != math.prod(map(len, self.axes)):
            raise ValueError("a loss for each point of the axes is needed")
        losses = [loss for loss in self.losses if isinstance(loss, float)]
        if not all(self.axes) or any(one != sorted(set(one)) for one in self.axes):
            raise ValueError("the points of an axis must rise")
        if any(abs(number) > LARGEST for one in (*self.axes, losses) for number in one):
            raise ValueError(f"numbers beyond {LARGEST:g} are no losses")
        return self


Length = Annotated[int, Field(ge=1, le=2**31)]


class TaskDocument(Document):
    """What a network predicts, and what that task was made with."""

    name: Text = Field(min_length=1)


class DataDocument(Document):
    """What a network needs to be given new inputs; mean and std are tensors, and checked where they are used."""

    kind: Literal["images", "table", "tokens"]
    shape: list[Length] = Field(min_length=1, max_length=16)
    categories: list[Count]
    vocabulary: Count
    task: TaskDocument
    class_names: list[str]
    reading: dict[str, Any]


class EarlyStoppingDocument(Document):
    """Where `model` of a checkpoint is the network of an earlier epoch: the weights that training goes on from."""

    goes_on_from: dict[str, Any]


class AverageDocument(Document):
    """Where `model` of a checkpoint is an average: of how many networks, and the weights that training goes on from."""

    networks: Annotated[int, Field(ge=1, lt=2**63)]
    goes_on_from: dict[str, Any]


class CheckpointDocument(Document):
    """What a session needs of a checkpoint in order to continue; the tensors are checked where they are loaded."""

    config: dict[str, Any]
    data: DataDocument | None = None  # earlier versions wrote none
    model: dict[str, Any]
    average: AverageDocument | None = None
    early_stopping: EarlyStoppingDocument | None = None
    optimizer: dict[str, Any]
    scaler: dict[str, Any] | None
    random_state: dict[str, Any]
    epoch: Count
    gradient_evaluations: Count
    rows: list[dict[str, int | float | None]]


D = TypeVar("D", bound=Document)


def fault_of(document: Mapping[str, Any], kind: type[D]) -> str | None:
    """What a document lacks of its kind, in words that follow the name of its file; None if nothing.

    >>> fault_of({"status": "napping"}, StatusDocument)
    "has no sound value of status: 'napping'"
    >>> fault_of({"status": "finished", "epochs_done": 3}, StatusDocument)
    """
    try:
        kind.model_validate(document)
    except ValidationError as failure:
        first = failure.errors()[0]
        # of a union, the branches that do not fit stand behind the key
        place = [part for part in first["loc"] if isinstance(part, int) or part in _keys_of(document)]
        where = ".".join(map(str, place or first["loc"][:1]))
        if not first["loc"]:  # each value is sound, and all of them together are not
            return f"is not sound: {first['msg'].removeprefix('Value error, ')}"
        if first["type"] == "missing":
            return f"has no {'.'.join(map(str, first['loc']))}"
        return f"has no sound value of {where}: {_short(first['input'])}"
    return None


def _keys_of(value: object) -> set[object]:
    if isinstance(value, Mapping):
        return {*value, *(key for item in value.values() for key in _keys_of(item))}
    return set()


def _short(value: object) -> str:
    text = repr(value) if not isinstance(value, Mapping | Sequence) or isinstance(value, str) else type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."
