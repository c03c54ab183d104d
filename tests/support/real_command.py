"""The real command in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from samcli.signals import STOP_SIGNALS

EXPERIMENT = """
name: e2e
dataset: {name: digits, label_noise: 0.4, train_examples: 300, augment: [crop, flip, cutout]}
model: {name: cnn, dropout: 0.2}
epochs: 12
batch_size: 16
sharpness: {every: 5, examples: 64}
optimizer: {name: sam, lr: 0.05, rho: 0.1}
"""

# every command that was started
STARTED: list[subprocess.Popen[str]] = []


def start(
    folder: Path, results: str, experiment: str = EXPERIMENT, *flags: str, own_session: bool = False
) -> subprocess.Popen[str]:
    (folder / "e2e.yaml").write_text(experiment)
    command = [sys.executable, "-m", "samcli", "train", "e2e.yaml", "--results", results, "--device", "cpu", *flags]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=own_session,
        preexec_fn=hear_signals,  # noqa: PLW1509 - async-signal-safe
    )
    STARTED.append(process)
    return process


def hear_signals() -> None:
    """A shell that runs the tests in the background, and nohup, hand down ignored signals."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def wait_for_rows(folder: Path, results: str, rows: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end and process.poll() is None:
        for file in folder.glob(f"{results}/e2e/*/metrics.csv"):
            if len(file.read_text().splitlines()) > rows:
                return
        time.sleep(0.01)
    raise AssertionError(f"No {rows} rows came: {process.communicate()}")
