"""A rehearsal of runs: what would go wrong in them is found before the first one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from samcli import data, models, optim
from samcli.config import RunConfig
from samcli.config.schema import Sharpness
from samcli.train.catalogue import CATALOGUE
from samcli.train.recorded import record
from samcli.train.session import build_model


def rehearse(runs: Iterable[RunConfig], data_dir: Path) -> None:
    """Find out before the first run what would stop a later one.

    That is a missing data set, a model that does not fit, an optimizer whose settings exclude each other, a measure to
    be recorded that is not defined here. Each data set is loaded once, networks are built without numbers.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> rehearse(Draft.of(parse("dataset: wine", "wine.yaml"), CATALOGUE).expand(), Path())
    >>> from samcli.errors import ConfigError
    >>> try:
    ...     rehearse(Draft.of(parse("{dataset: wine, model: cnn}", "wine.yaml"), CATALOGUE).expand(), Path())
    ... except ConfigError as error:
    ...     print(error)
    cnn needs images of at least 4x4 pixels, but the inputs are vectors of 13 numbers; models that fit: linear, mlp.

    Args:
        runs: those that are to be trained.
        data_dir: where data sets lie or are downloaded to.

    Raises:
        DataError: a data set is missing or unreadable.
        ConfigError: an option that does not suit the data set, a model that cannot take its inputs, or settings that
            the optimizer's rule does not take.
        NotApplicable: a measure is not defined for the model, the task or the optimizer.
    """
    networks: dict[str, nn.Module] = {}
    tried: set[str] = set()
    for config in runs:
        smoothing = config.training.label_smoothing
        key = repr((config.dataset, config.model, smoothing))
        if key not in networks:
            kind = CATALOGUE.create("dataset", config.dataset)
            loaded = data.load(kind, seed=config.seed, data_dir=data_dir, device=torch.device("cpu"))
            loaded.task.loss(torch.zeros(1, loaded.task.outputs), loaded.train.targets[:1], smoothing)
            options = {name: value for name, value in config.model.items() if name != "name"}
            with torch.device("meta"):  # the shapes without the numbers
                networks[key] = models.build(
                    config.model["name"], shape=loaded.shape, outputs=loaded.task.outputs, **options
                )
        settings = optim.OptimizerSettings.of(config.optimizer)
        settings.check(networks[key], scaled=config.training.precision == "fp16")
        base = config.optimizer.get("base", config.optimizer["name"])
        measured = repr((key, config.sharpness, base))
        if measured not in tried and config.sharpness.every:
            tried.add(measured)
            _check_measures(config, data_dir)


def _check_measures(config: RunConfig, data_dir: Path) -> None:
    """Try what is not measured by default on two examples, after one step on them: some measures need a state."""
    if set(config.sharpness.measures) <= set(Sharpness.measures):
        return
    kind = CATALOGUE.create("dataset", config.dataset)
    dataset = data.load(kind, seed=config.seed, data_dir=data_dir, device=torch.device("cpu"))
    model, part = build_model(config, dataset.shape, dataset.task.outputs), dataset.train.subset(2, seed=0)
    ((inputs, targets),) = part.batches(len(part))
    optimizer = optim.OptimizerSettings.of(config.optimizer).build(model)
    torch.autograd.backward(dataset.task.loss(model.eval()(inputs), targets))
    (optimizer.base if isinstance(optimizer, optim.SharpnessAware) else optimizer).step()
    record(model, dataset.task.loss, part, config.sharpness, optimizer)
