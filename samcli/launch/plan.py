"""What is to be done: each run of an experiment with the folder it has and the state that folder is in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from samcli import data, models, optim
from samcli.config import RunConfig
from samcli.config.schema import Sharpness
from samcli.errors import ResultsError
from samcli.launch.cell import Cell
from samcli.runs.folder import RunFolder, is_alive
from samcli.train import CATALOGUE
from samcli.train.recorded import record
from samcli.train.session import build_model


def plan(runs: Sequence[RunConfig], results: Path) -> list[Cell]:
    """The cells of an experiment, from what lies in the results folder and nothing else."""
    return [_cell(run, RunFolder(results / run.name / run.slug)) for run in runs]


def _cell(run: RunConfig, folder: RunFolder) -> Cell:
    try:
        status = folder.read_status()
    except ResultsError:  # none yet, or damaged: what counts is in the checkpoint
        status = {}
    done = int(status.get("epochs_done") or 0)
    kept = str(status.get("status"))
    complete = done == run.training.epochs or run.training.stop_at_train_loss is not None
    if kept == "diverged" or (kept == "finished" and complete):
        return Cell(run, folder, kept, done)
    if kept == "running" and is_alive(status):
        return Cell(run, folder, "busy", done)
    return Cell(run, folder, "resume" if folder.checkpoint.exists() else "new", done)


def check_ahead(cells: Sequence[Cell], data_dir: Path) -> None:
    """Find out before the first run what would stop a later one: a missing data set, a model that does not fit, an
    optimizer whose settings exclude each other, a measure to be recorded that is not defined here.

    Raises:
        DataError: a data set is missing or unreadable.
        ConfigError: an option that does not suit the data set, a model that cannot take its inputs, or settings that
            the optimizer's rule does not take.
        NotApplicable: a measure is not defined for the model, the task or the optimizer.
    """
    networks: dict[str, nn.Module] = {}
    tried: set[str] = set()
    for config in (cell.config for cell in cells if cell.to_do):
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
