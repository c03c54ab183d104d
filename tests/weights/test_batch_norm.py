"""Running statistics by one pass, against means written out."""

import copy

import pytest
import torch
from torch import nn

from samcli.weights.batch_norm import batch_norms, recalibrate
from samcli.weights.frozen import freeze


def batches(sizes: tuple[int, ...]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    generator = torch.Generator().manual_seed(0)
    found = []
    for size in sizes:
        inputs = torch.randn(size, 3, generator=generator, dtype=torch.float64)
        found.append((inputs, torch.zeros(size)))
    return found


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2), nn.BatchNorm1d(2), nn.Dropout()
    ).double()


def test_each_layer_has_the_means_over_batches_counted_by_their_size() -> None:
    """In double precision, where a running mean and a sum divided once differ by rounding alone."""
    model, data = network().eval(), batches((5, 7, 2))
    recalibrate(model, batch_norms(model), data)
    twin, weights = network().eval(), torch.tensor([5, 7, 2]).double() / 14
    seen: dict[int, list[torch.Tensor]] = {1: [], 4: []}
    with torch.no_grad():
        for inputs, _ in data:
            x = inputs
            for place, layer in enumerate(twin):
                if place in seen:
                    seen[place].append(x)
                    x = (x - x.mean(0)) / (x.var(0, correction=0) + layer.eps).sqrt()
                else:
                    x = layer(x)
    for place, values in seen.items():
        mean = sum(weight * x.mean(0) for weight, x in zip(weights, values, strict=True))
        variance = sum(weight * x.var(0) for weight, x in zip(weights, values, strict=True))
        torch.testing.assert_close(model[place].running_mean, mean, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(model[place].running_var, variance, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("training", [True, False])
def test_nothing_else_changes(training: bool) -> None:
    model = network().train(training)
    before = copy.deepcopy(model)
    recalibrate(model, batch_norms(model), batches((4, 4)))
    for (name, a), b in zip(model.state_dict().items(), before.state_dict().values(), strict=True):
        changes = name.endswith(("running_mean", "running_var", "num_batches_tracked"))
        assert torch.equal(a, b) is not changes
    assert [(m.training, getattr(m, "momentum", None)) for m in model.modules()] == [
        (m.training, getattr(m, "momentum", None)) for m in before.modules()
    ]


def test_layers_are_as_they_were_after_an_error() -> None:
    model = network().eval()
    with pytest.raises(RuntimeError):
        recalibrate(model, batch_norms(model), [(torch.zeros(4, 9).double(), torch.zeros(4))])
    assert not any(module.training for module in model.modules())
    assert [layer.momentum for layer in batch_norms(model)] == [0.1, 0.1]


def test_a_frozen_layer_keeps_what_it_came_with() -> None:
    model = network()
    freeze(model, ["1.*"], outputs=2)
    assert batch_norms(model) == [model[4]]
    recalibrate(model.train(), batch_norms(model), batches((6, 6)))
    assert torch.equal(model[1].running_mean, torch.zeros(4).double())
    assert not torch.equal(model[4].running_mean, torch.zeros(2).double())
