"""SAMPa: its twin, the recursion as it is printed, and what it leaves alone."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, CheckTwin, ClosureOf, Looks, MakeNet, Pair, Pairs, Point

import samcli.optim
from samcli.errors import ConfigError
from samcli.optim import BASES


def run_worker(rank: int, folder: Path) -> None:
    """Take ten steps, in one of two processes or (rank -1) in one alone; write everything that training changed."""
    if rank >= 0:
        torch.distributed.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 3)
    )
    base = BASES.create("sgd", lr=0.05, weight_decay=0.01).build(model.parameters())
    optimizer = samcli.optim.build("sampa", base, model=model, processes=1 if rank < 0 else 2, rho=0.1, lam=0.3)
    data = torch.Generator().manual_seed(1)
    losses = []
    for index in range(10):
        x, y = torch.randn(16, 1, 8, 8, generator=data), torch.randint(3, (16,), generator=data)
        if index == 4:
            x = x * float("inf")  # a step that is skipped
            statistics = {name: buffer.clone() for name, buffer in model.named_buffers()}
        if index == 6:  # as from a checkpoint
            optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
        base.param_groups[0]["lr"] *= 0.9
        losses.append(optimizer.step(samcli.optim.Batch(model, nn.functional.cross_entropy, x, y)))
        if index == 4:
            model.load_state_dict(statistics, strict=False)
    moments = [base.state[p]["momentum_buffer"] for p in model.parameters()]
    everything = [*model.state_dict().values(), *moments, *losses, torch.get_rng_state()]
    torch.save([*everything, torch.tensor(optimizer.skipped_steps)], folder / f"{rank}.pt")


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")
def test_two_processes_give_the_same_bits_as_one(tmp_path: Path) -> None:
    command = [sys.executable, __file__]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    workers = [subprocess.Popen([*command, str(rank), str(tmp_path)], env=environment) for rank in (0, 1)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0]
    alone, first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (-1, 0, 1))
    assert alone[-1] == 1
    for a, b, c in zip(alone, first, second, strict=True):
        torch.testing.assert_close(b, a, rtol=0, atol=0, equal_nan=True)  # the skipped step's loss is no number
        torch.testing.assert_close(c, a, rtol=0, atol=0, equal_nan=True)


def test_one_process_is_not_two(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    optimizer = samcli.optim.build("sampa", torch.optim.SGD(model.parameters(), lr=0.1), model=model, processes=2)
    with pytest.raises(ConfigError, match="set processes: 1"):
        optimizer.step(closure_of(model, batches[0]))


def norm(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x)


@pytest.mark.parametrize("lam", [0.0, 0.2, 1.0])
def test_is_its_plain_twin_over_sgd_with_momentum(check_twin: CheckTwin, lam: float) -> None:
    """The base is w ← w - lr (μ v + g + λ w), as is its forecast."""

    def rule(point: Point) -> Tensor | None:
        def base(gradient: Tensor) -> Tensor:
            return point.w - 0.02 * (0.9 * point.momentum + gradient + 0.01 * point.w)

        state = point.state
        if point.t == 0:
            state["y"] = point.grad(point.w)
            state["x"] = point.grad(point.w + 0.1 * state["y"] / norm(state["y"]))
            return None
        y = point.grad(base(state["y"]))
        mixed = (1 - lam) * state["x"] + lam * y
        state["x"], state["y"] = point.grad(base(mixed) + 0.1 * y / norm(y)), y
        return mixed

    check_twin("sampa", rule, rho=0.1, lam=lam)


def test_gives_the_numbers_of_the_printed_recursion() -> None:
    """Both sequences side by side, and a gradient at the last batch, as two processes would compute it."""
    torch.manual_seed(0)
    batches = [(torch.randn(8, 4, dtype=torch.float64), torch.randn(8, 1, dtype=torch.float64)) for _ in range(10)]
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()
    twin = copy.deepcopy(model)
    optimizer = samcli.optim.build("sampa", torch.optim.SGD(model.parameters(), lr=0.1), model=model, rho=0.2, lam=0.3)

    def grad(w: Tensor, batch: Pair) -> Tensor:
        torch.nn.utils.vector_to_parameters(w, twin.parameters())
        loss = (twin(batch[0]) - batch[1]).square().mean()
        return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(twin.parameters()))])

    x = torch.nn.utils.parameters_to_vector(twin.parameters()).detach()
    gradient_y, last = grad(x, batches[0]), batches[0]
    optimizer.step(samcli.optim.Batch(model, nn.functional.mse_loss, *batches[0]))
    for batch in batches[1:]:
        climbed, y = x + 0.2 * gradient_y / norm(gradient_y), x - 0.1 * gradient_y
        at_climbed, gradient_y = grad(climbed, last), grad(y, batch)
        x, last = x - 0.1 * (0.7 * at_climbed + 0.3 * gradient_y), batch
        optimizer.step(samcli.optim.Batch(model, nn.functional.mse_loss, *batch))
        ours = torch.nn.utils.parameters_to_vector(model.parameters()).detach()
        torch.testing.assert_close(ours, x, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("base", list(BASES))
def test_forecasts_leave_the_base_optimizer_alone(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf, base: str
) -> None:
    """As many steps of the base as steps taken, less the first."""
    model = make_net()
    built = BASES.create(base).build(p for p in model.parameters() if p.requires_grad)
    optimizer = samcli.optim.build("sampa", built, model=model)
    before = copy.deepcopy(dict(model.named_parameters()))
    optimizer.step(closure_of(model, batches[0]))
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name])
    assert not built.state
    for batch in batches[1:4]:
        optimizer.step(closure_of(model, batch))
    if base != "sgd":
        assert built.state[model.head.weight]["step"].item() == 3
    assert not torch.equal(model.head.weight, before["head.weight"])
    assert model.norm.num_batches_tracked == 4


def test_two_passes_a_step_and_the_radius(looks: Looks) -> None:
    passes = looks("sampa", steps=4, rho=0.1)
    assert [len(points) for points in passes] == [2, 2, 2, 2]
    assert norm(passes[0][1]).item() == pytest.approx(0.1, rel=1e-12)


def test_resumes_between_its_gradients(check_resume: CheckResume) -> None:
    check_resume("sampa", rho=0.1)


def test_micro_batches_are_refused_and_for_two_processes_a_loss_scale(
    make_net: MakeNet, batches: Pairs, closure_of: ClosureOf
) -> None:
    model = make_net()
    base = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(ConfigError, match="does not take micro-batches"):
        samcli.optim.build("sampa", base, model=model, m=4)
    optimizer = samcli.optim.build("sampa", base, model=model, processes=2)
    with pytest.raises(ConfigError, match="does not take precision: fp16"):
        optimizer.step(closure_of(model, batches[0]), torch.amp.GradScaler("cpu"))


def test_an_overflow_where_it_climbed_skips_the_step() -> None:
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = samcli.optim.build("sampa", torch.optim.SGD([weight], lr=0.1))
    calls = 0

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        weight.grad = None
        loss = weight.square().sum() * (float("inf") if calls in (2, 6) else 1.0)
        scaler.scale(loss).backward()
        return loss

    moved = []
    for _ in range(5):
        before = weight.detach().clone()
        optimizer.step(closure, scaler)
        moved.append(not torch.equal(weight.detach(), before))
    # the first climb overflows, the second attempt is the first step, the third overflows again
    assert moved == [False, False, False, True, True]
    assert optimizer.skipped_steps == 2
    assert scaler.get_scale() == 256.0
    assert bool(torch.isfinite(weight).all())


if __name__ == "__main__":
    if sys.argv[1] == "0":
        run_worker(-1, Path(sys.argv[2]))
    run_worker(int(sys.argv[1]), Path(sys.argv[2]))
