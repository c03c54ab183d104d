"""Hand-made run folders."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from samcli.runs import Run, RunFolder, scan

Block = dict[str, Any]  # of a configuration

SGD: Block = {"name": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": False, "weight_decay": 0.0005}
SAM: Block = {**SGD, "name": "sam", "base": "sgd", "rho": 0.1, "norm": 2.0}


class Results:
    """A results folder that fills up run by run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def add(
        self,
        optimizer: Block,
        seed: int,
        accuracy: Sequence[float],
        *,
        metric: str = "accuracy",
        seconds: float = 1.0,
        gradients: int = 100,
        sharpness: float | None = 0.01,
        status: Block | None = None,
        validation: Sequence[float] | None = None,
        **config: Any,
    ) -> RunFolder:
        """One run; `accuracy` and `validation` have the metric after each epoch, `gradients` is per epoch."""
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
            blocks[key] = {**blocks.get(key, {}), **value} if isinstance(value, dict) else value
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
                    f"validation_{metric}": None if validation is None else validation[i],
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
