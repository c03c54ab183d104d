"""Columns of categories become vectors before a network of numbers."""

import pytest
import torch
from torch import nn

from samcli import models
from samcli.errors import ConfigError
from samcli.models._categories import WithCategories, embedded_length, embedding_width
from samcli.shape import InputShape


def test_the_network_sees_numbers_then_vectors() -> None:
    """Against the same put together by hand."""
    network = WithCategories((3, 0, 5, 0), nn.Identity())
    x = torch.tensor([[2.0, 0.5, 4.0, -1.0], [0.0, 1.5, 0.0, 2.0]])
    first, second = network.embeddings
    by_hand = [[*row[[1, 3]], *first.weight[int(row[0])], *second.weight[int(row[2])]] for row in x]
    assert torch.equal(network(x), torch.tensor([[v.item() for v in row] for row in by_hand]))
    assert network(x).shape == (2, embedded_length((3, 0, 5, 0))) == (2, 2 + 2 + 3)


@pytest.mark.parametrize("name", ["linear", "mlp"])
def test_any_model_of_vectors_takes_categories(name: str) -> None:
    shape = InputShape((3,), categories=(0, 4, 0))
    network = models.build(name, shape=shape, outputs=2)
    output = network(torch.tensor([[0.1, 3.0, 0.2]]))
    assert output.shape == (1, 2)
    output.sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    assert not isinstance(models.build(name, shape=(3,), outputs=2), WithCategories)


def test_tokens_are_for_models_of_tokens() -> None:
    with pytest.raises(ConfigError, match="but the inputs are texts of 16 tokens"):
        models.build("mlp", shape=InputShape((16,), vocabulary=50), outputs=2)


def test_widths() -> None:
    assert [embedding_width(n) for n in (1, 2, 99, 100, 10_000)] == [1, 1, 50, 50, 50]
