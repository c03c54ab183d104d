"""Every variant trains a language model: outputs and targets have a place for each token."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from samcli import optim
from samcli.errors import ConfigError
from samcli.models import build
from samcli.optim import VARIANTS, Batch, SharpnessAware
from samcli.optim.variants._trajectory import trajectory_loss
from samcli.shape import InputShape
from samcli.tasks import LanguageModel

VOCABULARY, LENGTH = 7, 6
TASK = LanguageModel(VOCABULARY)


def network() -> nn.Module:
    torch.manual_seed(0)
    shape = InputShape((LENGTH,), vocabulary=VOCABULARY)
    return build("gpt", shape=shape, outputs=VOCABULARY, layers=1, width=8, heads=2)


def text(windows: int) -> tuple[Tensor, Tensor]:
    """Counting up from anywhere, which is quickly learnt."""
    numbers = torch.arange(windows)[:, None] + torch.arange(LENGTH + 1)
    return numbers[:, :-1] % VOCABULARY, numbers[:, 1:] % VOCABULARY


def optimizer_of(name: str, model: nn.Module, **ascent: object) -> SharpnessAware:
    momentum = VARIANTS.kind(name).base_defaults.get("momentum", 0.9)
    lr = 0.02 if name == "lookbehind" else 0.1  # which takes several steps in one
    base = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    return optim.build(name, base, model=model, **ascent)


def batch_of(model: nn.Module, windows: int = 8, **options: object) -> Batch:
    inputs, targets = text(windows)
    return Batch(model, TASK.loss, inputs, targets, indices=torch.arange(windows), population=windows, **options)


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_variant_trains_it(name: str) -> None:
    model = network()
    optimizer, losses = optimizer_of(name, model), []
    for step in range(30):
        optimizer.progress = step / 30
        losses.append(float(optimizer.step(batch_of(model))))
    assert losses[0] == pytest.approx(math.log(VOCABULARY), rel=0.05)
    assert all(map(math.isfinite, losses))
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("name", ["sam", "esam", "saf", "mesa"])
@pytest.mark.parametrize("ascent", [{"m": 3}, {"ascent_fraction": 0.5}])
def test_parts_of_a_batch_are_windows(name: str, ascent: dict[str, Any]) -> None:
    model = network()
    try:
        optimizer = optimizer_of(name, model, **ascent)
    except ConfigError as error:
        pytest.skip(str(error))
    for _ in range(3):
        batch = batch_of(model)
        assert math.isfinite(float(optimizer.step(batch)))
        assert batch.output.shape[1:] == (LENGTH, VOCABULARY)
        assert batch.output_targets.shape == (len(batch.output), LENGTH)


@pytest.mark.parametrize("pieces", [2, 3, 8])
def test_gradients_in_pieces_are_those_of_the_whole(pieces: int) -> None:
    model = network()
    whole = batch_of(model)()
    expected = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    loss = batch_of(model, accumulate=pieces)()
    torch.testing.assert_close(loss, whole)
    for p, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(p.grad, gradient, rtol=1e-4, atol=1e-6)


def test_the_outputs_that_saf_and_mesa_hold_are_those_of_each_token() -> None:
    torch.manual_seed(0)
    outputs, past = torch.randn(3, LENGTH, VOCABULARY), torch.randn(3, LENGTH, VOCABULARY)
    known = torch.tensor([True, False, True])
    log_q, log_p = (nn.functional.log_softmax(z / 2.0, -1) for z in (outputs, past))
    each = nn.functional.kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1).mean(1)
    torch.testing.assert_close(trajectory_loss(outputs, past, known, 2.0), 4.0 * each[known].sum() / 3)
