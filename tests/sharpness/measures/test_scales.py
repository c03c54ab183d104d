"""ASAM's T against its definition, parameter by parameter."""

import torch
from torch import nn

from samcli.sharpness import Problem
from samcli.sharpness.measures._scales import asam_scales, scales_of


def test_weights_have_their_size_and_biases_one() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(4, 3))
    problem = Problem(model.eval(), nn.functional.cross_entropy, [(torch.ones(2, 1, 4), torch.tensor([0, 1]))], seed=0)
    scales = dict(zip(problem.names, asam_scales(problem, 0.5), strict=True))
    for name, parameter in model.named_parameters():
        exact = parameter.detach().abs() + 0.5 if name.endswith("weight") else torch.ones_like(parameter)
        assert torch.equal(scales[name].expand_as(exact), exact), name
        assert not scales[name].requires_grad
    assert scales_of(problem, None) is None
    assert all(map(torch.equal, scales_of(problem, 0.5) or [], scales.values()))
