"""Running statistics of clients, pooled as of one population."""

import pytest
import torch
from torch import nn

from samcli.train.client_statistics import ClientStatistics, tracked
from samcli.weights.frozen import freeze


def test_pooled_statistics_are_those_of_all_examples() -> None:
    """Population statistics of three clients, pooled, are those of their examples together, to rounding in float32."""
    generator = torch.Generator().manual_seed(0)
    data = [torch.randn(n, 4, generator=generator) * (k + 1) + k for k, n in enumerate((50, 20, 30))]
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    layer = model[1]
    assert isinstance(layer, nn.BatchNorm1d)
    statistics = ClientStatistics(model, [50, 20, 30])
    for client, examples in enumerate(data):
        statistics.begin(client)
        assert torch.equal(layer.running_mean, torch.zeros(4))  # not those of the client before
        layer.running_mean.copy_(examples.mean(0))
        layer.running_var.copy_(examples.var(0, correction=0))
        statistics.keep(client, statistics.sent())
    statistics.pool()
    whole = torch.cat(data)
    assert torch.allclose(layer.running_mean, whole.mean(0), atol=1e-5)
    assert torch.allclose(layer.running_var, whole.var(0, correction=0), atol=1e-4)
    statistics.begin(2)
    assert torch.equal(layer.running_mean, data[2].mean(0))


def test_a_client_that_has_not_trained_counts_nothing() -> None:
    layer = nn.BatchNorm1d(1)
    statistics = ClientStatistics(layer, [1, 1000])
    statistics.keep(0, torch.tensor([5.0, 2.0, 1.0]))
    statistics.pool()
    assert (float(layer.running_mean), float(layer.running_var), int(layer.num_batches_tracked)) == (5.0, 2.0, 1)


def test_state() -> None:
    layer = nn.BatchNorm1d(1)
    statistics = ClientStatistics(layer, [1, 1])
    statistics.keep(1, torch.tensor([5.0, 2.0, 1.0]))
    other = ClientStatistics(nn.BatchNorm1d(1), [1, 1])
    other.restore(statistics.state())
    assert other.state()["of"].keys() == {"1"}
    with pytest.raises(ValueError, match="do not fit"):
        ClientStatistics(nn.BatchNorm1d(2), [1, 1]).restore(statistics.state())
    with pytest.raises(ValueError, match="does not exist"):
        ClientStatistics(nn.BatchNorm1d(1), [1]).restore(statistics.state())


def test_only_layers_that_training_changes() -> None:
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GroupNorm(1, 2), nn.InstanceNorm2d(2), nn.Flatten(), nn.Linear(8, 3)
    )
    assert tracked(model) == [model[1]]
    freeze(model, ("backbone",), 3)
    assert tracked(model) == []
    assert ClientStatistics(model, [1]).sent().numel() == 0
