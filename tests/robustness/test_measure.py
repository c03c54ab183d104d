"""The entry of the library: names, parameters, and what comes back."""

import pytest
import torch
from images import PIXELS, images, network, self_labelled
from torch import nn

from samcli import robustness
from samcli.errors import ConfigError, ExamplesError
from samcli.robustness import PERTURBATIONS, labels
from samcli.tasks import Classification


def test_names_and_parameters_are_checked() -> None:
    with pytest.raises(ConfigError, match="did you mean fgsm"):
        robustness.measure(network(), Classification(4), images(), "fgms", pixels=PIXELS)
    with pytest.raises(ConfigError, match="'epsilon'"):
        robustness.measure(network(), Classification(4), images(), "fgsm", pixels=PIXELS, epsilon=0.1)
    with pytest.raises(ConfigError, match="bits"):
        robustness.measure(network(), Classification(4), images(), "weight-rounding", bits=1)
    with pytest.raises(ExamplesError):
        robustness.measure(network(), Classification(4), [], "clean")


def test_strengths_make_labels() -> None:
    found = labels(["clean", "pgd", "weight-rounding", "shift"], {"eps": ["2/255", 0.1], "steps": 5}, shifted=["mnist"])
    assert [label for label, _, _ in found] == [
        "clean",
        "pgd eps=2/255",
        "pgd eps=0.1",
        "weight-rounding bits=8",
        "weight-rounding bits=6",
        "weight-rounding bits=4",
        "weight-rounding bits=3",
        "shift mnist",
    ]
    assert {settings["steps"] for _, name, settings in found if name == "pgd"} == {5}


def test_the_network_is_tested_in_evaluation_mode_and_left_as_it_was() -> None:
    model = network().train()
    data = self_labelled(model, images())
    state = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(3)
    before = torch.get_rng_state()
    tests = [name for name in PERTURBATIONS if name not in ("shift", "other-classes", "cifar10-c")]
    found = robustness.measure(model, Classification(4), data, tests, pixels=PIXELS)
    assert found["clean"].value == 1.0
    assert model.training
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())
    with torch.no_grad(), torch.inference_mode():
        assert robustness.measure(model, Classification(4), data, "fgsm", pixels=PIXELS) == {
            label: outcome for label, outcome in found.items() if label.startswith("fgsm ")
        }


def test_every_outcome_has_an_error_and_a_number_of_examples() -> None:
    data = images(40)
    tests = [name for name in PERTURBATIONS if name not in ("shift", "other-classes", "cifar10-c")]
    for label, outcome in robustness.measure(network(), Classification(4), data, tests, pixels=PIXELS).items():
        assert outcome.stderr is not None, label
        assert outcome.n == 40, label
        assert outcome.score in ("accuracy", "calibration_error"), label


def test_a_compiled_network_is_the_one_inside() -> None:
    inner = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    wrapper = nn.Module()
    wrapper._orig_mod = inner
    data = self_labelled(inner, images())
    assert robustness.measure(wrapper, Classification(4), data, "clean", pixels=PIXELS)["clean"].value == 1.0
