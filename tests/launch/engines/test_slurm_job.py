"""A job of Slurm and its signals, without Slurm: what is requeued, what is not."""

import itertools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch.engines import _slurm_job
from samcli.launch.engines._slurm_job import ASKED, TOLD, SlurmJob
from samcli.launch.remote import Work
from samcli.train import CATALOGUE

TEXT = "{name: small, dataset: {name: wine}, model: linear, epochs: 3, optimizer: sgd, sharpness: {every: 0}}"
NUMBERS = (TOLD, ASKED, signal.SIGTERM, signal.SIGALRM)


@pytest.fixture
def requeued() -> Iterator[list[int]]:
    """The signals that submitit's handler took, which requeues the job."""
    before, taken = {number: signal.getsignal(number) for number in NUMBERS}, list[int]()
    signal.signal(TOLD, lambda number, frame: taken.append(number))
    yield taken
    signal.alarm(0)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "seconds", "word", "requeues"),
    [
        (TOLD, 1.0, "interrupted", 1),  # early, as before a preemption
        (TOLD, 3000.0, "ended", 0),  # it had its time, and not one epoch fitted into it
        (signal.SIGTERM, 1.0, "interrupted", 0),  # Slurm requeues what it preempted, and nobody what a user cancelled
        (ASKED, 1.0, "interrupted", 0),
    ],
)
def test_a_job_is_requeued_when_its_time_is_over(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    requeued: list[int],
    number: int,
    seconds: float,
    word: str,
    requeues: int,
) -> None:
    (cell,) = launch.plan(Draft.of(parse(TEXT, "x"), CATALOGUE).expand(), tmp_path)
    clock = itertools.count(0.0, seconds)

    def train(work: Work, should_stop: Callable[[], bool]) -> tuple[str, str]:
        assert not should_stop()
        signal.raise_signal(number)
        return ("interrupted", "") if should_stop() else ("ended", "")

    monkeypatch.setattr(_slurm_job, "train_there", train)
    monkeypatch.setattr("samcli.launch.engines._slurm_job.time.monotonic", lambda: next(clock))
    job = SlurmJob(Work(cell, tmp_path, torch.device("cpu"), 1, "slurm"), minutes=60)
    ended, told = job()
    monkeypatch.undo()
    assert (ended, len(requeued)) == (word, requeues)
    if word == "ended":
        status, message = told
        assert status == "failed"
        assert message.startswith("No epoch fits into --time 60 minutes; give it more.")
        assert cell.folder.read_status()["status"] == "failed"
