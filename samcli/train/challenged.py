"""The robustness of a checkpoint, tested once and kept beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from samcli.data import DATASETS
from samcli.errors import NotApplicable
from samcli.robustness import PERTURBATIONS, Outcome, Pixels, challenging, labels
from samcli.runs.robustness_file import RobustnessFile
from samcli.train.elsewhere import check_classes_of_cifar10, elsewhere
from samcli.train.trained import Trained, load_trained, network_name, recorded_data_dir

DEFAULT_TESTS = ("clean", "fgsm", "pgd", "corruptions", "weight-rounding", "weight-noise", "calibration")


@dataclass(frozen=True)
class Challenged:
    """The robustness of one checkpoint.

    Attributes:
        run: the name of the run's folder.
        checkpoint: the file.
        epoch: how many epochs the network was trained for.
        values: outcomes by the label of the test, which names its strength.
        passed_over: reasons why a test does not apply, by its label.
        unwritten: why the results are not kept, in a sentence; None if they are.
    """

    run: str
    checkpoint: Path
    epoch: int
    values: dict[str, Outcome]
    passed_over: dict[str, str] = field(default_factory=dict)
    unwritten: str | None = None


def challenge_checkpoint(
    path: Path,
    tests: Sequence[str],
    *,
    examples: int,
    seed: int = 0,
    batch_size: int = 500,
    parameters: Mapping[str, Any],
    shifts: Sequence[str] = (),
    other_classes: Sequence[str] = (),
    data_dir: Path | None = None,
    device: torch.device,
    pass_over: bool = False,
    image_folder: Path | None = None,
    on_begin: Callable[[str], None] = lambda label: None,
) -> Challenged:
    """Test a checkpoint on a part of its test data, or read what was found before.

    Outcomes are kept in `robustness.json` beside the checkpoint as soon as each is there, by test, parameters,
    examples and seed, as long as neither the checkpoint nor samcli's version changes.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import Draft, parse
    >>> from samcli.runs.folder import RunFolder
    >>> from samcli.train import CATALOGUE, train_run
    >>> text, cpu = "{dataset: digits, model: linear, optimizer: sgd, epochs: 1}", torch.device("cpu")
    >>> (config,) = Draft.of(parse(text, "digits.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as folder:
    ...     run = RunFolder(Path(folder))
    ...     status = train_run(config, run, data_dir=Path("data"), device=cpu)
    ...     how = {"examples": 50, "parameters": {"eps": 0.1}, "device": cpu}
    ...     found = challenge_checkpoint(run.checkpoint, ["clean", "fgsm"], **how)
    >>> found.epoch, list(found.values), found.values["clean"].n
    (1, ['clean', 'fgsm eps=0.1'], 50)

    Args:
        path: the checkpoint.
        tests: names from `samcli.robustness.PERTURBATIONS`.
        examples: how many examples of the test part, chosen by the seed; all if there are fewer.
        seed: for the choice of examples and all random draws.
        batch_size: examples in a forward pass; no value depends on it.
        parameters: those of the tests, see `samcli.robustness.measure`.
        shifts: data sets of the network's classes, for the test `shift`.
        other_classes: data sets of other classes, for the test `other-classes`.
        data_dir: where data sets lie; None is where the run found them.
        device: where to test.
        pass_over: whether tests that do not apply are passed over.
        image_folder: where the run's images lie now, see `load_trained`.
        on_begin: called with the label of each test before it begins.

    Raises:
        CheckpointError: the checkpoint cannot be read.
        ConfigError: no such test, parameter or data set.
        DataError: data are missing, or have other classes than are wanted.
        NotApplicable: a test is not defined for this run, and is not to be passed over.
    """
    others = data_dir or recorded_data_dir(path)
    wanted = {
        label: {
            "test": name,
            "parameters": settings,
            "examples": examples,
            "seed": seed,
            **_stamp(name, settings, others),
        }
        for label, name, settings in labels(tests, parameters, shifted=shifts, foreign=other_classes)
    }
    kept, passed_over = RobustnessFile(path), dict[str, str]()
    missing = {label: key for label, key in wanted.items() if kept.find(key) is None}
    epoch = kept.epoch
    if missing or epoch is None:
        trained = load_trained(path, data_dir=data_dir, device=device, image_folder=image_folder)
        epoch, data = trained.epoch, trained.data
        chosen = data.test.subset(examples, seed=seed)
        take = partial(elsewhere, own=data, examples=examples, seed=seed, data_dir=others, batch_size=batch_size)
        sources = {key["parameters"].get("source"): key["test"] == "shift" for key in missing.values()}
        found, unfit = dict[str, Any](), dict[str, NotApplicable]()
        for name, same in sources.items():
            try:
                found |= {name: take(name, same_classes=same)} if name else {}
            except NotApplicable as error:  # of one test, and not of the others
                unfit[name] = error
        with challenging(
            trained.model,
            data.task,
            list(chosen.batches(chosen.at_once(batch_size))),
            pixels=_pixels(trained),
            seed=seed,
            shifted={name: batches for name, batches in found.items() if sources[name]},
            foreign={name: batches for name, batches in found.items() if not sources[name]},
        ) as subject:
            for label, key in missing.items():
                on_begin(label)
                try:
                    if (reason := unfit.get(key["parameters"].get("source"))) is not None:
                        raise reason
                    if key["test"] == "cifar10-c":
                        check_classes_of_cifar10(data)
                    outcome = PERTURBATIONS.create(key["test"], **key["parameters"]).of(subject)
                except NotApplicable as error:
                    if not pass_over:
                        raise NotApplicable(f"{label}: {error}.") from error
                    passed_over[label] = f"{str(error)[:1].upper()}{str(error)[1:]}."
                else:
                    kept.add([{"label": label, "key": key, **asdict(outcome)}], epoch)
    entries = {label: kept.find(key) for label, key in wanted.items()}
    values = {label: outcome_of(entry) for label, entry in entries.items() if entry}
    return Challenged(network_name(path), path, epoch, values, passed_over, kept.unwritten)


def outcome_of(entry: Mapping[str, Any]) -> Outcome:
    """An entry of `robustness.json` as it was found."""
    value = math.nan if entry["value"] is None else float(entry["value"])
    interval = None if entry["interval"] is None else tuple(entry["interval"])
    return Outcome(value, entry["stderr"], interval, entry["n"], entry["score"], entry["details"])


def _pixels(trained: Trained) -> Pixels | None:
    normalisation = trained.data.train.normalisation
    if not normalisation.is_images:
        return None
    return Pixels.of(normalisation.mean, normalisation.std)


def _stamp(test: str, settings: Mapping[str, Any], data_dir: Path) -> dict[str, Any]:
    """What tells whether files that a test reads are still the same: a digest, or their sizes and times."""
    if settings.get("source"):
        name = DATASETS.canonical(settings["source"])
        return {"digest": DATASETS.create(name).digest(data_dir)}
    if settings.get("dir"):
        files = sorted(Path(settings["dir"]).expanduser().glob("*.npy"))
        return {"files": [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in files]}
    return {}
