"""AE-SAM: its twin, its decisions, and its two ends."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, ClosureOf, MakeNet, Pairs, Point

import samcli.optim
from samcli.optim import BASES


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("base", list(BASES))
def test_is_its_plain_twin(check_twin: CheckTwin, base: str) -> None:
    taken = []

    def rule(point: Point) -> Tensor:
        g, s = point.grad(point.w), point.state
        square = (g @ g).item()
        s["mean"] = 0.9 * s.get("mean", 0.0) + 0.1 * square
        s["var"] = 0.9 * s.get("var", 0.0) + 0.1 * (square - s["mean"]) ** 2
        c = point.progress * -1.0 + (1 - point.progress) * 1.0
        taken.append(square >= s["mean"] + c * math.sqrt(s["var"]))
        return point.grad(point.w + 0.05 * g / norm(g)) if taken[-1] else g

    check_twin("ae-sam", rule, base, rho=0.05)
    assert set(taken) == {True, False}


def passes_and_weights(make_net: MakeNet, batches: Pairs, variant: str, scale: float = 1.0, **options: Any) -> Any:
    model = make_net().double()
    optimizer = samcli.optim.build(
        variant, torch.optim.SGD(model.parameters(), lr=0.01 / scale), model=model, **options
    )
    passes = []
    torch.manual_seed(2)
    for index, (x, y) in enumerate(batches[:12]):
        optimizer.progress = index / 12
        batch = samcli.optim.Batch(model, lambda o, t: scale * nn.functional.cross_entropy(o, t), x.double(), y)
        optimizer.step(batch)
        passes.append(batch.evaluated // 16)
    return passes, model.head.weight.detach()


def test_a_threshold_without_end_is_sam_or_the_base(make_net: MakeNet, batches: Pairs) -> None:
    low, high = {"lambda_1": -1e9, "lambda_2": -1e9}, {"lambda_1": 1e9, "lambda_2": 1e9}
    passes, weights = passes_and_weights(make_net, batches, "ae-sam", **low)
    assert passes == [2] * 12
    assert torch.equal(weights, passes_and_weights(make_net, batches, "sam")[1])
    passes, weights = passes_and_weights(make_net, batches, "ae-sam", **high)
    assert passes == [1] * 12
    assert torch.equal(weights, passes_and_weights(make_net, batches, "sam", rho=0.0)[1])


def test_decisions_do_not_depend_on_the_scale_of_the_loss(make_net: MakeNet, batches: Pairs) -> None:
    passes, weights = passes_and_weights(make_net, batches, "ae-sam", lambda_1=0.5, lambda_2=2.0)
    assert set(passes) == {1, 2}
    scaled = passes_and_weights(make_net, batches, "ae-sam", scale=4.0, lambda_1=0.5, lambda_2=2.0)
    assert scaled[0] == passes
    torch.testing.assert_close(scaled[1], weights, rtol=1e-10, atol=1e-12)


def test_resumes_with_its_moments(check_resume: CheckResume) -> None:
    check_resume("ae-sam", steps=8, rho=0.1)


def test_unknown_progress_is_refused_in_a_sentence(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    optimizer = samcli.optim.build("ae-sam", torch.optim.SGD(model.parameters(), lr=0.1), model=model)
    with pytest.raises(ValueError, match="set the optimizer's progress, from 0 to 1, before each step"):
        optimizer.step(closure_of(model, batches[0]))
