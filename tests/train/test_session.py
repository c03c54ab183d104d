"""What an epoch computes, against a plain loop."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from samcli.config import RunConfig
from samcli.train.session import BatchClosure, Session, diverged, evaluate

Make = Callable[..., RunConfig]

PLAIN = """
dataset: {name: digits, train_examples: 150}
model: cnn
epochs: 2
batch_size: 64
schedule: constant
sharpness: {every: 0}
optimizer: {name: sgd, lr: 0.05, momentum: 0.9}
"""


def test_epoch_equals_a_plain_loop(config_of: Make, places: Any):
    """Same batches, torch's own SGD without fusing, sums on the host: equal up to the rounding of two kernels."""
    config = config_of(text=PLAIN)
    session, twin = Session(config, **places), Session(config, **places)
    optimizer = torch.optim.SGD(twin.model.parameters(), lr=0.05, momentum=0.9, foreach=False)
    row = session.train_epoch()
    twin.model.train()
    loss_sum, right = 0.0, 0
    for x, y in twin.data.epoch(1, 64, config.seed):
        optimizer.zero_grad()
        output = twin.model(x)
        loss = torch.nn.functional.cross_entropy(output, y)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(x)
        right += (output.argmax(1) == y).sum().item()
    assert row["train_loss"] == pytest.approx(loss_sum / 150, rel=1e-5)
    assert row["train_accuracy"] == pytest.approx(right / 150)
    for a, b in zip(session.model.parameters(), twin.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    twin.model.eval()
    with torch.no_grad():
        (x, y), *rest = twin.data.test.batches(10_000)
        assert not rest
        accuracy = (twin.model(x).argmax(1) == y).float().mean().item()
    assert row["test_accuracy"] == pytest.approx(accuracy)


def test_evaluation_does_not_depend_on_the_batch_size(config_of: Make, places: Any, monkeypatch: pytest.MonkeyPatch):
    session = Session(config_of(text=PLAIN), **places)
    whole = evaluate(session.model, session.task, session.data.test)
    monkeypatch.setattr("samcli.train.session.EVALUATION_BATCH", 7)
    ragged = evaluate(session.model, session.task, session.data.test)
    assert ragged[1] == whole[1]
    assert ragged[0] == pytest.approx(whole[0], rel=1e-5)


def test_initial_weights_do_not_depend_on_the_optimizer(config_of: Make, places: Any):
    a = Session(config_of(text=PLAIN), **places)
    b = Session(config_of("optimizer=asam", text=PLAIN), **places)
    for x, y in zip(a.model.parameters(), b.model.parameters(), strict=True):
        assert torch.equal(x, y)


def test_closure_keeps_the_first_output(config_of: Make, places: Any):
    session = Session(config_of(text=PLAIN), **places)
    x, y = next(iter(session.data.epoch(1, 8, 0)))
    closure = BatchClosure(session.model, session.task, x, y, 0.0)
    closure()
    first = closure.output
    with torch.no_grad():
        for parameter in session.model.parameters():
            parameter.mul_(1.1)
    closure()
    assert closure.output is first
    assert not first.requires_grad
    assert closure.evaluated == 16


@pytest.mark.parametrize(("loss", "answer"), [(0.5, False), (float("nan"), True), (float("inf"), True)])
def test_diverged(loss: float, answer: bool):
    assert (
        diverged({"train_loss": 1.0, "test_loss": loss, "sharpness": float("nan"), "validation_loss": None}) is answer
    )
