"""Attacks against torchattacks, an independent implementation."""

import math
from typing import Any

import pytest
import torch
from images import images, network, self_labelled
from torch import Tensor

from samcli import robustness
from samcli.robustness import Pixels, Subject
from samcli.robustness.perturbations import _attack
from samcli.tasks import Classification

torchattacks = pytest.importorskip("torchattacks", reason="torchattacks is not installed; make test-extras does it")

PIXELS = Pixels.of((0.0,), (1.0,))  # it takes images from 0 to 1
EPS, STEPS = 0.004, 5


@pytest.fixture
def attacked() -> tuple[torch.nn.Module, Tensor, Tensor]:
    model = network().eval()
    pixels = torch.cat([x for x, _ in images(90)])
    pixels = (pixels - pixels.min()) / (pixels.max() - pixels.min())
    ((_, targets),) = self_labelled(model, [(pixels, torch.zeros(90))])
    return model, pixels, targets


def right(model: torch.nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(inputs).argmax(1) == targets
    return found


def accuracy(attacked: tuple[torch.nn.Module, Tensor, Tensor], test: str, **options: Any) -> float:
    model, pixels, targets = attacked
    found = robustness.measure(model, Classification(4), [(pixels, targets)], test, pixels=PIXELS, **options)
    (outcome,) = found.values()
    return outcome.value


def test_one_step(attacked: tuple[torch.nn.Module, Tensor, Tensor]) -> None:
    model, pixels, targets = attacked
    theirs = torchattacks.FGSM(model, eps=EPS)(pixels, targets)
    expected = right(model, theirs, targets).double().mean().item()
    assert 0.0 < expected < 1.0
    assert accuracy(attacked, "fgsm", eps=EPS) == pytest.approx(expected)


@pytest.mark.parametrize("norm", ["", "-l2"])
def test_many_steps_from_the_images_themselves(
    attacked: tuple[torch.nn.Module, Tensor, Tensor], norm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image is right where it is at all of their iterates, which are those of fewer steps of the same length, and at
    the one-step point; there is no random start in either.
    """
    model, pixels, targets = attacked
    monkeypatch.setattr(_attack.Region, "random", lambda self, seed, numbers: torch.zeros_like(self.x))
    eps = EPS if not norm else 0.04
    kind = torchattacks.PGDL2 if norm else torchattacks.PGD
    survived = right(model, pixels, targets)
    for steps in range(1, STEPS + 1):
        attack = kind(model, eps=eps, alpha=2.5 * eps / STEPS, steps=steps, random_start=False)
        survived &= right(model, attack(pixels, targets), targets)
    subject = Subject(model, Classification(4), [(pixels, targets)], pixels=PIXELS)
    region = _attack.Region.of(subject, pixels, eps, 2.0 if norm else math.inf)
    survived &= _attack.one_step(subject, region, targets, _attack.Counts())
    expected = survived.double().mean().item()
    assert 0.0 < expected < 1.0
    assert accuracy(attacked, f"pgd{norm}", eps=eps, steps=STEPS) == pytest.approx(expected)


@pytest.mark.parametrize("norm", ["", "-l2"])
def test_apgd_finds_as_much(attacked: tuple[torch.nn.Module, Tensor, Tensor], norm: str) -> None:
    """Random starts differ: of 90 images one or two at the border may fall to one and not to the other."""
    model, pixels, targets = attacked
    eps = EPS if not norm else 0.04
    theirs = torchattacks.APGD(model, norm="L2" if norm else "Linf", eps=eps, steps=20, seed=1)(pixels, targets)
    expected = right(model, theirs, targets).double().mean().item()
    assert accuracy(attacked, f"apgd{norm}", eps=eps, steps=20) <= expected + 1e-9
    assert accuracy(attacked, f"apgd{norm}", eps=eps, steps=20) == pytest.approx(expected, abs=2.5 / 90)
