"""A made-up run, to try the functions that read runs on without training anything."""

from __future__ import annotations

from pathlib import Path

from samcli.runs.folder import RunFolder

_CONFIG = {
    "name": "example",
    "dataset": {"name": "digits", "label_noise": 0.4},
    "model": {"name": "cnn"},
    "optimizer": {"name": "sam", "base": "sgd", "lr": 0.1, "rho": 0.05},
    "epochs": 2,
    "seeds": 0,
}
_STATUS = {"status": "finished", "seed": 0, "epochs_done": 2, "started": "2026-01-01T00:00:00+00:00"}


def write_example(folder: Path, **status: object) -> None:
    """Write a run of SAM over two epochs, evaluated on the test part alone.

    Args:
        folder: of the run; made if it is missing.
        status: what `run.json` has in place of the usual.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_example(Path(folder, "a"))
    ...     sorted(file.name for file in Path(folder, "a").iterdir())
    ['config.yaml', 'metrics.csv', 'run.json']
    """
    files = RunFolder(folder)
    files.write_config(_CONFIG)
    files.write_status(_STATUS | status)
    files.write_metrics(
        [
            {"epoch": epoch, "test_loss": 1 / (epoch + 2), "test_accuracy": accuracy, "train_seconds": 1.5}
            for epoch, accuracy in ((1, 0.5), (2, 0.75))
        ]
    )
