"""What planning, skipping and comparing many finished runs costs: seconds and the peak of memory.

    python benchmarks/scale.py FOLDER [--runs 10000] [--epochs 50] [--rounds 3]

The runs are made, not trained: an experiment of digits with SGD and SAM over learning rates, weight decays and radii,
in 1,000 settings of as many seeds as it takes, each run with the four files that training leaves. They stay in FOLDER,
and serve again. Each command is a process of its own; under start stands what the same command takes over ten runs,
which is mostly the start of Python, torch and pandas.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from samcli.config import Draft, RunConfig, read
from samcli.launch.folders import names_of
from samcli.runs.folder import RunFolder
from samcli.runs.rows import to_csv
from samcli.train import CATALOGUE
from samcli.train.digests import data_of

LRS = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1)
DECAYS = (0.0, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3)
RADII = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
FEW = 10  # runs, over which a command takes no longer than to start


def experiment(runs: int, epochs: int) -> dict[str, Any]:
    """An experiment of so many runs: of 1,000 settings, or of ten where they are few."""
    few = runs < len(LRS) * len(DECAYS) * (1 + len(RADII))
    grid = {"lr": 0.1 if few else [*LRS], "weight_decay": 0.0 if few else [*DECAYS]}
    optimizers = [{"name": "sgd", **grid}, {"name": "sam", **grid, "rho": [*RADII]}]
    settings = (1 if few else len(LRS) * len(DECAYS)) * (1 + len(RADII))
    common = {"name": "many", "dataset": "digits", "model": "cnn", "epochs": epochs}
    return {**common, "optimizer": optimizers, "seeds": list(range(max(1, runs // settings)))}


def made(folder: Path, runs: int, epochs: int) -> Path:
    """The experiment file of so many finished runs, whose results lie beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"many-{runs}-{epochs}.yaml"
    results = file.with_suffix("")
    whole = file.with_suffix(".whole")  # says that the last of them was written
    if not whole.exists():
        file.write_text(yaml.safe_dump(experiment(runs, epochs), sort_keys=False), encoding="utf-8")
        configs = Draft.of(read(file), CATALOGUE).expand()
        facts = data_of(configs[0], folder / "data")
        for config, name in zip(configs, names_of(configs), strict=True):
            write_run(RunFolder(results / config.name / name), config, facts)
        whole.touch()
    return file


def write_run(folder: RunFolder, config: RunConfig, facts: dict[str, Any]) -> None:
    """The files of a finished run, as large as real ones, save the checkpoint."""
    folder.path.mkdir(parents=True)
    rng = random.Random(config.identity)
    rows = [row_of(epoch, rng) for epoch in range(1, config.training.epochs + 1)]
    text = to_csv(rows)
    folder.metrics.write_text(text, encoding="utf-8")
    folder.checkpoint.write_bytes(b"")
    folder.write_config(config.document())
    folder.write_status(
        {
            "status": "finished",
            "started": "2026-01-01T00:00:00+00:00",
            "ended": "2026-01-01T00:01:00+00:00",
            "error": None,
            "name": config.name,
            "identity": config.identity,
            "seed": config.seed,
            "epochs": config.training.epochs,
            "data_dir": "data",
            "device": "cpu",
            "threads": 1,
            "hardware": {"processor": "a processor", "cores": 2, "accelerator": None},
            "versions": {"samcli": "0.1.0", "python": "3.12.0", "torch": "2.15.0", "numpy": "2.4.0"},
            "plugins": {},
            "git": {"commit": None, "dirty": None},
            "host": "host",
            "machine": "machine",
            "pid": 1,
            "dataset": facts,
            "earlier": [],
            "parameters": 53002,
            "epochs_done": config.training.epochs,
            "replayed": None,
            "metrics_digest": hashlib.sha256(text.encode()).hexdigest(),
        }
    )


def row_of(epoch: int, rng: random.Random) -> dict[str, float | int]:
    """A row of `metrics.csv` with numbers of as many digits as real ones."""
    return {
        "epoch": epoch,
        "train_loss": 2.3 / epoch + rng.random() / 100,
        "train_accuracy": 0.9 + rng.random() / 20,
        "test_loss": 2.3 / epoch + rng.random() / 10,
        "test_accuracy": 0.8 + rng.random() / 10,
        "sharpness": rng.random() / 10,
        "grad_norm": rng.random(),
        "learning_rate": 0.1 / epoch,
        "rho": 0.05,
        "train_seconds": 0.1 + rng.random() / 10,
        "eval_seconds": rng.random() / 100,
        "sharpness_seconds": rng.random() / 100,
        "gradient_evaluations": 2876 * epoch,
        "examples_per_second": 8000 + 1000 * rng.random(),
        "skipped_steps": 0,
        "cpu_seconds": 0.1 + rng.random() / 10,
    }


# a process of its own between: the peak of a child counts what its parent held when it forked
LAUNCHER = """
import resource, subprocess, sys, time
start = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
sys.exit(code)
"""


class Cost(NamedTuple):
    """What a command took: seconds by the wall clock and of the processor, and MiB at its peak."""

    wall: float
    cpu: float
    memory: float


def cost(command: list[str]) -> Cost:
    """What a command of samcli takes."""
    launched = [sys.executable, "-c", LAUNCHER, sys.executable, "-m", "samcli", *command, "--quiet"]
    output = subprocess.run(launched, stdout=subprocess.PIPE, text=True, check=True).stdout
    return Cost(*map(float, output.split()))


def main() -> None:
    """Make the runs, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=10_000, help="thousands of them")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    files = [made(arguments.folder, runs, arguments.epochs) for runs in (FEW, arguments.runs)]
    print(f"{'command':<28} {'wall s':>8} {'start':>8} {'CPU s':>8} {'start':>8} {'MiB':>6} {'start':>6}")
    for shown, *command in COMMANDS:
        start, found = (median_cost(file, command, arguments.rounds) for file in files)
        pairs = zip(found, start, ("8.2f", "8.2f", "6.0f"), strict=True)
        print(f"{shown:<28} " + " ".join(f"{value:>{form}}" for *both, form in pairs for value in both))


COMMANDS = (
    ("train, nothing left", "train", "{file}", "--results", "{results}"),
    ("train --dry-run", "train", "{file}", "--results", "{results}", "--dry-run"),
    ("compare", "compare", "{results}"),
    ("compare --format json", "compare", "{results}", "--format", "json"),
    ("compare --budget gradients", "compare", "{results}", "--budget", "gradients"),
)


def median_cost(file: Path, command: list[str], rounds: int) -> Cost:
    """The medians of what a command takes over the runs of an experiment."""
    filled = [word.format(file=file, results=file.with_suffix("")) for word in command]
    return Cost(*map(statistics.median, zip(*(cost(filled) for _ in range(rounds)), strict=True)))


if __name__ == "__main__":
    main()
