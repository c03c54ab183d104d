"""A trained model read back from its checkpoint, with the data it was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from samcli import optim
from samcli.config import Draft, RunConfig, Source
from samcli.data import Dataset
from samcli.errors import CheckpointError, ConfigError, ResultsError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train.catalogue import CATALOGUE
from samcli.train.components import build_model, load_dataset
from samcli.train.continuing import checked_state
from samcli.train.optimizer_state import restore_optimizer


@dataclass(frozen=True)
class Trained:
    """A model with the weights of a checkpoint.

    Attributes:
        config: the run that the checkpoint is of.
        optimizer: with the state of the last step.
        data: the data set that the model was trained on.
        epoch: how many epochs the model was trained for.
    """

    config: RunConfig
    model: nn.Module
    optimizer: Optimizer
    data: Dataset
    epoch: int


def load_trained(path: Path, *, data_dir: Path | None, device: torch.device) -> Trained:
    """Rebuild the model of a checkpoint, its optimizer and its data set.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import parse
    >>> from samcli.train import train_run
    >>> text, cpu = "{dataset: wine, model: linear, optimizer: sgd, epochs: 1}", torch.device("cpu")
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as folder:
    ...     status = train_run(config, RunFolder(Path(folder)), data_dir=Path("data"), device=cpu)
    ...     trained = load_trained(Path(folder), data_dir=None, device=cpu)
    >>> trained.epoch, trained.config == config
    (1, True)

    Args:
        path: a checkpoint, or a run folder.
        data_dir: where data sets lie; None is where the run found them.
        device: where the model and the data go.

    Raises:
        CheckpointError: unreadable, or of a configuration that this samcli does not know.
        DataError: the data set is missing.
    """
    file = path / "checkpoint.pt" if path.is_dir() else path
    content = checked_state(checkpoint.load(file), _config_beside(file), file)
    data_dir = data_dir or _recorded_data_dir(file)
    try:
        (config,) = Draft.of(Source(content["config"], str(file), trusted=False), CATALOGUE).expand()
        dataset = load_dataset(config, data_dir=data_dir, device=device)
        model = build_model(config, dataset.shape, dataset.task.outputs).to(device)
        model.load_state_dict(content["model"])
        optimizer = optim.OptimizerSettings.of(config.optimizer).build(model)
        restore_optimizer(optimizer, content["optimizer"])
    except (ConfigError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).partition("\n")[0].rstrip(".:")
        advice = "--plugin FILE.py" if "plugin" in reason else "the samcli that wrote it"
        raise CheckpointError(
            f"{file} does not fit this version of samcli or these data ({reason}); use {advice}."
        ) from error
    return Trained(config, model, optimizer, dataset, content["epoch"])


def _config_beside(file: Path) -> dict[str, Any] | None:
    """The configuration of the folder that a checkpoint lies in; None for one that was taken from its folder."""
    try:
        return RunFolder(file.parent).read_config() if file.name == "checkpoint.pt" else None
    except ResultsError:
        return None


def _recorded_data_dir(file: Path) -> Path:
    try:
        return Path(RunFolder(file.parent).read_status().get("data_dir") or "data")
    except ResultsError:  # a checkpoint that was taken from its folder
        return Path("data")
