"""Attacks on linear networks, whose worst point is known, and what holds for every attack."""

import math
from typing import Any

import pytest
import torch
from images import PIXELS, images, network, self_labelled
from torch import Tensor, nn

from samcli import robustness
from samcli.robustness import PERTURBATIONS, Outcome, Subject
from samcli.robustness.perturbations._attack import Region, logit_ratio
from samcli.robustness.strength import LEAST, MOST
from samcli.tasks import Binary, Classification

BOX, BALL = ["fgsm", "pgd", "apgd"], ["fgsm-l2", "pgd-l2", "apgd-l2"]


def linear() -> tuple[nn.Module, list[tuple[Tensor, Tensor]], Tensor, Tensor]:
    """A linear network of two classes, images well within the range of pixels, their margins and the weights."""
    torch.manual_seed(4)
    layer = nn.Linear(12, 2)
    model = nn.Sequential(nn.Flatten(), layer)
    pixels = 0.35 + 0.3 * torch.rand(40, 3, 2, 2)
    inputs = PIXELS.to_inputs(pixels)
    batches = self_labelled(model, [(inputs[:15], torch.zeros(15)), (inputs[15:], torch.zeros(25))])
    slope = (layer.weight[1] - layer.weight[0]).detach().view(3, 2, 2) / PIXELS.std
    output = model(inputs).detach()
    return model, batches, (output[:, 1] - output[:, 0]).abs(), slope


def measured(model: nn.Module, data: Any, name: str, classes: int = 4, **options: Any) -> Outcome:
    found = robustness.measure(model, Classification(classes), data, name, pixels=PIXELS, **options)
    (outcome,) = found.values()
    return outcome


@pytest.mark.parametrize("name", BOX + BALL)
def test_of_a_linear_network_all_attacks_find_the_worst_point(name: str) -> None:
    """|margin| > ε ‖w‖ with the dual norm; ε lies between two images, so that rounding decides nothing."""
    model, batches, margins, slope = linear()
    dual = slope.abs().sum() if name in BOX else slope.norm()
    radii = (margins / dual).sort().values
    eps = float(radii[20] + radii[21]) / 2
    assert eps < 0.3  # the range of pixels is further away
    found = measured(model, batches, name, classes=2, eps=eps)
    assert found.value == 19 / 40
    assert found.n == 40
    assert found.details["clean"] == 1.0


@pytest.mark.parametrize("name", BOX + BALL)
def test_the_smallest_and_the_largest_radius_are_computed_with(name: str) -> None:
    """Of the smallest no image falls; the largest ball holds every corner of the range of pixels, as one of 1000."""
    model, batches, _, _ = linear()
    assert measured(model, batches, name, classes=2, eps=LEAST).value == 1.0
    largest, large = (measured(model, batches, name, classes=2, eps=eps).value for eps in (MOST, 1e3))
    assert largest == large == 0.0


@pytest.mark.parametrize("name", BOX + BALL)
def test_without_a_radius_nothing_changes(name: str) -> None:
    model = network()
    batches = images()
    clean = measured(model, batches, "clean")
    found = measured(model, batches, name, eps=0.0)
    assert (found.value, found.stderr, found.interval) == (clean.value, clean.stderr, clean.interval)


@pytest.mark.parametrize("names", [BOX, BALL])
def test_a_stronger_attack_is_never_weaker(names: list[str]) -> None:
    model = network()
    batches = self_labelled(model, images(48))
    for eps in (0.003, 0.006) if names is BOX else (0.03, 0.06):
        one, *stronger = (measured(model, batches, name, eps=eps) for name in names)
        assert 0.0 < one.value < 1.0
        assert all(other.value <= one.value for other in stronger)


@pytest.mark.parametrize("norm", [2.0, math.inf])
def test_every_point_lies_in_the_ball_and_in_the_range_of_pixels(norm: float) -> None:
    (inputs, targets), *_ = images()
    with robustness.challenging(network(), Classification(4), [(inputs, targets)], pixels=PIXELS) as subject:
        region = Region.of(subject, inputs, 0.3, norm)
        far = region.projected(torch.randn_like(inputs))
        for delta in (far, region.random(0, range(len(inputs)))):
            lengths = delta.flatten(1).norm(dim=1, p=norm)
            assert float(lengths.max()) <= 0.3 + 1e-6
            pixels = PIXELS.from_inputs(region.inputs(delta))
            assert float(pixels.min()) >= -1e-6
            assert float(pixels.max()) <= 1 + 1e-6
        assert torch.equal(region.inputs(torch.zeros_like(inputs)), inputs)


