"""SS-SAM: its coin and its two ends."""

import random

import pytest
import torch
from torch import Tensor
from twins import CheckResume, CheckTwin, Looks, Point, Trained

from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        if random.Random(hash((0, point.t, 0))).random() < 0.4:
            return point.grad(point.w + 0.05 * g / norm(g))
        return g

    check_twin("ss-sam", rule, base, rho=0.05, p=0.4)


def test_p_1_is_sam_and_p_0_is_the_base(trained: Trained) -> None:
    assert torch.equal(trained("ss-sam", rho=0.1, p=1.0), trained("sam", rho=0.1))
    assert torch.equal(trained("ss-sam", rho=0.1, p=0.0), trained("sam", rho=0.0))


def test_pays_for_its_share_of_steps(looks: Looks) -> None:
    passes = [len(points) for points in looks("ss-sam", steps=20, p=0.5)]
    assert set(passes) == {1, 2}
    assert passes == [len(points) for points in looks("ss-sam", steps=20, p=0.5)]
    tosses = [random.Random(hash((7, t, 0))).random() for t in range(10_000)]
    assert sum(toss < 0.3 for toss in tosses) / 10_000 == pytest.approx(0.3, abs=0.02)


def test_radius_and_scale(looks: Looks) -> None:
    points = looks("ss-sam", rho=0.1, p=1.0)[0]
    assert norm(points[1]).item() == pytest.approx(0.1, rel=1e-12)
    assert torch.equal(points[1], looks("ss-sam", rho=0.1, p=1.0, scale=8.0)[0][1])


def test_resumes_with_the_same_coins(check_resume: CheckResume) -> None:
    check_resume("ss-sam", steps=8, rho=0.1, p=0.5)


def test_one_coin_for_all_micro_batches(looks: Looks, trained: Trained) -> None:
    assert torch.equal(trained("ss-sam", rho=0.1, p=1.0, ascent={"m": 4}), trained("sam", rho=0.1, ascent={"m": 4}))
