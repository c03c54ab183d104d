"""The numbers of the claim ravine are those that numpy finds in the data, by formulas, without a step of training."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from samcli import config, shipped
from samcli.data.loading import load
from samcli.models import build
from samcli.train import CATALOGUE

ROUNDING = 1e-4  # of numbers that are written with four to six digits


@pytest.fixture
def claim() -> dict[str, dict[str, str]]:
    """What the claim's file says of each setting."""
    file = shipped.path_of("claims/ravine")
    assert file is not None
    return {one["says"]: one for one in config.read(file).data["hypotheses"]}


def test_the_published_numbers_are_closed_forms(claim: dict[str, dict[str, str]]) -> None:
    diabetes = load(CATALOGUE.create("dataset", {"name": "diabetes"}), seed=0, data_dir=Path(), device="cpu")
    inputs, targets = (one.to(torch.float64).numpy() for one in (diabetes.train.inputs, diabetes.train.targets))
    design = np.c_[inputs, np.ones(len(inputs))]  # with the bias
    weights, *_ = np.linalg.lstsq(design, targets.ravel())
    least = np.mean((design @ weights - targets.ravel()) ** 2)
    largest = np.linalg.eigvalsh(2.0 * design.T @ design / len(design))[-1]  # of the Hessian of the mean squared error

    for says, one in claim.items():
        pattern = one["mean_of"]
        assert isinstance(pattern, dict)
        rate, radius = pattern.get("optimizer.lr"), pattern.get("optimizer.rho")
        if one["metric"] == "lambda-max":
            expected = largest
        elif radius is None:
            expected = least
        else:
            expected = least + 0.5 * largest * (rate * radius * largest / (2.0 - rate * largest)) ** 2
        if "published" in one:
            assert float(one["published"]) == pytest.approx(expected, rel=ROUNDING), says
        bound, factor = (one["above"], 0.99) if "above" in one else (one["below"], 1.01)
        assert float(bound) == pytest.approx(factor * expected, rel=ROUNDING), says


def test_the_claim_on_rescaling_changes_no_output_and_no_adaptive_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """α is a power of two, so that nothing is rounded: outputs are equal bit for bit, and weights by α."""
    file = shipped.path_of("claims/rescaling")
    assert file is not None
    spec = importlib.util.spec_from_file_location("rescaling", file.with_suffix(".py"))
    assert spec is not None
    assert spec.loader is not None
    plugin = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, plugin)  # where dataclasses look for it
    spec.loader.exec_module(plugin)
    torch.manual_seed(0)
    network = build("mlp", shape=(5,), outputs=3, hidden=7)
    inputs, before = torch.randn(4, 5), [p.detach().clone() for p in network.parameters()]
    outputs = network(inputs)
    plugin.Rescaled(factor=8.0).build(network.parameters()).step()
    assert torch.equal(network(inputs), outputs)
    factors = [8.0, 8.0, 0.125, 1.0, 1.0, 1.0]
    assert all(torch.equal(p, f * b) for p, f, b in zip(network.parameters(), factors, before, strict=True))
