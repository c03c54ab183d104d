"""SAM at every k-th step."""

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
        return point.grad(point.w + 0.2 * g / norm(g)) if point.t % 3 == 0 else g

    check_twin("sam-every", rule, base, rho=0.2, k=3)


def test_k_1_is_sam_bit_for_bit(trained: Trained) -> None:
    assert torch.equal(trained("sam-every", rho=0.1, k=1), trained("sam", rho=0.1))


def test_pays_every_kth_step(looks: Looks) -> None:
    passes = looks("sam-every", steps=9, rho=0.1, k=4)
    assert [len(points) for points in passes] == [2, 1, 1, 1, 2, 1, 1, 1, 2]
    assert norm(passes[4][1]).item() == pytest.approx(0.1, rel=1e-12)
    assert torch.equal(passes[0][1], looks("sam-every", rho=0.1, scale=2.0)[0][1])


def test_resumes_in_any_phase(check_resume: CheckResume) -> None:
    check_resume("sam-every", steps=8, rho=0.1, k=3)
