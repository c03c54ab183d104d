"""A trained model read back from its checkpoint, with the data it was trained on."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from samcli.config import Draft, RunConfig, Source
from samcli.data import Dataset
from samcli.errors import CheckpointError, ConfigError, DataError, PluginNeeded, ResultsError
from samcli.runs import checkpoint
from samcli.runs.folder import CHECKPOINTS, RunFolder
from samcli.train.catalogue import CATALOGUE
from samcli.train.components import build_model, load_dataset
from samcli.train.continuing import checked_state
from samcli.train.digests import Digests
from samcli.train.optimizer_state import rebuilt_optimizer
from samcli.train.own_labels import OwnLabels

_MISFITS = (ConfigError, RuntimeError, KeyError, ValueError, TypeError, AttributeError)


@dataclass(frozen=True)
class Trained:
    """A model with the weights of a checkpoint: the average of the weights where the run has one.

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


def load_trained(
    path: Path, *, data_dir: Path | None, device: torch.device, image_folder: Path | None = None
) -> Trained:
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
        image_folder: where the images of the run, or their shards, lie now; None is where they lay.

    Raises:
        CheckpointError: unreadable, or of a configuration that this samcli does not know.
        PluginNeeded: it uses what a Python file registers that was not run.
        ConfigError: an image folder for a run that was trained on something else.
        DataError: the data set is missing, or is not the one that the network was trained on; likewise the plug-in
            file of its model.
    """
    file = path / "checkpoint.pt" if path.is_dir() else path
    content, config = read_checkpoint(file)
    data_dir = data_dir or recorded_data_dir(file)
    there = _with_images(config, file, image_folder)
    check_same_data(there, file, data_dir, image_folder)
    try:
        dataset = load_dataset(there, data_dir=data_dir, device=device)
        if config.training.labels == "own":
            own = OwnLabels.of(content.get("own_labels"), dataset)
            dataset = dataset.relabelled(own.kept, own.labels)
        model = build_model(config, dataset.shape, dataset.task.outputs).to(device)
        model.load_state_dict(content["model"])
        optimizer = rebuilt_optimizer(config, model, dataset.task.outputs, content["optimizer"])
    except _MISFITS as error:
        raise _misfit(file, error) from error
    return Trained(config, model, optimizer, dataset, content["epoch"])


def read_checkpoint(file: Path) -> tuple[dict[str, Any], RunConfig]:
    """The content of a checkpoint, once it is seen to be that of a run, and the run's configuration.

    Raises:
        CheckpointError: unreadable, another run's than its folder's, or of a configuration that this samcli does not
            know.
        PluginNeeded: it uses what a Python file registers that was not run.

    >>> read_checkpoint(Path("absent.pt"))
    Traceback (most recent call last):
    samcli.errors.CheckpointError: There is no file or folder absent.pt; name a checkpoint, or a folder of runs.
    """
    content = checked_state(checkpoint.load(file), _config_beside(file), file)
    try:
        (config,) = Draft.of(Source(content["config"], str(file), trusted=False), CATALOGUE).expand()
    except PluginNeeded:
        raise
    except _MISFITS as error:
        raise _misfit(file, error) from error
    return content, config


def _misfit(file: Path, error: Exception) -> CheckpointError:
    reason = str(error).partition("\n")[0].rstrip(".:")
    return CheckpointError(
        f"{file} does not fit this version of samcli or these data ({reason}); use the samcli that wrote it."
    )


def _with_images(config: RunConfig, file: Path, image_folder: Path | None) -> RunConfig:
    """The configuration with the folder in which a run's images lie now."""
    prefix, _, path = config.dataset["name"].partition(":")
    if prefix not in ("image-folder", "wds"):
        if image_folder is not None:
            raise ConfigError(f"{file} was trained on {prefix} and no folder of images; leave --image-folder out.")
        return config
    is_there = os.path.exists if prefix == "wds" else os.path.isdir  # a single shard is a file
    if image_folder is None:
        if not is_there(path):
            raise DataError(
                f"The images that {file} was trained on are not in {path} any more; say where they are with "
                "--image-folder PATH."
            )
        return config
    if not is_there(image_folder):
        raise DataError(f"There is no folder {image_folder}; say with --image-folder PATH where the images are.")
    moved = {**config.dataset, "name": CATALOGUE.datasets.canonical(f"{prefix}:{image_folder}")}
    return dataclasses.replace(config, dataset=moved)


def check_same_data(config: RunConfig, file: Path, data_dir: Path, image_folder: Path | None = None) -> None:
    """Refuse to judge a network by other data, or with other code, than it was trained with.

    Args:
        config: its run.
        file: its checkpoint; of one that was taken from its folder nothing is known.
        data_dir: where data sets lie.
        image_folder: where somebody says that its images lie.

    Raises:
        DataError: their digests are not those that its run recorded.
    """
    if file.name not in CHECKPOINTS:  # taken from its folder: nothing is known
        return
    try:
        status = RunFolder(file.parent).read_status()
    except ResultsError:
        return
    if not (change := Digests(data_dir).change_of_network(config, status)):
        return
    if image_folder is not None:
        raise DataError(
            f"{image_folder} holds other images than those that {file} was trained on; give --image-folder the "
            "folder of these."
        )
    raise DataError(
        f"{file} was trained with {change} than today, by its digest; put back what it was trained with, or "
        "train the run again."
    )


def _config_beside(file: Path) -> dict[str, Any] | None:
    """The configuration of the folder that a checkpoint lies in; None for one that was taken from its folder."""
    try:
        return RunFolder(file.parent).read_config() if file.name in CHECKPOINTS else None
    except ResultsError:
        return None


def network_name(file: Path) -> str:
    """What a checkpoint is called in a table: by the folder of its run, or by its own name.

    >>> network_name(Path("grid/sgd-seed0/checkpoint.pt")), network_name(Path("loose.pt"))
    ('sgd-seed0', 'loose')
    """
    return {"checkpoint.pt": file.parent.name, "best.pt": f"{file.parent.name}/best"}.get(file.name, file.stem)


def recorded_data_dir(file: Path) -> Path:
    """Where the run of a checkpoint found its data sets; `data` where nothing tells.

    >>> recorded_data_dir(Path("loose.pt"))
    PosixPath('data')
    """
    try:
        return Path(RunFolder(file.parent).read_status().get("data_dir") or "data")
    except ResultsError:  # a checkpoint that was taken from its folder
        return Path("data")
