"""bSAM against a plain twin; no other package has it right."""

import io
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor, nn
from twins import ClosureOf, MakeNet, Pair, Pairs

import samcli.optim
from samcli.errors import ConfigError
from samcli.optim import Batch

N = 1000


def plain_sgd(model: nn.Module, lr: float = 0.1) -> torch.optim.SGD:
    return torch.optim.SGD((p for p in model.parameters() if p.requires_grad), lr=lr)


def flat(model: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_is_its_plain_twin(batches: Pairs, closure_of: ClosureOf) -> None:
    """In double precision, over 20 steps, on a network without random draws."""
    models = []
    for _ in range(2):
        torch.manual_seed(0)
        models.append(nn.Sequential(nn.Conv2d(1, 4, 3), nn.Tanh(), nn.Flatten(), nn.Linear(144, 3)).double())
    ours, theirs = models
    optimizer = samcli.optim.build("bsam", plain_sgd(ours), model=ours, rho=0.05, examples=N, prior_precision=20.0)
    parameters = list(theirs.parameters())
    w = flat(theirs)
    m, s = torch.zeros_like(w), torch.ones_like(w)

    for t, (x, y) in enumerate(batches):
        batch = (x.double(), y)
        optimizer.step(closure_of(ours, batch))

        def grad(at: Tensor, batch: Pair = batch) -> Tensor:
            for p, part in zip(parameters, at.split([p.numel() for p in parameters]), strict=True):
                p.data.copy_(part.view(p.shape))
            closure_of(theirs, batch)()
            return torch.cat([p.grad.flatten() for p in parameters])

        generator = torch.Generator().manual_seed(hash((0, t, 1)) & (2**63 - 1))
        z = torch.cat([torch.empty_like(p).normal_(generator=generator).flatten() for p in parameters])
        g = grad(w + z / torch.sqrt(N * s))
        nearby = grad(w + 0.05 * g / s)
        m = 0.9 * m + 0.1 * (nearby + 20 / N * w)
        w = w - 0.1 * m / s
        s = 0.999 * s + 0.001 * (s.sqrt() * g.abs() + 0.1 + 20 / N)
        torch.testing.assert_close(flat(ours), w, rtol=1e-9, atol=1e-9)


def test_noise_has_its_standard_deviation_and_goes_away() -> None:
    weight = nn.Parameter(torch.zeros(20000))
    points: list[Tensor] = []
    optimizer = samcli.optim.build(
        "bsam", torch.optim.SGD([weight], lr=0.0), rho=1e-9, examples=100, s_init=4.0, prior_precision=0.0
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        points.append(weight.detach().clone())
        loss = weight.sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert points[0].std().item() == pytest.approx((1 / (100 * 4)) ** 0.5, rel=0.03)
    assert points[1].abs().max() < 1e-8  # without the noise
    assert torch.equal(weight, torch.zeros(20000))


def test_unused_parameters_stay(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    model = make_net()
    before = model.unused.weight.detach().clone()
    optimizer = samcli.optim.build("bsam", plain_sgd(model), model=model)
    for batch in batches[:3]:
        optimizer.step(closure_of(model, batch))
    assert torch.equal(model.unused.weight, before)


def test_resumes_bit_for_bit_with_its_precision(make_net: MakeNet, batches: Pairs, closure_of: ClosureOf) -> None:
    whole, resumed = make_net(), make_net()
    optimizer = samcli.optim.build("bsam", plain_sgd(whole), model=whole)
    for batch in batches[:6]:
        optimizer.step(closure_of(whole, batch))
    file = io.BytesIO()
    torch.save({"model": whole.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    resumed.load_state_dict(saved["model"])
    again = samcli.optim.build("bsam", plain_sgd(resumed), model=resumed)
    again.load_state_dict(saved["optimizer"])
    random_state = torch.get_rng_state()
    for model, sharp in ((whole, optimizer), (resumed, again)):
        torch.set_rng_state(random_state)
        for batch in batches[6:12]:
            sharp.step(closure_of(model, batch))
    assert torch.equal(flat(whole), flat(resumed))


@pytest.mark.parametrize(
    "base",
    [
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
        lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.1),
        lambda p: torch.optim.Adam(p, lr=0.1),
    ],
)
def test_refuses_a_base_that_does_more(base: Callable[[Iterator[nn.Parameter]], torch.optim.Optimizer]) -> None:
    model = nn.Linear(2, 3)
    with pytest.raises(ConfigError, match=r"give it base: sgd, with momentum: 0 and weight_decay: 0\."):
        samcli.optim.build("bsam", base(model.parameters()), model=model)


def test_micro_batches_average_both_gradients_before_they_enter_the_memory() -> None:
    """As in the authors' code; with so many examples that the noise is near 1e-9."""
    weight = nn.Parameter(torch.tensor([1.0, -2.0], dtype=torch.float64))
    model = nn.Module()
    model.weight = weight
    model.forward = lambda x: (x * weight).sum(1)  # type: ignore[method-assign]
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, dtype=torch.float64)
    base = torch.optim.SGD([weight], lr=0.1)
    optimizer = samcli.optim.build(
        "bsam", base, model=model, m=2, rho=0.05, examples=10**18, prior_precision=0.0, damping=0.2, beta2=0.9
    )

    def grad(w: Tensor, part: slice) -> Tensor:
        return 2 * ((x[part] @ w - y[part])[:, None] * x[part]).mean(0)

    w, m, s = weight.detach().clone(), torch.zeros(2).double(), torch.ones(2).double()
    for _ in range(5):
        optimizer.step(Batch(model, nn.functional.mse_loss, x, y))
        nearby, magnitude = torch.zeros(2).double(), torch.zeros(2).double()
        for part, share in ((slice(0, 2), 0.4), (slice(2, 4), 0.4), (slice(4, 5), 0.2)):
            g = grad(w, part)
            nearby += share * grad(w + 0.05 * g / s, part)
            magnitude += share * g.abs()
        m = 0.9 * m + 0.1 * nearby
        w = w - 0.1 * m / s
        s = 0.9 * s + 0.1 * (s.sqrt() * magnitude + 0.2)
        torch.testing.assert_close(weight.detach(), w, rtol=1e-7, atol=1e-8)


def test_an_overflow_in_the_second_pass_leaves_its_memory_sound() -> None:
    """fp16: the scaler skips the step; what the rule remembers must not hold the infinity for ever."""
    weight = nn.Parameter(torch.tensor([1.0, 2.0]))
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    optimizer = samcli.optim.build("bsam", torch.optim.SGD([weight], lr=0.1))
    calls = 0

    def closure() -> Tensor:
        nonlocal calls
        calls += 1
        weight.grad = None
        loss = weight.square().sum() * (float("inf") if calls == 2 else 1.0)
        scaler.scale(loss).backward()
        return loss

    optimizer.step(closure, scaler)
    assert torch.equal(weight.detach(), torch.tensor([1.0, 2.0]))
    assert scaler.get_scale() == 512.0
    optimizer.step(closure, scaler)
    assert torch.isfinite(weight).all()
    assert not torch.equal(weight.detach(), torch.tensor([1.0, 2.0]))
