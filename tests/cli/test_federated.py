"""Clients at the command line: trained, compared by their columns, measured afterwards, and refused in sentences."""

from pathlib import Path

import pytest
from command import Samcli

TEXT = """
name: clients
dataset: {name: digits, train_examples: 60}
model: {name: mlp, hidden: 8}
optimizer: [sgd, sam]
epochs: 2
batch_size: 16
sharpness: {every: 0}
federated: {clients: 6, alpha: 0.5, per_round: 2, server: [average, swa]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "clients.yaml"
    path.write_text(TEXT)
    return path


def test_clients_are_trained_compared_and_measured(samcli: Samcli, file: Path) -> None:
    assert samcli("train", file, "--jobs", "0", "--device", "cpu").code == 0
    table = samcli("compare", "results/clients", "--metric", "test_recent_accuracy")
    assert table.code == 0
    assert "federated.server=swa" in table.out
    assert "mean over the last rounds" in table.out
    worst = samcli("compare", "results/clients", "--metric", "test_accuracy_scatter", "--format", "csv")
    assert worst.code == 0
    run = next(path for path in sorted(Path("results/clients").iterdir()) if "swa" in path.name)
    measured = samcli("sharpness", run, "--measure", "one-step", "--examples", "20")
    assert measured.code == 0, measured.err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--set", "model.norm=batch"], "mlp has BatchNorm, whose running statistics differ from client to client"),
        (["--set", "federated.per_round=7"], "per_round is 7, and there are 6 clients; set per_round to at most that."),
        (["--set", "federated.clients=61"], "61 clients need at least 61 training examples, and there are 60"),
        (["--set", "federated.shards=2"], "give one of the two, not both."),
        (["--set", "federated.rounds=2"], "--set federated.rounds: unknown key 'rounds'"),
        (["--processes", "3"], "3 processes cannot share the 2 clients of a round; take fewer processes"),
    ],
)
def test_what_clients_cannot_have(samcli: Samcli, file: Path, flags: list[str], sentence: str) -> None:
    called = samcli("train", file, "--device", "cpu", *flags)
    assert (called.code, called.out) == (2, "")
    assert sentence in " ".join(called.err.split())
    assert "Traceback" not in called.err
