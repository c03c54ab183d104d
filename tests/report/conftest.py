"""Hand-made run folders."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from samcli.runs import Run, RunFolder, scan

SGD = {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0005}
SAM = {**SGD, "name": "sam", "base": "sgd", "rho": 0.1, "norm": 2.0}

Make = Callable[..., None]


class Results:
    """A results folder that fills up run by run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def add(
        self,
        optimizer: dict[str, Any],
        seed: int,
        accuracy: Sequence[float],
        *,
        metric: str = "accuracy",
        seconds: float = 1.0,
        gradients: int = 100,
        sharpness: float | None = 0.01,
        status: dict[str, Any] | None = None,
        **config: Any,
    ) -> RunFolder:
        """One run; `accuracy` has the test metric after each epoch, `gradients` is per epoch."""
        blocks = {
            "name": "trial",
            "dataset": {"name": "digits", "label_noise": 0.0, "augment": []},
            "model": {"name": "cnn", "dropout": 0.0},
            "optimizer": optimizer,
            "epochs": len(accuracy),
            "schedule": {"name": "cosine", "warmup_epochs": 0},
            "clip_norm": None,
            "seeds": seed,
        }
        for key, value in config.items():
            blocks[key] = {**blocks[key], **value} if isinstance(value, dict) else value
        folder = RunFolder(self.path / "trial" / f"run{self.count:03}")
        self.count += 1
        folder.write_status({"status": "finished", "seed": seed, "started": "2026-01-01"} | (status or {}))
        folder.config.write_text(yaml.safe_dump(blocks, sort_keys=False))
        folder.write_metrics(
            [
                {
                    "epoch": i + 1,
                    f"test_{metric}": value,
                    "test_loss": 1.0 - value,
                    "sharpness": sharpness,
                    "train_seconds": seconds * (10.0 if i == 0 else 1.0),  # the first epoch warms up
                    "gradient_evaluations": gradients * (i + 1),
                }
                for i, value in enumerate(accuracy)
            ]
        )
        return folder

    def runs(self) -> list[Run]:
        """All runs added so far."""
        runs, warnings = scan([self.path])
        assert not warnings
        return runs


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture
def sgd() -> dict[str, Any]:
    return dict(SGD)


@pytest.fixture
def sam() -> dict[str, Any]:
    return dict(SAM)


@pytest.fixture
def noisy(results: Results) -> Results:
    """SGD and SAM at three seeds each, one more of SAM, and a diverged SAM at a large radius."""
    sgd = [(0.70, 0.75, 0.72), (0.69, 0.74, 0.71), (0.71, 0.73, 0.73)]
    sam = [(0.75, 0.80, 0.82), (0.74, 0.84, 0.83), (0.76, 0.81, 0.81), (0.70, 0.90, 0.90)]
    for seed, values in enumerate(sgd):
        results.add(SGD, seed, values, sharpness=0.08)
    for seed, values in enumerate(sam):
        results.add(SAM, seed, values, seconds=2.0, gradients=200, sharpness=0.02)
    results.add({**SAM, "rho": 5.0}, 0, (0.1,), status={"status": "diverged"}, epochs=3)
    return results
