"""The loss landscape of checkpoints, on a part of the data they were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from samcli.data import Part
from samcli.data.lazy import same_inputs
from samcli.errors import CheckpointError, ConfigError
from samcli.runs.landscape_file import LandscapeFile
from samcli.sharpness import Directions, Landscape, loss_line, loss_slice
from samcli.train.objective import loss_name, measured_loss
from samcli.train.trained import Trained, load_trained

BATCH_SIZE = 500


@dataclass(frozen=True)
class Surveyed:
    """The landscapes of one or two checkpoints.

    Attributes:
        checkpoints: the files.
        configs: the runs as documents, see `RunConfig.document`.
        loss: the name of the loss, with its unit.
        landscapes: by the part of the data, "train" or "test".
        same_data: whether the runs had the same training examples and labels.
        unwritten: why the slice could not be kept beside the checkpoint, in a sentence; None if it could.
    """

    checkpoints: tuple[Path, ...]
    configs: tuple[Mapping[str, Any], ...]
    loss: str
    landscapes: dict[str, Landscape]
    same_data: bool = True
    unwritten: str | None = None


def survey_slice(
    path: Path,
    *,
    examples: int,
    seed: int,
    data_dir: Path | None,
    device: torch.device,
    image_folder: Path | None = None,
    dimensions: int = 1,
    directions: Directions = "random",
    span: float = 1.0,
    points: int = 41,
    **how: Any,
) -> Surveyed:
    """The training loss on a slice through a checkpoint, which is kept beside it, see `LandscapeFile`.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import Draft, parse
    >>> from samcli.runs.folder import RunFolder
    >>> from samcli.train import CATALOGUE, train_run
    >>> text, cpu = "{dataset: wine, model: linear, optimizer: sgd, epochs: 1}", torch.device("cpu")
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as folder:
    ...     run = RunFolder(Path(folder))
    ...     status = train_run(config, run, data_dir=Path("data"), device=cpu)
    ...     found = survey_slice(run.checkpoint, examples=50, seed=0, data_dir=None, device=cpu, points=3)
    >>> found.loss, found.landscapes["train"].losses.shape
    ('cross-entropy in nats', torch.Size([3]))

    Args:
        path: the checkpoint.
        examples: how many examples of the training part, chosen by the seed.
        seed: for the choice of examples and the directions.
        data_dir: where data sets lie; None is where the run found them.
        device: where to compute.
        image_folder: where the runs' images lie now, see `load_trained`.
        dimensions: 1 for a line, 2 for a plane.
        directions: random ones, or the leading eigenvectors of the Hessian.
        span: the largest coordinate.
        points: along each direction.
        how: other options of `samcli.sharpness.loss_slice`.

    Raises:
        CheckpointError: the checkpoint cannot be read, or its weights are not finite.
        ConfigError: the model does not have such directions.
    """
    kept = LandscapeFile(path)
    cut: dict[str, Any] = {"dimensions": dimensions, "directions": directions, "span": span, "points": points}
    trained = _load(path, data_dir, device, image_folder)
    training, batches = trained.config.training, _batches(trained.data.train, examples, seed)
    loss, name = measured_loss(training, trained.data), loss_name(training, trained.data.task)
    try:
        found = loss_slice(trained.model, loss, batches, seed=seed, **cut, **how)
    except ValueError as error:
        raise ConfigError(f"{path}: {error}") from error
    entry = {
        "key": {**cut, "examples": examples, "seed": seed},
        "loss": name,
        "axes": found.axes,
        "losses": found.losses.flatten().tolist(),
        "examples": found.examples,
        "converged": found.converged,
    }
    kept.add([entry], trained.epoch)
    return Surveyed((path,), (trained.config.document(),), name, {"train": found}, unwritten=kept.unwritten)


def survey_line(
    first: Path,
    last: Path,
    *,
    examples: int,
    seed: int,
    data_dir: Path | None,
    device: torch.device,
    image_folder: Path | None = None,
    **how: Any,
) -> Surveyed:
    """The training and the test loss on the line from one checkpoint to another, on the data of the first.

    Inputs are normalised as they were for the first. Both losses are without weights of classes, so that they compare.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import Draft, parse
    >>> from samcli.runs.folder import RunFolder
    >>> from samcli.train import CATALOGUE, train_run
    >>> text, cpu = "{dataset: wine, model: linear, optimizer: sgd, epochs: 1}", torch.device("cpu")
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as folder:
    ...     run = RunFolder(Path(folder))
    ...     status = train_run(config, run, data_dir=Path("data"), device=cpu)
    ...     file = run.checkpoint
    ...     found = survey_line(file, file, examples=50, seed=0, data_dir=None, device=cpu, points=5)
    >>> list(found.landscapes), found.same_data
    (['train', 'test'], True)

    Args:
        first: the checkpoint where the line begins.
        last: the one where it leads, of the same architecture.
        examples: how many examples of either part, chosen by the seed.
        seed: for the choice of examples.
        data_dir: where data sets lie; None is where the run found them.
        device: where to compute.
        image_folder: where the runs' images lie now, see `load_trained`.
        how: options of `samcli.sharpness.loss_line`.

    Raises:
        CheckpointError: a checkpoint cannot be read, or its weights are not finite.
        ConfigError: the networks differ.
    """
    start, end = (_load(path, data_dir, device, image_folder) for path in (first, last))
    task, state = start.data.task, end.model.state_dict()
    parts = {"train": start.data.train, "test": start.data.test}
    try:
        found = {
            name: loss_line(start.model, state, task.loss, _batches(part, examples, seed), **how)
            for name, part in parts.items()
        }
    except ValueError as error:
        models = " and ".join(f"{path} is {one.config.model['name']}" for path, one in ((first, start), (last, end)))
        raise ConfigError(f"A line needs two checkpoints of one architecture, but {models}. {error}") from error
    train, other = start.data.train, end.data.train
    same = same_inputs(train.inputs, other.inputs) and torch.equal(train.targets, other.targets)
    return Surveyed((first, last), (start.config.document(), end.config.document()), task.loss_name, found, same)


def _load(path: Path, data_dir: Path | None, device: torch.device, image_folder: Path | None) -> Trained:
    trained = load_trained(path, data_dir=data_dir, device=device, image_folder=image_folder)
    if not all(bool(torch.isfinite(parameter).all()) for parameter in trained.model.parameters()):
        raise CheckpointError(f"{path} holds weights that are not finite: the run diverged, so leave it out.")
    return trained


def _batches(part: Part, examples: int, seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return list(part.subset(examples, seed=seed).batches(part.at_once(BATCH_SIZE)))
