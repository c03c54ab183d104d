"""Standard errors against numpy, and the losses that examples gain."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from samcli.sharpness import Problem
from samcli.sharpness.measures._errors import error_of_mean, example_differences, in_quadrature


def test_error_of_a_mean_is_that_of_numpy() -> None:
    """In fp64 also for fp32 values that are large beside their spread."""
    values = 1000.0 + torch.randn(50, generator=torch.Generator().manual_seed(0))
    exact = values.double().numpy().std(ddof=1) / np.sqrt(50)
    assert error_of_mean(values) == pytest.approx(exact, rel=1e-12)
    assert error_of_mean(values[:1]) is None
    assert error_of_mean(torch.ones(3)) == 0.0


def test_unknown_errors_are_left_out() -> None:
    assert in_quadrature(0.3, 0.4) == pytest.approx(0.5)
    assert in_quadrature(None, 0.4) == 0.4
    assert in_quadrature(None, None) is None
    assert math.isinf(in_quadrature(0.1, math.inf) or 0.0)


def test_differences_are_those_of_the_losses() -> None:
    torch.manual_seed(0)
    model, x, y = nn.Linear(4, 3).double(), torch.randn(9, 4, dtype=torch.float64), torch.arange(9) % 3
    problem = Problem(model, nn.functional.cross_entropy, [(x[:5], y[:5]), (x[5:], y[5:])], seed=0)
    epsilon = [torch.ones_like(p) * i for i, p in enumerate(model.parameters(), start=1)]
    before = nn.functional.cross_entropy(model(x), y, reduction="none").detach()
    there = x @ (model.weight + epsilon[0]).T + model.bias + epsilon[1]
    after = nn.functional.cross_entropy(there, y, reduction="none").detach()
    losses, differences = example_differences(problem, epsilon)
    torch.testing.assert_close(losses, before, rtol=1e-12, atol=0)
    torch.testing.assert_close(differences, after - before, rtol=0, atol=1e-12)
