"""Noise, rounding and pruning of weights, and rounding of activations."""

import math
from typing import Any

import pytest
import torch
from images import PIXELS, images, network, self_labelled
from torch import Tensor, nn

from samcli import robustness
from samcli.errors import NotApplicable
from samcli.robustness import Outcome
from samcli.robustness.perturbations.activation_rounding import affinely_rounded
from samcli.robustness.perturbations.weight_rounding import rounded
from samcli.tasks import Classification, Regression

NAMES = ["weight-noise", "weight-rounding", "weight-pruning", "activation-rounding"]


def measured(model: nn.Module, data: Any, name: str, **options: Any) -> dict[str, Outcome]:
    return robustness.measure(model, Classification(4), data, name, pixels=PIXELS, **options)


@pytest.mark.parametrize("bits", [2, 4, 8])
@pytest.mark.parametrize("by_channel", [False, True])
def test_rounded_weights_are_the_nearest_of_their_grid(bits: int, by_channel: bool) -> None:
    weight = torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    found = rounded(weight, bits, by_channel=by_channel)
    for part, old in zip(found, weight, strict=True) if by_channel else [(found, weight)]:
        grid = torch.linspace(-1, 1, 2**bits - 1, dtype=torch.float64) * old.abs().max()
        nearest = (old.flatten()[:, None] - grid).abs().amin(1)
        torch.testing.assert_close((part - old).flatten().abs(), nearest)
        assert len(part.unique()) <= 2**bits - 1


def test_a_filter_of_zeros_stays_one() -> None:
    weight = torch.tensor([[0.0, 0.0], [1.0, 0.4]])
    assert rounded(weight, 3, by_channel=True)[0].tolist() == [0.0, 0.0]
    assert rounded(torch.zeros(2, 2), 3, by_channel=False).tolist() == [[0.0, 0.0]] * 2


def test_rounded_activations_are_torch_aos() -> None:
    """Its observer finds the range, its fake quantisation rounds; halves go to even in both, so all are equal."""
    from torch.ao.quantization import MinMaxObserver

    values = torch.randn(500, generator=torch.Generator().manual_seed(1)) + 0.7
    observer = MinMaxObserver(dtype=torch.quint8, quant_min=0, quant_max=255)
    observer(values)
    scale, zero = observer.calculate_qparams()
    expected = torch.fake_quantize_per_tensor_affine(values, scale.item(), int(zero.item()), 0, 255)
    found = affinely_rounded(values, values.min().item(), values.max().item(), 8)
    # the scale is rounded to float32 there: one value in a thousand may go to the other neighbour
    assert ((found - expected).abs() > 1e-5).double().mean() <= 0.005
    assert float((found - expected).abs().max()) <= 1.01 * scale.item()


def test_noise_has_the_length_of_its_filter() -> None:
    """A network that returns its weights shows what it was given; 4,000 draws, five errors wide."""

    class Shown(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([[3.0, 4.0], [0.0, 0.0], [0.0, 0.5]]))
            self.seen: list[Tensor] = []

        def forward(self, x: Tensor) -> Tensor:
            self.seen.append(self.weight.detach().clone())
            return torch.zeros(len(x), 4)

    model = Shown()
    data = [(torch.zeros(2, 1), torch.zeros(2, dtype=torch.int64))]
    measured(model, data, "weight-noise", scale=0.2, draws=4000)
    noise = torch.stack(model.seen) - model.weight.detach()
    assert noise[:, 1].abs().max() == 0.0
    for row, length in ((0, 5.0), (2, 0.5)):
        square = noise[:, row].square().sum(1).mean().sqrt()
        assert float(square) == pytest.approx(0.2 * length, rel=5 / math.sqrt(4 * 4000))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("within", ["network", "layer"])
def test_the_smallest_weights_go(share: float, within: str) -> None:
    seen: list[list[Tensor]] = []

    class Shown(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(3)
            self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 4)
            with torch.no_grad():
                self.second.weight.mul_(10.0)

        def forward(self, x: Tensor) -> Tensor:
            seen.append([layer.weight.detach().clone() for layer in (self.first, self.second)])
            return torch.zeros(len(x), 4)

    model = Shown()
    data = [(torch.zeros(2, 4), torch.zeros(2, dtype=torch.int64))]
    measured(model, data, "weight-pruning", share=share, within=within)
    before, after = [[torch.cat([w.flatten() for w in weights]) for weights in (seen[1], seen[0])]][0]
    gone = after == 0
    assert int(gone.sum()) == round(32 * share)
    if within == "network" and 0 < share < 1:
        assert before[gone].abs().max() <= before[~gone].abs().min()
    if within == "layer":
        assert int(gone[:16].sum()) == int(gone[16:].sum())
    assert torch.equal(after[~gone], before[~gone])


@pytest.mark.parametrize("name", NAMES)
def test_the_network_comes_back_bit_for_bit(name: str) -> None:
    model = network().train()
    data = self_labelled(model, images(30))
    state = {key: value.clone() for key, value in model.state_dict().items()}
    torch.manual_seed(9)
    random_state = torch.get_rng_state()
    found = measured(model, data, name)
    assert len(found) >= 3
    assert all(0.0 <= outcome.value <= 1.0 for outcome in found.values())
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert model.training
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not any(module._forward_pre_hooks for module in model.modules())
    assert measured(model, data, name) == found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("weight-noise", {"scale": 0.0}),
        ("weight-rounding", {"bits": 16}),
        ("weight-pruning", {"share": 0.0}),
        ("activation-rounding", {"bits": 16}),
    ],
)
def test_without_strength_nothing_changes(name: str, options: dict[str, Any]) -> None:
    model = network()
    data = self_labelled(model, images(30))
    (found,) = measured(model, data, name, **options).values()
    assert found.value == 1.0


@pytest.mark.parametrize("name", NAMES)
def test_a_regression_has_a_mean_loss(name: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1))
    data = [(torch.randn(20, 5), torch.randn(20))]
    found = robustness.measure(model, Regression(), data, ["clean", name])
    expected = nn.functional.mse_loss(model(data[0][0]).squeeze(1), data[0][1])
    assert found["clean"].value == pytest.approx(expected.item())
    assert {outcome.score for outcome in found.values()} == {"loss"}


def test_a_network_without_layers_is_refused() -> None:
    data = [(torch.zeros(3, 4), torch.zeros(3, dtype=torch.int64))]
    for name in NAMES:
        with pytest.raises(NotApplicable, match="this network has none"):
            measured(nn.Identity(), data, name)


def test_weights_come_back_after_an_error() -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Tensor:
            raise RuntimeError("no")

    model = Failing()
    before = model.layer.weight.detach().clone()
    data = [(torch.zeros(3, 4), torch.zeros(3, dtype=torch.int64))]
    for name in NAMES:
        with pytest.raises(RuntimeError, match="no"):
            measured(model, data, name)
        assert torch.equal(model.layer.weight, before)
