"""The sharpness of a checkpoint, measured once and kept beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from samcli.errors import NotApplicable
from samcli.runs.sharpness_file import SharpnessFile
from samcli.sharpness import MEASURES, Result, labels, measuring, result_of
from samcli.train.objective import loss_name, measured_loss
from samcli.train.trained import Trained, load_trained, network_name

DEFAULT_MEASURES = (
    "one-step",
    "one-step-linf",
    "one-step-adaptive",
    "one-step-adaptive-linf",
    "grad-norm",
    "lambda-max",
)  # all of them are quick


@dataclass(frozen=True)
class Measured:
    """The measures of one checkpoint.

    Attributes:
        run: the name of the run's folder.
        checkpoint: the file.
        epoch: how many epochs the model was trained for.
        values: results by the name of the measure, and its radius where there are several.
        passed_over: reasons why a measure does not apply, by its name.
        unwritten: why the results are not kept, in a sentence; None if they are.
    """

    run: str
    checkpoint: Path
    epoch: int
    values: dict[str, Result]
    passed_over: dict[str, str] = field(default_factory=dict)
    unwritten: str | None = None


def measure_checkpoint(
    path: Path,
    measures: Sequence[str],
    *,
    examples: int,
    seed: int = 0,
    batch_norm: str = "evaluation",
    batch_size: int = 500,
    parameters: Mapping[str, Any],
    data_dir: Path | None = None,
    device: torch.device,
    pass_over: bool = False,
    image_folder: Path | None = None,
    on_begin: Callable[[str], None] = lambda label: None,
) -> Measured:
    """Measure a checkpoint on a part of its training data, or read what was measured before.

    Results are kept in `sharpness.json` beside the checkpoint as soon as each is there, by measure, parameters,
    examples, seed and BatchNorm mode, as long as neither the checkpoint nor samcli's version changes.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import Draft, parse
    >>> from samcli.runs.folder import RunFolder
    >>> from samcli.train import CATALOGUE, train_run
    >>> text, cpu = "{dataset: wine, model: linear, optimizer: sgd, epochs: 1}", torch.device("cpu")
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as folder:
    ...     run = RunFolder(Path(folder))
    ...     status = train_run(config, run, data_dir=Path("data"), device=cpu)
    ...     found = measure_checkpoint(run.checkpoint, ["one-step"], examples=50, parameters={"rho": 0.1}, device=cpu)
    >>> found.epoch, found.values["one-step"].details["rho"]
    (1, 0.1)

    Args:
        path: the checkpoint.
        measures: names from `MEASURES`.
        examples: how many examples of the training part to measure on, chosen by the seed.
        seed: for the choice of examples and all random draws.
        batch_norm: see `samcli.sharpness.measure`.
        batch_size: examples in a forward pass.
        parameters: the measures' parameters, see `samcli.sharpness.measure`.
        data_dir: where data sets lie; None is where the run found them.
        device: where to measure.
        pass_over: whether measures that do not apply are passed over.
        image_folder: where the run's images lie now, see `load_trained`.
        on_begin: called with the name of each measurement before it begins.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ConfigError: no such measure or parameter.
        NotApplicable: a measure is not defined for this run, and is not to be passed over.
    """
    # how examples are cut into batches changes nothing, unless BatchNorm looks at batches
    mode = {"batch_norm": batch_norm} | ({} if batch_norm == "evaluation" else {"batch_size": batch_size})
    wanted: dict[str, dict[str, Any]] = {
        label: {"measure": name, "parameters": settings, "examples": examples, "seed": seed, **mode}
        for label, name, settings in labels(measures, parameters)
    }
    kept, passed_over = SharpnessFile(path), dict[str, str]()
    missing = {label: key for label, key in wanted.items() if kept.find(key) is None}
    epoch = kept.epoch
    if missing or epoch is None:
        trained = load_trained(path, data_dir=data_dir, device=device, image_folder=image_folder)
        epoch = trained.epoch
        batches = list(trained.data.train.subset(examples, seed=seed).batches(batch_size))
        how: dict[str, Any] = {"seed": seed, "batch_norm": batch_norm, "optimizer": trained.optimizer}
        loss = measured_loss(trained.config.training, trained.data)
        with measuring(trained.model, loss, batches, **how) as problem:
            for label, key in missing.items():
                on_begin(label)
                try:
                    found = result_of(MEASURES.create(key["measure"], **key["parameters"]), problem)
                except NotApplicable as error:
                    if not pass_over:
                        raise
                    passed_over[label] = str(error)
                else:
                    kept.add([_entry(label, key, found, trained)], epoch)
    entries = {label: kept.find(key) for label, key in wanted.items()}
    values = {label: _result(entry) for label, entry in entries.items() if entry}
    return Measured(network_name(path), path, epoch, values, passed_over, kept.unwritten)


def _entry(label: str, key: Mapping[str, Any], found: Result, trained: Trained) -> dict[str, Any]:
    where = {"split": "train", "loss_function": loss_name(trained.config.training, trained.data.task)}
    return {"label": label, "key": key, **asdict(found), "details": where | found.details}


def _result(entry: Mapping[str, Any]) -> Result:
    value = math.nan if entry["value"] is None else float(entry["value"])
    return Result(value, entry["stderr"], entry["converged"], entry["details"])
