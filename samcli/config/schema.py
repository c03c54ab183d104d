"""The resolved configuration of one run, and the names that one may use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from samcli.config.federated import Federated
from samcli.errors import ConfigError, nearest
from samcli.metrics import scores_on_request
from samcli.registry import Option, Registry, option, options_of


class Costed(Protocol):
    """What an optimizer's block describes, as far as its cost goes."""

    def passes_per_step(self, batch_size: int, epochs: int) -> float:
        """How many examples go forward and backward in a step, in batches, on average over a training.

        Raises:
            ConfigError: nobody knows before.
        """


@dataclass(frozen=True)
class Catalogue:
    """The names that an experiment may use; handed in, because the rooms that define them lie above this one.

    Attributes:
        datasets, models, bases, variants, schedules, measures: the registries of these.
        shared_options: classes whose options every variant has beside its own.
        common_options: classes whose options every optimizer has, variant or not.
        optimizer: takes a resolved `optimizer:` block apart, and checks what no single option can.
    """

    datasets: Registry[Any]
    models: Registry[Any]
    bases: Registry[Any]
    variants: Registry[Any]
    schedules: Registry[Any]
    shared_options: tuple[type, ...]
    common_options: tuple[type, ...]
    optimizer: Callable[[Mapping[str, Any]], Costed]
    measures: Registry[Any]

    def canonical(self, name: str) -> str:
        """The name by which a data set or a model is known, from one that a user may write: with an absolute path."""
        return self.models.canonical(self.datasets.canonical(name))

    def optimizer_names(self) -> list[str]:
        """Base optimizers and variants, as a user may write them."""
        return [*self.bases.shown(), *self.variants.shown()]

    def options(self, section: str, name: str, base: str | None = None) -> dict[str, Option]:
        """The options of one component, of an optimizer also those that all have.

        For a variant they are those of its base, its own, and those that all variants have.

        Raises:
            ConfigError: no such name.
        """
        if section != "optimizer":
            return self._registry(section).options(name)
        common = {key: o for kind in self.common_options for key, o in options_of(kind).items()}
        if name in self.variants:
            if base is not None and base not in list(self.bases):
                raise ConfigError(f"The base of {name} must be one of {', '.join(self.bases)}, not {base!r}.")
            own, bases = self.variants.options(name), self.bases.options(base or "sgd")
            others = self.variants.kind(name).base_defaults
            bases = {key: replace(o, default=others.get(key, o.default)) for key, o in bases.items()}
            shared = {key: o for kind in self.shared_options for key, o in options_of(kind).items()}
            return {"base": _BASE, **{k: v for k, v in bases.items() if k not in own}, **own, **shared, **common}
        if name in self.bases:
            return {**self.bases.options(name), **common}
        raise ConfigError(f"There is no optimizer named {name!r}; {nearest(name, self.optimizer_names())}")

    def create(self, section: str, settings: Mapping[str, Any]) -> Any:
        """The data set, model, optimizer or schedule that a resolved block describes.

        Raises:
            ConfigError: options that exclude each other.
        """
        if section == "optimizer":
            return self.optimizer(settings)
        options = {key: value for key, value in settings.items() if key != "name"}
        return self._registry(section).create(settings["name"], **options)

    def _registry(self, section: str) -> Registry[Any]:
        return {"dataset": self.datasets, "model": self.models, "schedule": self.schedules}[section]


_BASE = Option("the optimizer that takes the step", name="base", type=str, default="sgd")


@dataclass(frozen=True, kw_only=True)
class Sharpness:
    """The measures taken after an epoch, off the training clock."""

    measures: tuple[str, ...] = option(("one-step", "grad-norm"), "what is measured: a column for each")
    rho: float = option(
        0.05, "radius ρ of one-step, the same for every optimizer; other measures have theirs", above=0.0
    )
    examples: int = option(512, "size of the fixed subset of training examples it is measured on", minimum=1)
    every: int = option(1, "measure after every so many epochs, and after the last; 0 never measures", minimum=0)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """When the validation and the test part are evaluated and by which metrics, off the training clock."""

    every: int = option(1, "evaluate after every so many epochs, and after the last", minimum=1)
    metrics: tuple[str, ...] = option(
        (), "what else is recorded: a column for each and either part", choices=tuple(scores_on_request())
    )

    def is_due(self, epoch: int, *, last: bool) -> bool:
        """Whether the parts are evaluated after an epoch.

        >>> [epoch for epoch in range(1, 6) if Evaluation(every=2).is_due(epoch, last=epoch == 5)]
        [2, 4, 5]
        """
        return last or epoch % self.every == 0


