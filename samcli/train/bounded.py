"""The PAC-Bayes bound of a checkpoint by a prior that has seen fewer examples, kept beside it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from samcli.config import RunConfig, stage_runs
from samcli.data.part import Part
from samcli.data.unseen import unseen
from samcli.errors import CheckpointError, ConfigError, NotApplicable
from samcli.runs.sharpness_file import SharpnessFile
from samcli.sharpness.pac_bayes_bound import PacBayesBound, pac_bayes_bound
from samcli.stats.binary_kl import binomial_upper
from samcli.train.catalogue import CATALOGUE
from samcli.train.stages import stage_folder
from samcli.train.trained import (
    Trained,
    check_same_data,
    load_trained,
    network_name,
    read_checkpoint,
    recorded_data_dir,
)

MEASURE = "pac-bayes-bound"
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Bounded:
    """The bound of one checkpoint.

    Attributes:
        run: the name of the run's folder.
        checkpoint: the file.
        epoch: how many epochs the network was trained for.
        bound: what was found.
        test_error: the share of errors of the network itself, with the weights that it has, on the test part.
        test_bound: what its true rate is at most, by these errors, with the same probability.
        test_examples: how many these are of.
        prior: the checkpoint of the prior.
        passed_over: nothing.
        unwritten: why the result is not kept, in a sentence; None if it is.
    """

    run: str
    checkpoint: Path
    epoch: int
    bound: PacBayesBound
    test_error: float
    test_bound: float
    test_examples: int
    prior: Path
    passed_over: dict[str, str] = field(default_factory=dict)
    unwritten: str | None = None


def bound_checkpoint(
    path: Path,
    *,
    prior: Path | None = None,
    delta: float = 0.05,
    draws: int = 1000,
    seed: int = 0,
    batch_size: int = 2000,
    data_dir: Path | None = None,
    device: torch.device,
    on_begin: Callable[[str], None] = lambda label: None,
) -> Bounded:
    """The bound of a checkpoint on the training examples that its prior has not seen, or what was found before.

    Inputs are normalised by the prior's constants, which know nothing of these examples. The result is kept in
    `sharpness.json` as the measure `pac-bayes-bound`.

    Args:
        path: the checkpoint.
        prior: that of a run on fewer examples of the same data; None is the last stage of the run.
        delta: δ of the bound, and of the test-set bound beside it.
        draws: of the weights.
        seed: decides these.
        batch_size: examples in a forward pass.
        data_dir: where data sets lie; None is where the run found them.
        device: where to measure.
        on_begin: is told of the bound before it begins.

    Raises:
        CheckpointError: a checkpoint cannot be read, or there is no prior.
        DataError: data are missing, or changed after one of the two was trained.
        ConfigError: the prior was trained on other data, or began with weights of which nobody knows what they saw.
        NotApplicable: there is no such bound for this network or its data.
    """
    file = path / "checkpoint.pt" if path.is_dir() else path
    data_dir = data_dir or recorded_data_dir(file)
    _, config = read_checkpoint(file)
    prior = _prior_of(config, file, data_dir) if prior is None else prior / "checkpoint.pt" if prior.is_dir() else prior
    content, prior_config = read_checkpoint(prior)
    _check_prior(prior_config, prior)
    check_same_data(prior_config, prior, data_dir)  # else nobody knows which examples it has seen
    key = {"measure": MEASURE, "parameters": {"delta": delta, "draws": draws}, "examples": 0, "seed": seed}
    kept, of_prior = SharpnessFile(file), _digest(content["model"])
    if prior_config.dataset.get("validation"):  # entries of before counted this part as unseen
        of_prior += " and its validation part"
    entry = kept.find(key)
    if entry is None or entry["details"].get("prior") != of_prior:  # the key is one for all seeds, so that they compare
        on_begin(MEASURE)
        trained = load_trained(file, data_dir=data_dir, device=device)
        found = _found(trained, content, prior_config, key, data_dir, batch_size)
        found["details"]["prior"] = of_prior
        kept.add([{"label": MEASURE, "key": key, **found}], trained.epoch)
        entry = kept.find(key)
        assert entry is not None
    details = entry["details"]
    bound = PacBayesBound(float(entry["value"]), **{name: details[name] for name in _PARTS})
    test = (details["test_error"], details["test_bound"], details["test_examples"])
    return Bounded(network_name(file), file, kept.epoch or 0, bound, *test, prior, unwritten=kept.unwritten)


_PARTS = ("risk", "risk_bound", "kl", "sigma", "n", "delta", "draws")


def _found(
    trained: Trained,
    content: dict[str, Any],
    prior_config: RunConfig,
    key: dict[str, Any],
    data_dir: Path,
    batch_size: int,
) -> dict[str, Any]:
    """The fields of the entry of a bound."""
    config = trained.config
    task = trained.data.task
    if task.classes is None or task.target_dims > 1:
        raise NotApplicable("A PAC-Bayes bound is on errors, and this network predicts no classes.")
    kinds = [CATALOGUE.create("dataset", one.dataset) for one in (config, prior_config)]
    inputs, targets, normalisation = unseen(kinds[0], config.seed, kinds[1], prior_config.seed, data_dir)
    part = Part(normalisation.stored(inputs), targets, normalisation)
    own = trained.data.test
    if own.normalisation.is_images:
        test = Part(own.inputs.to(CPU), own.targets.to(CPU), normalisation)
    else:  # rows are held as the network's own constants left them
        raw = own.inputs.cpu() * own.normalisation.std + own.normalisation.mean
        test = Part(normalisation.table(raw), own.targets.cpu(), normalisation)

    def is_wrong(output: Tensor, target: Tensor) -> Tensor:
        return (task.predicted(output) != target) | ~output.isfinite().flatten(1).all(1)

    model = trained.model.eval()
    names = [name for name, _ in model.named_parameters()]
    if missing := [name for name in names if name not in content["model"]]:
        raise NotApplicable(f"The prior has no tensor {missing[0]}; take one of the same architecture.")
    found = pac_bayes_bound(
        model,
        [content["model"][name] for name in names],
        is_wrong,
        list(part.batches(batch_size)),
        delta=key["parameters"]["delta"],
        draws=key["parameters"]["draws"],
        seed=key["seed"],
    )
    with torch.no_grad():
        device = next(model.parameters()).device
        batches = ((x.to(device), y.to(device)) for x, y in test.batches(batch_size))
        errors = sum(int(is_wrong(model(x), y).sum()) for x, y in batches)
    beside = {
        "test_error": errors / len(test),
        "test_bound": binomial_upper(errors, len(test), found.delta),
        "test_examples": len(test),
    }
    details = {name: getattr(found, name) for name in _PARTS} | beside
    common = {"examples": found.n, "batch_norm": "evaluation", "split": "train"}
    return {"value": found.value, "stderr": None, "converged": math.isfinite(found.value), "details": common | details}


def _prior_of(config: RunConfig, file: Path, data_dir: Path) -> Path:
    """The checkpoint of the last stage of a run."""
    stages = stage_runs(config)
    if not stages:
        raise CheckpointError(
            f"{file} has no stage that could be its prior; train it with one that sees fewer examples "
            "(docs/sharpness.md), or name a run on fewer examples with --prior."
        )
    found = stage_folder(stages[-1], file.parent, data_dir).checkpoint
    if not found.exists():
        raise CheckpointError(
            f"The stage of {file} that is its prior is not there any more ({found}); samcli train on its config.yaml "
            "makes it again, or name another with --prior."
        )
    return found


def _check_prior(config: RunConfig, file: Path) -> None:
    """Refuse a prior that may have seen the examples of the bound in a way that its own data set does not tell.

    Raises:
        ConfigError: it began with other weights.
    """
    if config.stages or config.model.get("init") or config.model.get("weights"):
        raise ConfigError(
            f"The prior {file} began with weights that were trained before, on examples that nobody knows; take one "
            "that began at random."
        )


def _digest(model: dict[str, Any]) -> str:
    sha = hashlib.sha256()
    for name, tensor in sorted(model.items()):
        sha.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()
