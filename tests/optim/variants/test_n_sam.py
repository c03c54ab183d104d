"""n-SAM against SAM, and against the gradient of the whole training set by hand."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from twins import CheckResume, Trained

from samcli import optim
from samcli.errors import ConfigError
from samcli.optim import Batch


def network() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3)).double()


def training_set() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(50, 4, generator=generator, dtype=torch.float64), torch.randint(3, (50,), generator=generator)


def parts() -> Iterator[tuple[Tensor, Tensor]]:
    x, y = training_set()
    yield x[:30], y[:30]
    yield x[30:], y[30:]


def flat(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach()


def gradient(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    loss = nn.functional.cross_entropy(model(x), y)
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("every", [1, 2])
def test_it_climbs_for_the_training_set_and_descends_for_the_batch(every: int) -> None:
    """By hand in one vector, over three steps; equal up to the rounding of sums in another order."""
    model, twin, (x, y) = network(), network(), training_set()
    optimizer = optim.build("n-sam", torch.optim.SGD(model.parameters(), lr=0.5), model=model, rho=0.3, every=every)
    direction = torch.zeros(0)
    for step in range(3):
        inputs, targets = x[step * 8 : step * 8 + 8], y[step * 8 : step * 8 + 8]
        batch = Batch(model, nn.functional.cross_entropy, inputs, targets, training_set=parts)
        optimizer.step(batch)
        w = flat(twin)
        if step % every == 0:
            direction = gradient(twin, x, y)
        nn.utils.vector_to_parameters(w + 0.3 * direction / direction.norm(), twin.parameters())
        descended = gradient(twin, inputs, targets)
        nn.utils.vector_to_parameters(w - 0.5 * descended, twin.parameters())
        torch.testing.assert_close(flat(model), flat(twin), rtol=1e-10, atol=1e-12)
        assert batch.evaluated == 16 + (50 if step % every == 0 else 0), "what it costs is counted"


def test_where_the_batch_is_all_there_is_it_is_sam(trained: Trained) -> None:
    assert torch.equal(trained("n-sam", rho=0.1), trained("sam", rho=0.1))


def test_resume_keeps_the_direction(check_resume: CheckResume) -> None:
    check_resume("n-sam", every=3)


def test_micro_batches_are_refused() -> None:
    with pytest.raises(ConfigError, match="n-sam climbs for the whole training set, and m for parts of a batch"):
        optim.build("n-sam", torch.optim.SGD(network().parameters(), lr=0.1), model=network(), m=4)
