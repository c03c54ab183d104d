import pytest
import torch
from torch import nn

from samcli.models import build


def test_linear_is_a_matrix_product() -> None:
    torch.manual_seed(0)
    model = build("linear", shape=(2, 3), outputs=4)
    weight, bias = model.parameters()
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(model(x), x.reshape(5, 6) @ weight.T + bias)


@pytest.mark.parametrize(("hidden", "depth"), [(64, 2), (5, 1), (7, 4)])
def test_mlp_has_the_closed_form_count_of_parameters(hidden: int, depth: int) -> None:
    model = build("mlp", shape=(30,), outputs=3, hidden=hidden, depth=depth)
    expected = 31 * hidden + (depth - 1) * (hidden + 1) * hidden + (hidden + 1) * 3
    assert sum(p.numel() for p in model.parameters()) == expected


def test_mlp_equals_its_formula() -> None:
    torch.manual_seed(0)
    model = build("mlp", shape=(6,), outputs=2)
    a, b, c, d, e, f = model.parameters()
    x = torch.randn(5, 6)
    expected = ((x @ a.T + b).clamp(min=0) @ c.T + d).clamp(min=0) @ e.T + f
    torch.testing.assert_close(model(x), expected)


def test_what_follows_a_hidden_layer() -> None:
    kinds = [type(layer) for layer in build("mlp", shape=(4,), outputs=3, activation="tanh", depth=2).children()]
    assert kinds == [nn.Flatten, nn.Linear, nn.Tanh, nn.Linear, nn.Tanh, nn.Linear]
