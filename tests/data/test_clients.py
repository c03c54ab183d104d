"""Which examples clients hold, held against the distributions that they are drawn from."""

import pytest
import torch
from scipy import stats

from samcli.data.clients import chosen_clients, class_shares, dirichlet_clients, shard_clients

TARGETS = torch.arange(4).repeat_interleave(50)
UNEVEN = torch.tensor([0] * 90 + [1] * 6 + [3] * 4)  # and no example of class 2


@pytest.mark.parametrize("targets", [TARGETS, UNEVEN])
@pytest.mark.parametrize("clients", [1, 3, 7, 100])
def test_every_example_is_one_clients(targets: torch.Tensor, clients: int) -> None:
    splits = [dirichlet_clients(targets, clients, alpha, seed=1) for alpha in (1e-3, 0.1, 1.0, 1e6)]
    splits.append(shard_clients(targets, clients, 1, seed=1))
    for found in splits:
        assert torch.equal(torch.cat(found).sort().values, torch.arange(len(targets)))
        sizes = [len(own) for own in found]
        assert max(sizes) - min(sizes) <= 1
        assert all(torch.equal(own, own.sort().values) for own in found)


@pytest.mark.parametrize(("targets", "alpha"), [(TARGETS, 0.1), (TARGETS, 2.0), (UNEVEN, 0.5)])
def test_the_classes_of_a_client_are_dirichlet_multinomial(targets: torch.Tensor, alpha: float) -> None:
    """Those of the first client, whose classes no other has used up: a class count is beta-binomial.

    The exact distribution is held against 400 draws by a chi-square test, on counts of at least five expected; seeded,
    it passes or fails for good, and a concentration wrong by a factor of two has p below 1e-6.
    """
    counts = targets.bincount().double()
    a = alpha * int((counts > 0).sum()) * counts / counts.sum()
    clients = 20 if targets is TARGETS else 50  # so few examples that the largest class lasts
    size = len(targets) // clients
    drawn = [int((targets[dirichlet_clients(targets, clients, alpha, seed)[0]] == 0).sum()) for seed in range(400)]
    exact = stats.betabinom(size, float(a[0]), float(a.sum() - a[0])).pmf(range(size + 1)) * len(drawn)
    seen = torch.tensor(drawn).bincount(minlength=size + 1).double().numpy()
    common = exact >= 5.0
    seen, exact = [*seen[common], seen[~common].sum()], [*exact[common], exact[~common].sum()]
    statistic = sum((s - e) ** 2 / e for s, e in zip(seen, exact, strict=True) if e > 0.0)
    assert stats.chi2(len([e for e in exact if e > 0.0]) - 1).sf(statistic) > 1e-3


def test_what_is_used_up_is_drawn_anew() -> None:
    """One client takes all but one example of two classes: whatever its shares, it passes over what is not there."""
    targets = torch.tensor([0, 0, 1])
    for seed in range(20):
        (first, second, third) = dirichlet_clients(targets, 3, 1e-3, seed)
        assert sorted(torch.cat([first, second, third]).tolist()) == [0, 1, 2]


def test_shards_are_of_few_classes() -> None:
    """50 examples of a class are five shards of 10: no shard crosses a border, and a client has two of them."""
    for seed in range(5):
        found = shard_clients(TARGETS, 10, 2, seed)
        assert all(len(own) == 20 and len(TARGETS[own].unique()) <= 2 for own in found)
    one, other = (torch.cat(shard_clients(TARGETS, 10, 2, seed)) for seed in (0, 1))
    assert not torch.equal(one, other)


def test_the_clients_of_a_round_are_drawn_alike() -> None:
    """3 of 10 in 2000 rounds: each comes 600 times, with a standard deviation of 20.5; five of them are allowed."""
    counts = torch.zeros(10)
    for round_ in range(2000):
        chosen = chosen_clients(10, 3, seed=0, round_=round_)
        assert len(set(chosen)) == 3
        assert chosen == sorted(chosen)
        counts[chosen] += 1
    assert float((counts - 600).abs().max()) < 100
    assert chosen_clients(10, 10, seed=3, round_=1) == list(range(10))


def test_shares_of_classes() -> None:
    found = dirichlet_clients(UNEVEN, 5, 0.3, seed=0)
    shares = class_shares(UNEVEN, found, 4)
    assert shares.shape == (5, 4)
    for own, share in zip(found, shares, strict=True):
        assert [float((UNEVEN[own] == c).double().mean()) for c in range(4)] == pytest.approx(share.tolist())
