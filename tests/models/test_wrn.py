import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from samcli.models import build
from samcli.models.wrn import WideResNet


@pytest.mark.parametrize(
    ("name", "depth", "widening", "millions"),
    # the figures of Zagoruyko and Komodakis, 2016
    [("wrn-16-4", 16, 4, 2.7), ("wrn-28-10", 28, 10, 36.5)],
)
def test_the_count_of_parameters(name: str, depth: int, widening: int, millions: float) -> None:
    with torch.device("meta"):
        model = build(name, shape=(3, 32, 32), outputs=10)
    expected, before = 9 * 3 * 16, 16
    for width in (16 * widening, 32 * widening, 64 * widening):
        for _ in range((depth - 4) // 6):
            shortcut = before * width if before != width else 0
            expected += 2 * before + 9 * before * width + 2 * width + 9 * width * width + shortcut
            before = width
    expected += 2 * before + (before + 1) * 10
    found = sum(p.numel() for p in model.parameters())
    assert found == expected
    assert round(found / 1e6, 1) == millions


def reference(x: Tensor, model: WideResNet) -> Tensor:
    """The network written out from the paper's table 1 and figure 1, in training mode and without dropout."""

    def activate(x: Tensor, norm: nn.Module) -> Tensor:
        mean, variance = x.mean((0, 2, 3), keepdim=True), x.var((0, 2, 3), unbiased=False, keepdim=True)
        scale, shift = (p.reshape(1, -1, 1, 1) for p in norm.parameters())
        return ((x - mean) / (variance + 1e-5).sqrt() * scale + shift).clamp(min=0)

    x = functional.conv2d(x, model.conv.weight, padding=1)
    for number, block in enumerate(model.blocks):
        stride = 2 if number in (2, 4) else 1
        a = activate(x, block.norm1)
        y = activate(functional.conv2d(a, block.conv1.weight, stride=stride, padding=1), block.norm2)
        y = functional.conv2d(y, block.conv2.weight, padding=1)
        x = y + (functional.conv2d(a, block.projection.weight, stride=stride) if number in (0, 2, 4) else x)
    return functional.linear(activate(x, model.norm).mean((2, 3)), model.head.weight, model.head.bias)


def test_the_network_equals_a_plain_reference() -> None:
    torch.manual_seed(0)
    model = build("wrn-16-4", shape=(2, 8, 8), outputs=3).double()
    assert isinstance(model, WideResNet)
    for norm in model.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight, mean=1.0, std=0.2)
            nn.init.normal_(norm.bias, std=0.2)
    x = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    # float64: only the order of summation differs
    torch.testing.assert_close(model(x), reference(x, model), rtol=1e-10, atol=1e-10)


def test_dropout_acts_between_the_convolutions_in_training_only() -> None:
    torch.manual_seed(0)
    model = build("wrn-16-4", shape=(1, 8, 8), outputs=3, dropout=0.5)
    x = torch.randn(2, 1, 8, 8)
    assert not torch.equal(model(x), model(x))
    model.eval()
    assert torch.equal(model(x), model(x))


def test_a_depth_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"6n \+ 4, not 17"):
        WideResNet(3, 10, depth=17, widening=1, dropout=0.0)
