"""Made-up runs, to try the functions of this room on without training anything."""

from __future__ import annotations

from pathlib import Path

from samcli.metrics import columns
from samcli.runs.reader import Run

_OPTIMIZERS = {"sgd": {"name": "sgd", "lr": 0.1}, "sam": {"name": "sam", "base": "sgd", "lr": 0.1, "rho": 0.05}}
_PASSES = {"sgd": 1, "sam": 2}
_SHARPNESS = {"sgd": 0.08, "sam": 0.02}
_TEST_ACCURACIES = {("sgd", 0): [0.5, 0.75], ("sgd", 1): [0.5, 0.7], ("sam", 0): [0.5, 0.8], ("sam", 1): [0.5, 0.85]}


def example_runs() -> list[Run]:
    """Two finished runs of SGD and two of SAM, over two epochs on the seeds 0 and 1.

    >>> [(run.config["optimizer"]["name"], run.seed) for run in example_runs()]
    [('sgd', 0), ('sgd', 1), ('sam', 0), ('sam', 1)]
    """
    import pandas as pd

    runs = []
    for (name, seed), accuracies in _TEST_ACCURACIES.items():
        blocks = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}, "optimizer": _OPTIMIZERS[name]}
        config = {"name": "example", **blocks, "epochs": 2, "seeds": seed}
        unmeasured = pd.DataFrame(index=range(2), columns=pd.Index(columns("accuracy")), dtype=float)
        metrics = unmeasured.assign(
            epoch=[1, 2],
            train_accuracy=1.0,
            test_accuracy=accuracies,
            sharpness=_SHARPNESS[name],
            train_seconds=1.0 * _PASSES[name],
            gradient_evaluations=[1000 * _PASSES[name], 2000 * _PASSES[name]],
        )
        runs.append(
            Run(
                Path(f"{name}{seed}"),
                "example",
                config,
                {"status": "finished"},
                list(metrics.columns),
                metrics.to_numpy(dtype=float),
            )
        )
    return runs
