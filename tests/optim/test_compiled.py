"""A compiled model, and tensors that stay where they are: what compilers and graphs trip over."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend

from samcli.optim import BASES, VARIANTS, Batch, SharpnessAware, take_step

STEPS = 6


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.Tanh(), nn.Linear(16, 3))


def batches() -> list[tuple[Tensor, Tensor]]:
    generator = torch.Generator().manual_seed(1)
    return [
        (torch.randn(32, 6, generator=generator), torch.randint(3, (32,), generator=generator)) for _ in range(STEPS)
    ]


def train(model: nn.Module, forward: Callable[[Tensor], Tensor], name: str = "sam", rho: float = 0.5) -> list[float]:
    """The loss at each step, under a learning rate that falls at each step."""
    base = BASES.create("sgd", lr=0.1).build(model.parameters())
    optimizer = SharpnessAware(base, VARIANTS.create(name, rho=rho), model=model)
    losses = []
    for index, (x, y) in enumerate(batches()):
        optimizer.param_groups[0]["lr"] = 0.1 * (1.0 - index / STEPS)

        def closure(x: Tensor = x, y: Tensor = y) -> Tensor:
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(forward(x), y)
            loss.backward()
            return loss

        losses.append(float(optimizer.step(closure)))
    return losses


@pytest.mark.timeout(120)
def test_a_compiled_model_is_evaluated_at_the_perturbed_weights_and_compiled_once() -> None:
    eager, compiled = network(), network()
    counter = CompileCounterWithBackend("aot_eager")
    fast = torch.compile(compiled, backend=counter)
    expected = train(eager, eager)
    # the same operations, which the compiler may regroup
    assert train(compiled, fast) == pytest.approx(expected, rel=1e-5)
    assert train(plain := network(), plain, rho=0.0) != pytest.approx(expected, rel=1e-3)
    assert counter.frame_count == 1  # neither a perturbation nor a learning rate makes it compile again


@pytest.mark.parametrize("base", ["sgd", "adam"])
@pytest.mark.parametrize("name", list(VARIANTS))
def test_no_step_moves_a_tensor_elsewhere(name: str, base: str) -> None:
    model = network()
    variant = VARIANTS.create(name)
    settings = {key: value for key, value in variant.base_defaults.items() if key in BASES.options(base)}
    inner = BASES.create(base, **settings).build(model.parameters())
    if words := variant.objection(inner, model, m=None, scaled=False):
        pytest.skip(words)
    optimizer = SharpnessAware(inner, variant, model=model)
    where: list[int] = []
    for index, (x, y) in enumerate(batches()):
        optimizer.progress = index / STEPS
        take_step(optimizer, Batch(model, nn.functional.cross_entropy, x, y, indices=torch.arange(32), population=32))
        kept = [v for state in inner.state.values() for v in state.values() if isinstance(v, Tensor)]
        now = [t.data_ptr() for t in (*model.parameters(), *model.buffers(), *kept)]
        if index >= 2:  # sampa's first step only looks; from the second on the base optimizer has its state
            assert now == where
        where = now
