"""The clients of federated training: which examples each of them holds, and which of them take part in a round."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from samcli.streams import stream, stream_seed


def dirichlet_clients(targets: Tensor, clients: int, alpha: float, seed: int) -> list[Tensor]:
    """Clients of equal size, each with class shares of its own, drawn from a Dirichlet distribution.

    A client draws its shares q ~ Dir(α C p), where p are the shares of the C classes among all examples; of balanced
    classes each has the concentration α. Its examples are then drawn without replacement, the class of each by q. A
    class that has no examples left is passed over, so that the clients that come last hold what the others left. This
    is the scheme of Hsu et al. (2019), "Measuring the Effects of Non-Identical Data Distribution for Federated Visual
    Classification", whose concentration is C times this α; Acar et al. (ICLR 2021) count α as here. Small α gives
    clients of nearly one class, large α clients that are all alike.

    Args:
        targets: (N,) int64 classes, at least as many as clients.
        clients: how many there are; the first ones hold one example more where N is no multiple of it.
        alpha: above 0.
        seed: decides shares and examples.

    Returns:
        The examples of each client in increasing order; each example is one client's.

    >>> first, second = dirichlet_clients(torch.tensor([0, 0, 1, 1, 1]), clients=2, alpha=0.5, seed=0)
    >>> len(first), len(second), sorted([*first.tolist(), *second.tolist()])
    (3, 2, [0, 1, 2, 3, 4])
    """
    counts = targets.bincount().numpy()
    present = counts.nonzero()[0]
    left = counts[present]
    draws = np.random.default_rng(stream_seed(seed, "client shares"))
    shares = draws.dirichlet(alpha * len(present) * left / left.sum(), clients)
    shuffled = torch.randperm(len(targets), generator=stream(seed, "client examples"))
    of_class = [shuffled[targets[shuffled] == c] for c in present.tolist()]
    found = []
    for client, q in enumerate(shares):
        size = len(targets) // clients + (client < len(targets) % clients)
        taken = np.zeros_like(left)
        while (missing := size - int(taken.sum())) > 0:
            # draws of a class that is used up are made anew, as one by one they would be
            odds = np.where(left > taken, np.nan_to_num(q), 0.0)
            if not odds.sum() > 0.0:
                odds = (left - taken).astype(float)
            taken += np.minimum(draws.multinomial(missing, odds / odds.sum()), left - taken)
        starts = [len(own) - int(there) for own, there in zip(of_class, left, strict=True)]
        own = [o[s : s + int(n)] for o, s, n in zip(of_class, starts, taken, strict=True)]
        found.append(torch.cat(own).sort().values)
        left = left - taken
    return found


def shard_clients(targets: Tensor, clients: int, shards: int, seed: int) -> list[Tensor]:
    """Clients that each hold some shards of the examples sorted by class, as in McMahan et al. (AISTATS 2017).

    The examples are sorted by class, in random order within one, and cut into `clients · shards` shards whose sizes
    differ by one at most; each client gets `shards` of them at random. A shard lies within one class or across the
    border of two, so that two shards hold mostly two classes.

    Args:
        targets: (N,) int64 classes, at least as many as shards.
        clients: how many there are.
        shards: of each client.
        seed: decides which.

    Returns:
        The examples of each client in increasing order; each example is one client's.

    >>> [own.tolist() for own in shard_clients(torch.tensor([1, 1, 0, 0]), clients=2, shards=1, seed=0)]
    [[0, 1], [2, 3]]
    """
    generator = stream(seed, "client shards")
    shuffled = torch.randperm(len(targets), generator=generator)
    sorted_ = shuffled[targets[shuffled].argsort(stable=True)]
    pieces = torch.tensor_split(sorted_, clients * shards)
    places = torch.randperm(clients * shards, generator=generator).view(clients, shards).tolist()
    return [torch.cat([pieces[place] for place in own]).sort().values for own in places]


def chosen_clients(clients: int, chosen: int, seed: int, round_: int) -> list[int]:
    """The numbers of the clients that take part in a round, in increasing order: drawn without replacement.

    >>> chosen_clients(clients=100, chosen=3, seed=0, round_=1) == chosen_clients(100, 3, seed=0, round_=1)
    True
    """
    drawn = torch.randperm(clients, generator=stream(seed, "clients of a round", round_))[:chosen]
    return sorted(drawn.tolist())


def class_shares(targets: Tensor, clients: list[Tensor], classes: int) -> Tensor:
    """The share of each class among each client's examples, (clients, classes) float64.

    >>> class_shares(torch.tensor([0, 0, 1, 1]), [torch.tensor([0, 2]), torch.tensor([1, 3])], 2)
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]], dtype=torch.float64)
    """
    counts = torch.stack([targets[own].bincount(minlength=classes).double() for own in clients])
    return counts / counts.sum(1, keepdim=True)
