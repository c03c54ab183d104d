"""When a run has diverged."""

import pytest

from samcli.train.ending import diverged


@pytest.mark.parametrize(("loss", "answer"), [(0.5, False), (float("nan"), True), (float("inf"), True)])
def test_diverged(loss: float, answer: bool) -> None:
    assert (
        diverged({"train_loss": 1.0, "test_loss": loss, "sharpness": float("nan"), "validation_loss": None}) is answer
    )
