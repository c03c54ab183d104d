"""Lookbehind against a plain twin and SAM, and what its passes cost."""

import itertools

import pytest
import torch
from torch import Tensor, nn
from twins import CheckTwin, ClosureOf, Pairs, Point

import samcli.optim
from samcli.optim import BASES, Batch


def twin(net: nn.Module, base: torch.optim.Optimizer, closure: Batch, rho: float, k: int, alpha: float) -> None:
    """One step, as the authors write it: 2k passes, and every tensor by hand. For networks without random draws."""
    parameters = list(net.parameters())
    slow = torch.cat([p.detach().flatten() for p in parameters])

    def put(w: Tensor) -> None:
        for p, part in zip(parameters, w.split([p.numel() for p in parameters]), strict=True):
            p.data.copy_(part.view(p.shape))

    def grad(w: Tensor) -> Tensor:
        put(w)
        closure()
        return torch.cat([p.grad.flatten() for p in parameters])

    fast, high = slow, slow
    for _ in range(k):
        g = grad(high)
        high = high + rho * g / g.norm()
        grad(high)
        put(fast)
        base.step()
        fast = torch.cat([p.detach().flatten() for p in parameters])
    put(slow + alpha * (fast - slow))


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize(("k", "alpha"), [(1, 1.0), (3, 0.4), (5, 0.5), (2, 1.0)])
def test_is_its_plain_twin(batches: Pairs, closure_of: ClosureOf, base: str, k: int, alpha: float) -> None:
    nets, bases = [], []
    for _ in range(2):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).double()
        nets.append(net)
        bases.append(BASES.create(base, lr=0.02, weight_decay=0.01).build(net.parameters()))
    optimizer = samcli.optim.build("lookbehind", bases[0], model=nets[0], rho=0.05, k=k, alpha=alpha)
    for x, y in batches:
        optimizer.step(closure_of(nets[0], (x.double(), y)))
        twin(nets[1], bases[1], closure_of(nets[1], (x.double(), y)), 0.05, k, alpha)
        for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


def test_one_climb_all_the_way_is_sam(check_twin: CheckTwin) -> None:
    def rule(point: Point) -> Tensor:
        g = point.grad(point.w)
        return point.grad(point.w + 0.05 * g / g.norm())

    check_twin("lookbehind", rule, rho=0.05, k=1, alpha=1.0)


def test_k_plus_one_passes_each_a_radius_further() -> None:
    weight, points = nn.Parameter(torch.tensor([1.0, -2.0, 0.5])), []
    optimizer = samcli.optim.build("lookbehind", torch.optim.SGD([weight], lr=0.1), rho=0.25, k=4)

    def closure() -> Tensor:
        optimizer.zero_grad()
        points.append(weight.detach().clone())
        loss = (weight**4).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert len(points) == 5
    for here, there in itertools.pairwise(points):
        assert (there - here).norm().item() == pytest.approx(0.25, rel=1e-5)


def test_a_step_that_fails_half_way_leaves_the_base_alone() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    base = torch.optim.SGD([weight], lr=0.1, momentum=0.9)
    optimizer = samcli.optim.build("lookbehind", base, rho=0.25, k=3)
    calls = 0

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert torch.equal(weight.detach(), torch.tensor([1.0, -2.0]))
    assert not base.state


def test_micro_batches_climb_by_themselves_and_share_each_descent() -> None:
    model = nn.Linear(2, 1, bias=False).double()
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 1, dtype=torch.float64)
    w = model.weight.detach().flatten().clone()
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    optimizer = samcli.optim.build("lookbehind", base, model=model, m=3, rho=0.1, k=2, alpha=0.4)
    optimizer.step(samcli.optim.Batch(model, nn.functional.mse_loss, x, y))

    def grad(at: Tensor, part: slice) -> Tensor:
        return 2 * ((x[part] @ at - y[part, 0])[:, None] * x[part]).mean(0)

    descents = [torch.zeros(2).double(), torch.zeros(2).double()]
    for part, share in ((slice(0, 3), 0.6), (slice(3, 5), 0.4)):
        high = w
        for descent in descents:
            g = grad(high, part)
            high = high + 0.1 * g / g.norm()
            descent += share * grad(high, part)
    fast = w - 0.1 * (descents[0] + descents[1])
    torch.testing.assert_close(model.weight.detach().flatten(), w + 0.4 * (fast - w), rtol=1e-12, atol=1e-13)


def test_a_scaler_is_told_once_of_several_descents() -> None:
    weight = nn.Parameter(torch.tensor([1.0, -2.0]))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0, growth_interval=2)
    optimizer = samcli.optim.build("lookbehind", torch.optim.SGD([weight], lr=0.1), rho=0.25, k=3)
    overflow, calls = 0, 0

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        weight.grad = None
        loss = weight.square().sum() * (float("inf") if calls == overflow else 1.0)
        scaler.scale(loss).backward()
        return loss

    for _ in range(2):
        optimizer.step(closure, scaler)
    assert scaler.get_scale() == 2048.0  # after two steps, not after two descents
    before, overflow = weight.detach().clone(), calls + 3
    optimizer.step(closure, scaler)
    assert torch.equal(weight.detach(), before)
    assert scaler.get_scale() == 1024.0
    assert optimizer.skipped_steps == 1
