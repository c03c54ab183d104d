"""Attacks that find less than they must."""

import math
from typing import Any

from images import PIXELS, images, network, self_labelled

from samcli import robustness
from samcli.robustness import Outcome
from samcli.robustness.doubts import doubts
from samcli.tasks import Classification


def attack(value: float, eps: float, norm: float = math.inf, **details: Any) -> Outcome:
    counted = {"attacked": 900, "flat": 0, "only_one_step": 0} | details
    return Outcome(
        value, math.sqrt(value * (1 - value) / 1000), None, 1000, "accuracy", {"eps": eps, "norm": norm, **counted}
    )


def test_a_stronger_attack_that_finds_less() -> None:
    (one,) = doubts({"fgsm eps=2/255": attack(0.5, 2 / 255), "pgd eps=2/255": attack(0.6, 2 / 255)})
    assert one.startswith("At eps=2/255 pgd is weaker than fgsm")
    assert doubts({"fgsm eps=2/255": attack(0.5, 2 / 255), "pgd eps=2/255": attack(0.52, 2 / 255)}) == []
    assert doubts({"fgsm eps=2/255": attack(0.5, 2 / 255), "pgd-l2 eps=2/255": attack(0.9, 2 / 255, 2.0)}) == []


def test_a_larger_ball_that_finds_less() -> None:
    (one,) = doubts({"pgd eps=4/255": attack(0.7, 4 / 255), "pgd eps=2/255": attack(0.5, 2 / 255)})
    assert one.startswith("pgd eps=4/255 leaves more images right than pgd eps=2/255")


def test_masked_gradients() -> None:
    flat, missed = doubts({"pgd eps=1/255": attack(0.9, 1 / 255, flat=46, only_one_step=19)})
    assert "46 of 900 attacked images have no gradient" in flat
    assert "19 of 900 attacked images fell to one step" in missed
    assert doubts({"pgd eps=1/255": attack(0.9, 1 / 255, flat=45, only_one_step=18)}) == []


def test_a_common_network_raises_none() -> None:
    data = self_labelled(network(), images(48))
    tests = ["clean", "fgsm", "pgd", "apgd", "pgd-l2", "corruptions"]
    assert doubts(robustness.measure(network(), Classification(4), data, tests, pixels=PIXELS, seed=1)) == []
