"""The running statistics of BatchNorm where clients train: each client has its own, and the server those of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from samcli.weights.frozen import is_held


def tracked(model: nn.Module) -> list[_NormBase]:
    """The layers of a model whose running statistics training changes.

    >>> [type(layer).__name__ for layer in tracked(nn.Sequential(nn.BatchNorm1d(2), nn.LayerNorm(2)))]
    ['BatchNorm1d']
    """
    layers = [layer for layer in model.modules() if isinstance(layer, _NormBase)]
    return [layer for layer in layers if layer.running_mean is not None and not is_held(layer)]


class ClientStatistics:
    """Running means and variances that never leave a client, as in SiloBN (Andreux et al. 2020).

    A client goes on with the statistics that its last round left, and begins with those of the network. The server's
    network, which is evaluated, has those of all clients that have taken part so far as one population: μ = Σ p μ_k and
    σ² = Σ p (σ_k² + (μ_k - μ)²), where p is a client's share of their examples. Weights and biases of the layers are
    averaged as all others.

    >>> layer = nn.BatchNorm1d(1)
    >>> statistics = ClientStatistics(layer, [30, 10])
    >>> for client, mean in ((0, 0.0), (1, 4.0)):
    ...     statistics.begin(client)
    ...     _ = layer.running_mean.fill_(mean)
    ...     statistics.keep(client, statistics.sent())
    >>> statistics.pool()
    >>> layer.running_mean, layer.running_var  # 1 within, and 3 between
    (tensor([1.]), tensor([4.]))

    Args:
        model: whose layers are meant.
        sizes: how many examples each client holds.
    """

    def __init__(self, model: nn.Module, sizes: Sequence[int]) -> None:
        self._layers = tracked(model)
        self._sizes = list(sizes)
        self.reset()

    def reset(self) -> None:
        """Begin with the statistics that are in the layers."""
        self._first = self.sent()
        self._of: dict[int, Tensor] = {}

    def sent(self) -> Tensor:
        """What is in the layers: means, variances and counts of batches, as one tensor; empty without such layers."""
        found = [tensor.detach().reshape(-1).float() for layer in self._layers for tensor in _tensors(layer)]
        return torch.cat(found) if found else torch.zeros(0)

    def begin(self, client: int) -> None:
        """Put a client's own statistics into the layers."""
        self._put(self._of.get(client, self._first))

    def keep(self, client: int, statistics: Tensor) -> None:
        """Note what a client has after a round."""
        if self._layers:
            self._of[client] = statistics

    def pool(self) -> None:
        """Put the statistics of all clients together into the layers; the count of batches is the largest of theirs."""
        if not self._of:
            return
        clients = sorted(self._of)
        shares = torch.tensor([float(self._sizes[client]) for client in clients], dtype=torch.float64)
        shares = (shares / shares.sum())[:, None]
        table = torch.stack([self._of[client] for client in clients]).cpu().double()
        pooled, start = torch.zeros_like(table[0]), 0
        for layer in self._layers:
            n = layer.num_features
            mean, variance = table[:, start : start + n], table[:, start + n : start + 2 * n]
            centre = (shares * mean).sum(0)
            pooled[start : start + n] = centre
            pooled[start + n : start + 2 * n] = (shares * (variance + (mean - centre).square())).sum(0)
            pooled[start + 2 * n] = table[:, start + 2 * n].max()
            start += 2 * n + 1
        self._put(pooled)

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to hold beside the layers."""
        return {"first": self._first, "of": {str(client): kept for client, kept in self._of.items()}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, see `state`.

        Raises:
            ValueError: it does not fit.
        """
        of = {int(client): kept for client, kept in state["of"].items()}
        if any(kept.shape != self._first.shape for kept in (state["first"], *of.values())):
            raise ValueError("the clients' running statistics do not fit the network")
        if not all(0 <= client < len(self._sizes) for client in of):
            raise ValueError("there are running statistics of a client that does not exist")
        self._first = state["first"].to(self._first)
        self._of = {client: kept.to(self._first) for client, kept in of.items()}

    @torch.no_grad()
    def _put(self, statistics: Tensor) -> None:
        start = 0
        for layer in self._layers:
            for tensor in _tensors(layer):
                tensor.copy_(statistics[start : start + tensor.numel()].view(tensor.shape))
                start += tensor.numel()


def _tensors(layer: _NormBase) -> list[Tensor]:
    found = (layer.running_mean, layer.running_var, layer.num_batches_tracked)
    return [tensor for tensor in found if tensor is not None]
