"""The server against plain formulas in float64."""

import pytest
import torch

from samcli.config.federated import Federated
from samcli.train.server import Server


def server_of(weights: torch.Tensor, rounds: int, **options: object) -> Server:
    return Server(Federated(clients=9, alpha=1.0, **options).filled(), rounds, [weights])  # type: ignore[arg-type]


def means(n: int) -> list[torch.Tensor]:
    return list(torch.randn(n, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64))


def test_average_is_the_mean() -> None:
    weights = torch.zeros(2, 3)
    server = server_of(weights, 3)
    for round_, mean in enumerate(means(3), start=1):
        server.take(mean, round_)
        assert torch.equal(weights, mean.float().view(2, 3))
        weights.fill_(9.0)  # a client trains
        server.begin()
        assert torch.equal(weights, mean.float().view(2, 3))


@pytest.mark.parametrize("beta", [0.0, 0.9])
def test_momentum_is_that_of_the_paper(beta: float) -> None:
    """V ← βv + (w - w̄), w ← w - v; weights are float32 between rounds, hence a rounding of each: 1e-6 of about 1."""
    weights = torch.ones(6)
    server = server_of(weights, 5, server="momentum", server_momentum=beta)
    w, v = torch.ones(6, dtype=torch.float64), torch.zeros(6, dtype=torch.float64)
    for round_, mean in enumerate(means(5), start=1):
        server.take(mean, round_)
        v = beta * v + (w - mean)
        w = w - v
        assert torch.allclose(weights.double(), w, rtol=0.0, atol=5e-6)


def test_swa_is_the_mean_of_the_last_rounds_and_clients_go_on_from_the_last() -> None:
    """Of eight rounds the last two are beyond three quarters; numbers up to 3 in float32 are right to 2.5e-7."""
    weights, given = torch.zeros(6), means(8)
    server = server_of(weights, 8, server="swa")
    for round_, mean in enumerate(given, start=1):
        server.take(mean, round_)
        shown = given[round_ - 1 : round_] if round_ <= 6 else given[6:round_]
        assert torch.allclose(weights.double(), torch.stack(shown).mean(0), rtol=0.0, atol=5e-7)
        server.begin()
        assert torch.equal(weights, mean.float())
        weights.copy_(torch.stack(shown).mean(0))


@pytest.mark.parametrize("options", [{}, {"server": "momentum"}, {"server": "swa", "swa_from": 0.25}])
@pytest.mark.parametrize("at", [1, 3, 5])
def test_it_goes_on_from_its_state_bit_for_bit(options: dict[str, object], at: int) -> None:
    first, given = torch.zeros(6), means(6)
    server = server_of(first, 6, **options)
    for round_ in range(1, at + 1):
        server.take(given[round_ - 1], round_)
    second = first.clone()
    other = server_of(second, 6, **options)
    other.restore(server.state())
    for round_ in range(at + 1, 7):
        server.take(given[round_ - 1], round_)
        other.take(given[round_ - 1], round_)
    assert torch.equal(first, second)
    server.begin()
    other.begin()
    assert torch.equal(first, second)


def test_a_state_of_another_network_is_refused() -> None:
    state = server_of(torch.zeros(5), 2, server="momentum").state()
    server = server_of(torch.zeros(6), 2, server="momentum")
    with pytest.raises(ValueError, match=r"server's velocity has the shape \(5,\)"):
        server.restore({**state, "velocity": torch.zeros(5, dtype=torch.float64)})
    with pytest.raises(ValueError, match="not whole"):
        server.restore({**server.state(), "count": 3})