@pytest.mark.parametrize("norm", [2.0, math.inf])
def test_random_points_are_uniform_in_the_ball(norm: float) -> None:
    """Of a ball of d dimensions the share (1/2)^(1/d) of the radius holds half; 400 draws, five errors wide."""
    inputs = PIXELS.to_inputs(torch.full((400, 3, 1, 1), 0.5))
    subject = Subject(nn.Identity(), Classification(3), [(inputs, torch.zeros(400))], pixels=PIXELS)
    delta = Region.of(subject, inputs, 0.2, norm).random(7, range(400)).flatten(1)
    inside = (delta.norm(dim=1, p=norm) <= 0.2 * 0.5 ** (1 / 3)).double().mean()
    assert abs(float(inside) - 0.5) < 5 * 0.5 / 20
    assert float(delta.mean(0).abs().max()) < 0.05


@pytest.mark.parametrize("name", BOX + BALL)
def test_batches_and_seeds(name: str) -> None:
    """How images are cut into batches changes nothing, and a seed gives the same images again."""
    model = network()
    data = self_labelled(model, images(30))
    joined = [tuple(torch.cat(parts) for parts in zip(*data, strict=True))]
    options: dict[str, Any] = {"eps": 0.05 if name in BOX else 0.4, "seed": 3}
    first = measured(model, data, name, **options)
    assert measured(model, data, name, **options) == first
    assert measured(model, joined, name, **options).value == first.value


def test_more_restarts_are_never_weaker() -> None:
    model = network()
    data = self_labelled(model, images(48))
    values = [measured(model, data, "pgd", eps=0.03, steps=2, restarts=restarts).value for restarts in (1, 4)]
    assert values[1] <= values[0]
    assert measured(model, data, "pgd", eps=0.03, restarts=4).details["passes"] > 0


def test_zero_gradients_are_counted() -> None:
    """A network whose logits are rounded has no gradient and looks robust: masked gradients."""

    class Rounded(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))

        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.inner(x)
            return found + (found.round() - found).detach() - found + found.detach()

    torch.manual_seed(0)
    model = Rounded()
    data = self_labelled(model, images())
    found = measured(model, data, "fgsm", eps=0.1)
    assert found.value == 1.0
    assert found.details["flat"] == 24


def test_binary_networks_are_attacked_too() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 1))
    batches = [(x, (model(x).squeeze(1) > 0).long()) for x, _ in images()]
    found = robustness.measure(model, Binary(), batches, ["clean", "pgd"], pixels=PIXELS, eps=0.2)
    assert found["clean"].value == 1.0
    assert found["pgd eps=51/255"].value < 0.5


def test_a_loss_that_is_not_finite_breaks_nothing() -> None:
    model = network()
    data = self_labelled(model, images())
    with torch.no_grad():
        model[6].weight.mul_(float("nan"))  # type: ignore[index]
    found = measured(model, data, "pgd", eps=0.1)
    assert found.value == 0.0


def test_logit_ratio_by_hand() -> None:
    output = torch.tensor([[3.0, 1.0, 0.0, -5.0], [0.0, 4.0, 2.0, 1.0]])
    expected = torch.tensor([-(3.0 - 1.0) / 3.0, -(0.0 - 4.0) / (4.0 - 1.0)])
    torch.testing.assert_close(logit_ratio(output, torch.tensor([0, 0])), expected)


def test_the_logit_ratio_needs_three_logits() -> None:
    from samcli.errors import NotApplicable

    model, batches, *_ = linear()
    with pytest.raises(NotApplicable, match="three logits"):
        measured(model, batches, "apgd", classes=2, eps=0.1, loss="dlr")
    assert measured(network(), images(), "apgd", eps=0.1, loss="dlr").details["climbed"] == "dlr"


def test_all_attacks_are_tried_here() -> None:
    from samcli.robustness.perturbations._attack import Attack

    assert [name for name in PERTURBATIONS if issubclass(PERTURBATIONS.kind(name), Attack)] == [
        name for pair in zip(BOX, BALL, strict=True) for name in pair
    ]
