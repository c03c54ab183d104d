import pytest
import torch
from torch.nn import functional

from samcli.models import build


@pytest.mark.parametrize(
    ("shape", "count"),
    # MNIST: 320 + 18 496 + 3136 · 128 + 128 + 1290, the figure that the tutorials print
    [((1, 28, 28), 421_642), ((3, 32, 32), 896 + 18_496 + 4096 * 128 + 128 + 1290), ((1, 5, 7), 28_426)],
)
def test_the_count_of_parameters(shape: tuple[int, ...], count: int) -> None:
    model = build("cnn", shape=shape, outputs=10)
    assert sum(p.numel() for p in model.parameters()) == count
    channels, height, width = shape
    documented = 288 * channels + 18_528 + 64 * (height // 4) * (width // 4) * 128 + 128 + 129 * 10
    assert documented == count


def test_pooling_first_equals_the_tutorials_order_bit_for_bit() -> None:
    torch.manual_seed(0)
    model = build("cnn", shape=(1, 12, 12), outputs=3)
    a, b, c, d, e, f, g, h = model.parameters()
    x = torch.randn(4, 1, 12, 12)
    y = functional.max_pool2d(functional.relu(functional.conv2d(x, a, b, padding=1)), 2)
    y = functional.max_pool2d(functional.relu(functional.conv2d(y, c, d, padding=1)), 2)
    y = functional.linear(functional.relu(functional.linear(y.flatten(1), e, f)), g, h)
    assert torch.equal(model(x), y)
