"""The sharpness that is recorded in training."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from samcli.config.schema import Sharpness
from samcli.data import Part
from samcli.data.normalise import Normalisation
from samcli.sharpness import Result, measure
from samcli.train.recorded import column, record

MEASURES = ("grad-norm", "lambda-max", "average-case", "one-step", "worst-case")


@pytest.fixture
def part() -> Part:
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(40, 3, generator=generator)
    return Part(inputs, torch.randint(3, (40,), generator=generator), Normalisation(inputs, torch.device("cpu")))


@pytest.fixture
def model() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))


LOSS = torch.nn.functional.cross_entropy


def test_values_are_those_of_the_library(model: torch.nn.Module, part: Part) -> None:
    batches = list(part.batches(1000))
    row = record(model, LOSS, part, Sharpness(measures=MEASURES, rho=0.2))
    assert list(row) == [
        "grad_norm",
        "lambda_max",
        "average_case",
        "average_case_stderr",
        "sharpness",
        "worst_case",
    ] + [name for name in row if name == "worst_case_stderr"]
    wide, own = measure(model, LOSS, batches, MEASURES, rho=0.2), measure(model, LOSS, batches, MEASURES)
    assert row["sharpness"] == wide["one-step"].value != own["one-step"].value
    assert row["grad_norm"] == own["grad-norm"].value
    # rho is that of one-step: a radius of 0.2 is another size for each of the others
    for name in ("lambda-max", "average-case", "worst-case"):
        assert row[column(name)] == own[name].value
    assert row["average_case"] != wide["average-case"].value


def test_what_has_not_converged_is_empty(model: torch.nn.Module, part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsettled(*args: Any, **kwargs: Any) -> dict[str, Result]:
        return {
            name: replace(result, converged=name != "lambda-max") for name, result in measure(*args, **kwargs).items()
        }

    monkeypatch.setattr("samcli.train.recorded.measure", unsettled)
    row = record(model, LOSS, part, Sharpness(measures=("one-step", "lambda-max", "trace")))
    assert row["lambda_max"] is None
    assert row["sharpness"] is not None
    assert row["trace"] is not None


def test_a_measure_that_needs_the_optimizer_is_given_it(model: torch.nn.Module, part: Part) -> None:
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    ((inputs, targets),) = part.batches(1000)
    LOSS(model(inputs), targets).backward()
    adam.step()
    row = record(model, LOSS, part, Sharpness(measures=("lambda-max-adam",)), adam)
    alone = measure(model, LOSS, [(inputs, targets)], ["lambda-max-adam"], optimizer=adam)
    assert row == {"lambda_max_adam": alone["lambda-max-adam"].value}
