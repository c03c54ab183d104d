"""The server of federated training: what becomes of the networks that clients send back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from samcli.config.federated import Federated
from samcli.double import in_double


class Server:
    """The weights that clients begin a round with, and the network that counts, which is in the tensors given.

    With w the weights that a round began with and w̄ the mean of what its clients sent, each weighted with its number of
    examples (McMahan et al., AISTATS 2017):

    - `average`: w ← w̄.
    - `momentum`: v ← β v + (w - w̄), w ← w - v (Hsu et al. 2019, FedAvgM, with the server's learning rate 1).
    - `swa`: w ← w̄, and from the first round beyond the share `swa_from` of all rounds the network that counts is the
      mean of w over the rounds since then, while clients go on from w (as Caldarola et al., ECCV 2022, average).

    All of this is computed in float64 and rounded to the tensors' own precision once.

    >>> weights = torch.zeros(2)
    >>> server = Server(Federated(clients=1, alpha=1.0, server="momentum", server_momentum=0.5), 9, [weights])
    >>> for round_ in (1, 2):
    ...     server.take(torch.ones(2, dtype=torch.float64), round_)
    >>> weights  # 1, and once more half of the first step
    tensor([1.5000, 1.5000])

    Args:
        settings: with all that its server has filled in.
        rounds: of the whole run.
        tensors: those of the network that are averaged.
    """

    def __init__(self, settings: Federated, rounds: int, tensors: Sequence[Tensor]) -> None:
        self._settings, self._rounds, self._tensors = settings, rounds, list(tensors)
        self._sizes = [tensor.numel() for tensor in tensors]
        self.reset()

    def reset(self) -> None:
        """Begin with what is in the tensors."""
        self._weights = self.sent()
        self._velocity: Tensor | None = None
        self._sum: Tensor | None = None
        self._count = 0

    @torch.no_grad()
    def sent(self) -> Tensor:
        """What is in the tensors, as one of (parameters,)."""
        return torch.cat([tensor.detach().reshape(-1) for tensor in self._tensors])

    def begin(self) -> None:
        """Put the weights that a client begins with into the tensors."""
        self._put(self._weights)

    def take(self, mean: Tensor, round_: int) -> None:
        """Take what a round came to, after which the network that counts is in the tensors.

        Args:
            mean: over the clients of the round, (parameters,) float64.
            round_: its number, from 1.
        """
        after = mean
        if self._settings.server_momentum is not None:
            before = in_double(self._weights)
            step = before - mean
            self._velocity = step if self._velocity is None else self._settings.server_momentum * self._velocity + step
            after = before - self._velocity
        self._weights = after.to(self._weights)
        self._put(self._weights)
        if self._settings.swa_from is not None and round_ > self._settings.swa_from * self._rounds + 1e-9:
            latest = in_double(self._weights)
            self._sum = latest if self._sum is None else self._sum + latest
            self._count += 1
            self._put((self._sum / self._count).to(self._weights))

    def state(self) -> dict[str, Any]:
        """What a checkpoint has to hold beside the tensors."""
        weights = self._weights if self._count else None
        return {"weights": weights, "velocity": self._velocity, "sum": self._sum, "count": self._count}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a state, see `state`, with its tensors.

        Raises:
            ValueError: it does not fit.
        """
        self.reset()
        for name in ("weights", "velocity", "sum"):
            tensor = state[name]
            if tensor is not None and tensor.shape != self._weights.shape:
                raise ValueError(f"the server's {name} has the shape {tuple(tensor.shape)}")
        if bool(state["count"]) is (state["sum"] is None) or (state["weights"] is None) is bool(state["count"]):
            raise ValueError("the server's mean over rounds is not whole")
        home = in_double(self._weights).device
        if state["weights"] is not None:
            self._weights = state["weights"].to(self._weights)
        self._velocity, self._sum = (
            None if state[name] is None else state[name].to(home) for name in ("velocity", "sum")
        )
        self._count = int(state["count"])

    @torch.no_grad()
    def _put(self, weights: Tensor) -> None:
        for tensor, part in zip(self._tensors, torch.split(weights, self._sizes), strict=True):
            tensor.copy_(part.view(tensor.shape))