@dataclass(frozen=True, kw_only=True)
class Training:
    """The settings of a run that belong to no component."""

    epochs: int = option(20, "passes over the training part", minimum=1)
    stop_at_train_loss: float | None = option(
        None, "ends the run after the first epoch whose train_loss is at most this; null is off", above=0.0
    )
    patience: int | None = option(
        None,
        "early stopping: ends after so many epochs without a better validation score, and leaves the network of the "
        "best epoch; null is off",
        minimum=1,
    )
    batch_size: int = option(128, "examples in a batch", minimum=1)
    keep: str = option(
        "last",
        "whose weights are kept: last, of the last epoch; best: beside them of the one best on the validation part",
        choices=("last", "best"),
    )
    labels: str = option(
        "given",
        "what is trained on: given, the labels of the data set; own, what the network of the stage before predicts",
        choices=("given", "own"),
    )
    drop: float = option(
        0.1,
        "with labels: own the share of the training examples left out, whose predicted classes are least probable",
        minimum=0.0,
        below=1.0,
    )
    loss: str | None = option(
        None,
        "null: that of the task, such as cross-entropy; squared: half the squared distance of the outputs to the class",
        choices=(None, "squared"),
    )
    label_smoothing: float = option(0.0, "share of the target spread over all classes", minimum=0.0, below=1.0)
    mixup: float = option(0.0, "α of mixup's Beta(α, α); 0 is off", minimum=0.0)
    class_weight: str | None = option(
        None, "balanced: each class counts alike in the training loss; null: each example", choices=(None, "balanced")
    )
    clip_norm: float | None = option(None, "largest 2-norm of the descended gradient; null is off", above=0.0)
    head_lr: float | None = option(
        None, "learning rate of the head, the last layer, at the top of the schedule; null: that of all", minimum=0.0
    )
    layer_decay: float = option(
        1.0, "factor of the learning rate for each layer that lies below the head; 1 is off", above=0.0, maximum=1.0
    )
    decay: str = option(
        "all", "what decays: all, or weights: neither biases nor normalisation layers", choices=("all", "weights")
    )
    accumulate: int = option(
        1, "pieces in which each pass takes its batch, one after the other, to save memory", minimum=1
    )
    sync_batch_norm: bool = option(
        False, "whether processes that share a batch normalise by all of it in BatchNorm; without, each by its share"
    )
    precision: str = option(
        "fp32",
        "of the forward pass; weights stay fp32; auto: bf16 where the hardware has it, else fp32",
        choices=("fp32", "bf16", "fp16", "auto"),
    )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that determines a run, every default filled in.

    Attributes:
        name: of the experiment; no part of the run's identity.
        dataset, model, optimizer, schedule: resolved blocks, `name` and options.
        plugins: Python files that were run for their names; no part of the identity either.
        stages: the trainings that come before, in their order: blocks and settings as of a run, see
            `samcli.config.stages`.
        federated: the clients that train it; None for the ordinary training.
    """

    name: str
    dataset: dict[str, Any]
    model: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    training: Training
    sharpness: Sharpness
    seed: int
    evaluate: Evaluation = Evaluation()
    plugins: tuple[str, ...] = ()
    stages: tuple[dict[str, Any], ...] = ()
    federated: Federated | None = None

    def document(self) -> dict[str, Any]:
        """The run as an experiment file of one cell: training on it repeats the run."""
        body: dict[str, Any] = {
            "name": self.name,
            "dataset": self.dataset,
            "model": self.model,
            "optimizer": self.optimizer,
            **vars_of(self.training),
            "schedule": self.schedule,
            "sharpness": vars_of(self.sharpness),
            "evaluate": vars_of(self.evaluate),
            "seeds": self.seed,
        }
        if self.federated:
            body["federated"] = vars_of(self.federated)
        if self.stages:
            body["stages"] = self.stages
        if self.plugins:
            body["plugins"] = self.plugins
        return {key: plain(value) for key, value in body.items()}

    @cached_property
    def identity(self) -> str:
        """A hash of what determines the run: the same for any order of keys and whatever else is in the grid."""
        return identity_of(self.document())


def identity_of(document: Mapping[str, Any]) -> str:
    """The identity of the run that a document describes, see `RunConfig.identity`.

    >>> identity_of({"epochs": 2, "name": "a"}) == identity_of({"name": "b", "epochs": 2})
    True
    """
    body = without_newer({key: value for key, value in document.items() if key not in ("name", "plugins")})
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def without_newer(document: Mapping[str, Any]) -> dict[str, Any]:
    """A run's document without the options that are younger than the first runs, where they have their default.

    A run that uses nothing newer is thus the same to every version.

    >>> without_newer({"epochs": 2, "stop_at_train_loss": None, "evaluate": {"every": 1}, "model": {"name": "cnn"}})
    {'epochs': 2, 'model': {'name': 'cnn'}}
    """
    body = {key: value for key, value in document.items() if key not in NEWER or value != NEWER[key]}
    for section, newer in NEWER_IN.items():
        if isinstance(block := body.get(section), Mapping):
            kept = {key: value for key, value in block.items() if key not in newer or value != newer[key]}
            body[section] = {key: value for key, value in kept.items() if key not in OF_THE_MACHINE.get(section, ())}
    if stages := body.get("stages"):
        body["stages"] = [without_newer(stage) for stage in stages]
    return {key: value for key, value in body.items() if value or key not in NEWER_IN}


# Every option that came after the first release stands here with its default; a key that some kind of a block had
# before is not new, and cannot be added to another kind of that block with the same default.
NEWER: Mapping[str, Any] = {
    "stop_at_train_loss": None,
    "patience": None,
    "sync_batch_norm": False,
    "keep": "last",
    "head_lr": None,
    "layer_decay": 1.0,
    "decay": "all",
    "class_weight": None,
    "loss": None,
    "labels": "given",
    "drop": 0.1,
}
NEWER_IN: Mapping[str, Mapping[str, Any]] = {
    "evaluate": {"every": 1, "metrics": []},
    "sharpness": {"measures": ["one-step", "grad-norm"]},
    "dataset": {
        **{"classes": [], "label_noise_kind": "symmetric", "shrink": 1, "size": 0, "width": None, "resize": "crop"},
        **{"examples_from": None, "rotate": [], "rotate_test": []},
    },
    "model": {
        "init": None,
        "new_head": False,
        "weights": None,
        "freeze": ["none"],
        "norm": "none",
        "activation": "relu",
        "norm_layer": "batch",
    },
    "optimizer": {"average": None, "average_decay": None, "average_from": None, "average_every": None},
}
# Options that say how something is done on a machine, and change no result: they are part of no identity.
OF_THE_MACHINE: Mapping[str, tuple[str, ...]] = {"dataset": ("stream",)}


def vars_of(settings: Any) -> dict[str, Any]:
    """The options of a kind as a dictionary, in the order of declaration.

    >>> vars_of(Sharpness(examples=100))
    {'measures': ('one-step', 'grad-norm'), 'rho': 0.05, 'examples': 100, 'every': 1}
    """
    return {name: getattr(settings, name) for name in options_of(type(settings))}


def plain(value: Any) -> Any:
    """A value as YAML has it, with lists where a resolved block has tuples.

    >>> plain({"rotate": (0.0, 5.0)})
    {'rotate': [0.0, 5.0]}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


def may_end_early(settings: Mapping[str, Any]) -> bool:
    """Whether a run with these settings may be finished before its epochs are over.

    >>> may_end_early({"epochs": 9, "patience": 2}), may_end_early({"epochs": 9, "stop_at_train_loss": None})
    (True, False)
    """
    return any(settings.get(key) is not None for key in ("stop_at_train_loss", "patience"))
