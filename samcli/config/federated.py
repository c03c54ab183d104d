"""Federated training: `federated:` of an experiment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from samcli.config.source import Source
from samcli.errors import ConfigError
from samcli.registry import option
from samcli.words import count

MOST_CLIENTS = 100_000
MOMENTUM = 0.9  # of the server, unless the experiment says otherwise
SWA_FROM = 0.75
OF_A_SERVER = {"server_momentum": "momentum", "swa_from": "swa"}  # options that one kind of server has


@dataclass(frozen=True, kw_only=True)
class Federated:
    """Training by clients that keep their examples to themselves and send networks to a server.

    Without clients there is no such training.
    """

    clients: int = option(
        0, "among how many clients the training part is divided; 0 is off", minimum=0, maximum=MOST_CLIENTS
    )
    alpha: float | None = option(
        None, "concentration α of the Dirichlet draws of their classes; or shards", minimum=1e-3, maximum=1e6
    )
    shards: int | None = option(
        None, "how many shards of the examples sorted by class a client holds; or alpha", minimum=1
    )
    per_round: int | None = option(None, "how many of them train in a round, drawn anew; null is all", minimum=1)
    local_epochs: int = option(1, "passes of a client over its examples in a round", minimum=1)
    server: str = option(
        "average",
        "what the server makes of their networks: average, the weighted mean; momentum: steps towards it with "
        "momentum; swa: the mean, and from some round on the network is the mean over rounds",
        choices=("average", "momentum", "swa"),
    )
    server_momentum: float | None = option(None, f"of the server momentum; null is {MOMENTUM}", minimum=0.0, below=1.0)
    swa_from: float | None = option(
        None, f"share of the rounds after which swa takes the mean; null is {SWA_FROM}", minimum=0.0, below=1.0
    )
    batch_norm: str = option(
        "refuse",
        "networks with BatchNorm: refuse them; local: each client keeps its running statistics, and the server's "
        "network has those of all of them together",
        choices=("refuse", "local"),
    )
    recent: int = option(
        50, "rounds at the end over which test_recent_accuracy and test_accuracy_scatter go", minimum=2
    )

    def filled(self) -> Federated:
        """The same with what its server does not have left out, and what it has filled in.

        >>> Federated(clients=2, alpha=1.0, server="swa", server_momentum=0.5).filled().swa_from
        0.75
        """
        momentum, swa_from = self.server_momentum, self.swa_from
        return replace(
            self,
            server_momentum=(MOMENTUM if momentum is None else momentum) if self.server == "momentum" else None,
            swa_from=(SWA_FROM if swa_from is None else swa_from) if self.server == "swa" else None,
            per_round=self.clients if self.per_round is None else self.per_round,
        )


def federated_of(
    values: Iterable[Mapping[str, Any]], given: Mapping[str, Any], source: Source
) -> list[Federated | None]:
    """The federated trainings that an experiment asks for; None is the ordinary one.

    Args:
        values: the choices, with types checked and defaults filled in.
        given: the block as written.
        source: the document, for messages.

    Raises:
        ConfigError: values that do not go together.

    >>> federated_of([{"clients": 4, "shards": 2}], {}, Source({}))[0].per_round
    4
    >>> federated_of([{"clients": 0}], {}, Source({}))
    [None]
    """
    found = [Federated(**one) for one in values]
    for key, server in OF_A_SERVER.items():
        if given.get(key) is not None and all(one.server != server for one in found):
            raise ConfigError(
                f"{source.where(('federated', key))}: {key} is of server: {server}, which is not asked for; "
                f"set federated.server to {server}, or leave {key} out."
            )
    for one in found:
        _check(one, given, source)
    return [one.filled() if one.clients else None for one in found]


def _check(one: Federated, given: Mapping[str, Any], source: Source) -> None:
    where = source.where(("federated",))
    if not one.clients:
        if set(given) - {"clients"}:
            raise ConfigError(f"{where}: clients is missing; say among how many, such as federated.clients: 100.")
        return
    if (one.alpha is None) is (one.shards is None):
        raise ConfigError(
            f"{where}: the classes of clients come from alpha, a concentration such as 0.1, or from shards, a number "
            f"such as 2; give one of the two{', not both' if one.alpha is not None else ''}."
        )
    if one.per_round is not None and one.per_round > one.clients:
        raise ConfigError(
            f"{source.where(('federated', 'per_round'))}: per_round is {one.per_round}, and there are "
            f"{count(one.clients, 'client')}; set per_round to at most that."
        )
