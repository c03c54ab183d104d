"""T of the adaptive measures against its definition, parameter by parameter, and what it is for."""

import copy

import pytest
import torch
from torch import nn

from samcli.sharpness import MEASURES, Problem, measure
from samcli.sharpness.measures._scales import adaptive_scales, scales_of

ADAPTIVE = [name for name in MEASURES if "scale" in MEASURES.options(name)]


def test_parameters_have_their_size_or_one() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(4, 3))
    problem = Problem(model.eval(), nn.functional.cross_entropy, [(torch.ones(2, 1, 4), torch.tensor([0, 1]))], seed=0)
    for scale in ("all", "weights"):
        scales = dict(zip(problem.names, adaptive_scales(problem, 0.5, scale), strict=True))
        for name, parameter in model.named_parameters():
            sized = scale == "all" or name.endswith("weight")
            exact = parameter.detach().abs() + 0.5 if sized else torch.ones_like(parameter)
            assert torch.equal(scales[name].expand_as(exact), exact), name
            assert not scales[name].requires_grad
        assert all(map(torch.equal, scales_of(problem, {"eta": 0.5, "scale": scale}) or [], scales.values()))
    assert scales_of(problem, {}) is None


def test_all_adaptive_measures_have_both() -> None:
    assert len(ADAPTIVE) == 10
    assert all(("adaptive" in name) == (name in ADAPTIVE) for name in MEASURES)
    assert all(MEASURES.options(name)["eta"].default == 0.0 for name in ADAPTIVE)


@pytest.mark.parametrize("name", ADAPTIVE)
def test_rescaling_layers_with_biases(name: str) -> None:
    """Layer 1 with its bias times 10 and the weight of layer 2 divided by 10 is the same function."""
    torch.manual_seed(1)
    x, y = torch.randn(60, 4).double(), torch.randint(3, (60,))
    plain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)).double()
    rescaled = copy.deepcopy(plain)
    with torch.no_grad():
        rescaled[0].weight.mul_(10)
        rescaled[0].bias.mul_(10)
        rescaled[2].weight.div_(10)
    first, second, asam, asam_rescaled = (
        measure(model, nn.functional.cross_entropy, [(x, y)], [name], scale=scale)[name].value
        for scale in ("all", "weights")
        for model in (plain, rescaled)
    )
    assert second == pytest.approx(first, rel=1e-8)  # fp64, carried through the steps of an ascent
    assert first > 0.0
    if name != "pac-bayes-sigma-adaptive":  # whose value moves in the steps of its bisection
        assert abs(asam - asam_rescaled) > 1e-3 * asam
