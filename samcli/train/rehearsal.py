"""A rehearsal of runs: what would stop a later one is found before the first begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from samcli import optim
from samcli.config import RunConfig, trainings_of
from samcli.config.schema import Sharpness
from samcli.data import Dataset, steps_of
from samcli.errors import ConfigError
from samcli.tasks import Task
from samcli.train.components import build_model, build_optimizer, grouping_of, load_dataset
from samcli.train.federated import check_network, clients_of
from samcli.train.initial import begin_with_stage, check_file, file_at_hand, initialise
from samcli.train.objective import measured_loss, training_loss
from samcli.train.on_request import check_metrics, undefined
from samcli.train.own_labels import check_classes, check_same_classes, kept_of
from samcli.train.recorded import record


def rehearse(
    runs: Iterable[RunConfig],
    data_dir: Path,
    *,
    fetches: bool = True,
    on_notice: Callable[[str], None] = lambda sentence: None,
) -> None:
    """Try whatever a run needs that another one has not tried: its data set, model, optimizer and measures.

    So are the stages that come before it, and whether each fits the next.

    Nothing is trained but the two examples that measures on request are tried on.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> runs = Draft.of(parse("{dataset: wine, model: [mlp, cnn], optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> rehearse(runs[:1], Path("data"))
    >>> rehearse(runs, Path("data"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    samcli.errors.ConfigError: cnn needs images of at least 4x4 pixels, but the inputs are vectors of 13 numbers; ...

    Args:
        runs: their configurations.
        data_dir: where data sets lie.
        fetches: whether published weights are downloaded where they are not at hand.
        on_notice: is told in a sentence, once, what a user should know of scores that stay empty, and of
            settings that reach nothing.

    Raises:
        DataError: a data set is missing or unreadable, or published weights cannot be downloaded.
        CheckpointError: a file that a run is to begin with is missing or unreadable.
        ConfigError: an option that does not suit the data set, a model that cannot take its inputs, or settings that
            the optimizer's rule does not take.
        NotApplicable: a measure is not defined for the model, the task or the optimizer.
    """
    rehearsed: dict[str, _Rehearsed] = {}
    followed: set[tuple[str, str]] = set()
    divided: set[str] = set()
    measured: set[str] = set()
    told: set[str] = set()
    for run in runs:
        stage = None
        for config in trainings_of(run):
            training, metrics = config.training, config.evaluate.metrics
            of_loss = (training.label_smoothing, training.mixup, training.class_weight, metrics)
            problem = repr((config.dataset, config.model, of_loss))
            if problem not in rehearsed:
                dataset, model = _rehearse_model(config, data_dir, fetches)
                rehearsed[problem] = _Rehearsed(model, dataset.task, dataset.document(), len(dataset.train))
                for sentence in undefined(metrics, dataset):
                    if sentence not in told:
                        on_notice(sentence)
                    told.add(sentence)
            here = rehearsed[problem]
            for clause in grouping_of(training).idle(here.model, here.outputs):
                sentence = f"{config.model['name']}: {clause}."
                if sentence not in told:
                    on_notice(sentence)
                told.add(sentence)
            if training.labels == "own" and stage is not None:
                check_classes(here.task)
                check_same_classes(rehearsed[stage].data, here.data)
            if stage is not None and (stage, problem) not in followed:
                followed.add((stage, problem))
                before = rehearsed[stage]
                begin_with_stage(config, here.model, here.outputs, here.data, before.model.state_dict(), before.data)
            stage = problem
            clients = repr((problem, config.federated))
            if config.federated and clients not in divided:
                divided.add(clients)
                check_network(config.federated, here.model, config.model["name"])
                data = load_dataset(config, data_dir=data_dir, device=torch.device("cpu"))
                clients_of(config.federated, data, config.seed)
            settings = optim.OptimizerSettings.of(config.optimizer)
            settings.check(here.model, scaled=training.precision == "fp16")
            examples = kept_of(here.examples, training.drop) if training.labels == "own" else here.examples
            settings.averaging.check(steps_of(examples, training.batch_size), training.epochs)
            # whether it is known of a rule and its options where its edge lies, each has to show
            looked_at = config.optimizer if "edge-ratio" in config.sharpness.measures else {}
            base = config.optimizer.get("base", config.optimizer["name"])
            measurement = repr((problem, config.sharpness, base, looked_at))
            if measurement not in measured and config.sharpness.every:
                measured.add(measurement)
                _rehearse_measures(config, data_dir)


@dataclass(frozen=True)
class _Rehearsed:
    """What a stage leaves to the training after it: a model of shapes without numbers, and what its data are."""

    model: nn.Module
    task: Task
    data: Mapping[str, Any]
    examples: int  # of the training part

    @property
    def outputs(self) -> int:
        """How many numbers the model gives."""
        return self.task.outputs


def _rehearse_model(config: RunConfig, data_dir: Path, fetches: bool) -> tuple[Dataset, nn.Module]:
    """Load the data set, compute a loss on it, and build the model: shapes without numbers, held against its `init`."""
    dataset = load_dataset(config, data_dir=data_dir, device=torch.device("cpu"))
    check_file(config)
    dataset.check_mixup(config.training.mixup)
    outputs, targets = dataset.task.outputs, dataset.train.targets[:1]
    check_metrics(config.evaluate.metrics, dataset)
    given = torch.zeros(*targets.shape, outputs) if dataset.task.target_dims > 1 else torch.zeros(1, outputs)
    training_loss(config.training, dataset)(given, targets)
    with torch.device("meta"):
        model = build_model(config, dataset.shape, outputs)
        if dataset.shape.vocabulary:
            given = model(torch.zeros(1, *dataset.shape, dtype=torch.int64))
            if tuple(given.shape) != (*targets.shape, outputs):
                what = "each token" if dataset.task.target_dims > 1 else "each text"
                raise ConfigError(
                    f"{config.model['name']} does not give what {config.dataset['name']} is about, {outputs} numbers "
                    f"for {what}; choose another model."
                )
    if fetches or file_at_hand(config) is not None or config.model.get("init") is not None:
        initialise(config, model, dataset.shape, outputs, data=dataset.document())
    return dataset, model


def _rehearse_measures(config: RunConfig, data_dir: Path) -> None:
    """Try measures on request on two examples, after one step on them, for some measures need its state."""
    if set(config.sharpness.measures) <= set(Sharpness.measures):
        return
    dataset = load_dataset(config, data_dir=data_dir, device=torch.device("cpu"))
    model, part = build_model(config, dataset.shape, dataset.task.outputs), dataset.train.subset(2, seed=0)
    ((inputs, targets),) = part.batches(len(part))
    optimizer = build_optimizer(config, model, dataset.task.outputs)
    loss = measured_loss(config.training, dataset)
    torch.autograd.backward(loss(model.eval()(inputs), targets))
    (optimizer.base if isinstance(optimizer, optim.SharpnessAware) else optimizer).step()
    record(model, loss, part, config.sharpness, optimizer)
