"""The data set and the model that a run's configuration describes."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.optim import Optimizer

from samcli import data, models, optim
from samcli.config import RunConfig
from samcli.config.schema import Training
from samcli.data import Dataset
from samcli.errors import ConfigError
from samcli.models import Pretrained
from samcli.train.catalogue import CATALOGUE
from samcli.train.seeding import seed_everything, seed_for


def load_dataset(config: RunConfig, *, data_dir: Path, device: torch.device) -> Dataset:
    """The run's data set on a device, its subset, label noise and hold-out a function of the seed.

    Images for published weights are normalised as those were trained, others by the statistics of the training part.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> dataset = load_dataset(config, data_dir=Path("data"), device=torch.device("cpu"))
    >>> dataset.shape, dataset.task.outputs
    ((13,), 3)

    Args:
        config: the run.
        data_dir: where data sets lie.
        device: where the tensors go.

    Raises:
        DataError: the data set is missing or unreadable.
        ConfigError: an option that does not suit the data set.
    """
    kind, model = CATALOGUE.create("dataset", config.dataset), CATALOGUE.create("model", config.model)
    pretrained: Pretrained | None = model.pretrained()
    constants = (pretrained.mean, pretrained.std) if pretrained else None
    found = data.load(kind, seed=config.seed, data_dir=data_dir, device=device, constants=constants)
    if config.training.loss == "squared":
        found.task = found.task.squared()
    for is_asked, what, instead in (
        (config.training.keep == "best", "keep: best", "or keep: last"),
        (config.training.patience is not None, "patience", "or leave patience out"),
    ):
        if is_asked and found.validation is None:
            raise ConfigError(
                f"{what} needs a validation part, and {config.dataset['name']} has none here; set "
                f"dataset.validation: 0.1, {instead}."
            )
    return found


def scored_by(config: RunConfig, data_dir: Path) -> str:
    """The name of the score that the run's task has, see `samcli.metrics`; where only the data tell, they are read.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{dataset: diabetes, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> scored_by(config, Path("data"))
    'r2'

    Args:
        config: the run.
        data_dir: where data sets lie.

    Raises:
        DataError: they have to be read, and are missing or not sound.
    """
    kind = CATALOGUE.create("dataset", config.dataset)
    return str(kind.metric or data.raw_source(kind, data_dir).task.metric)


def build_model(config: RunConfig, shape: tuple[int, ...], outputs: int) -> nn.Module:
    """The run's model with weights that are a function of the seed, before `initialise` gives it others.

    Images are held with the channels last, which convolutions prefer; so are the weights.

    >>> from samcli.config import Draft, parse
    >>> (config,) = Draft.of(parse("{model: linear, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> build_model(config, shape=(1, 8, 8), outputs=10)(torch.zeros(5, 1, 8, 8)).shape
    torch.Size([5, 10])

    Args:
        config: the run.
        shape: of one input, without the batch.
        outputs: how many numbers the model returns for each input.

    Raises:
        ConfigError: the model does not fit such inputs.
    """
    seed_everything(config.seed, "weights")
    options = {key: value for key, value in config.model.items() if key != "name"}
    model = models.build(config.model["name"], shape=shape, outputs=outputs, **options)
    return model.to(memory_format=torch.channels_last) if len(shape) == 3 else model


def build_optimizer(config: RunConfig, model: nn.Module, outputs: int, *purpose: str | int) -> Optimizer:
    """The run's optimizer, with groups for the parameters that have rates of their own.

    >>> from samcli.config import Draft, parse
    >>> text = "{model: linear, optimizer: {name: sgd, weight_decay: 0.1}, decay: weights}"
    >>> (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    >>> len(build_optimizer(config, nn.Linear(3, 2), outputs=2).param_groups)
    2

    Args:
        config: the run.
        model: whose trainable parameters it gets.
        outputs: columns of the model's output.
        purpose: what tells the rule's own random draws from those of other optimizers of the run.

    Raises:
        ConfigError: its rule cannot work with the model.
    """
    training = config.training
    return optim.OptimizerSettings.of(config.optimizer).build(
        model,
        clip_norm=training.clip_norm,
        seed=seed_for(config.seed, "optimizer", *purpose),
        grouping=grouping_of(training),
        outputs=outputs,
    )


def grouping_of(training: Training) -> optim.Grouping:
    """How the settings of a training part the parameters of its network.

    >>> grouping_of(Training(head_lr=1.0)).head_lr
    1.0
    """
    return optim.Grouping(head_lr=training.head_lr, layer_decay=training.layer_decay, decay=training.decay)


def wants_partner(config: RunConfig) -> bool:
    """Whether the run is trained by two processes.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> text = "{optimizer: {name: sampa, processes: [1, 2]}}"
    >>> [wants_partner(config) for config in Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()]
    [False, True]
    """
    return config.optimizer.get("processes") == 2
