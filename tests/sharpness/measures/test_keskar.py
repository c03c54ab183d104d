"""Keskar's sharpness in closed form; what it shares with the worst-case measures is tested with them."""

import math

import pytest
import torch
from torch import nn

from samcli.sharpness import MEASURES, Problem


def test_linear_loss() -> None:
    """100 e Σ (|w| + 1) |g| / (1 + L), and its error from each example's part in both."""
    torch.manual_seed(3)
    model, x = nn.Linear(4, 1).double(), torch.randn(60, 4, dtype=torch.float64)
    where = Problem(model, lambda output, target: output.mean(), [(x, x)], 0)
    w, b = model.weight.detach().flatten(), model.bias.detach()
    with torch.no_grad():
        losses = model(x).flatten()
    gradient = torch.cat([(w.abs() + 1) * x.mean(0), (b.abs() + 1)])
    loss = float(losses.mean())
    expected = 100 * 0.002 * float(gradient.abs().sum()) / (1 + loss)
    found = MEASURES.create("keskar", epsilon=0.002).of(where)
    assert found.value == pytest.approx(expected, rel=1e-9)
    corner = 0.002 * gradient.sign() * torch.cat([w.abs() + 1, b.abs() + 1])
    increase = x @ corner[:4] + corner[4]
    # the jackknife, which shares no formula with the linearisation and agrees with it to order 1/n
    total = [100 * (increase.sum() - increase[i]) / (59 + losses.sum() - losses[i]) for i in range(60)]
    left_out = torch.stack(total)
    jackknife = math.sqrt(59 / 60 * float((left_out - left_out.mean()).square().sum()))
    assert found.stderr == pytest.approx(jackknife, rel=0.05)
