"""Federated training: a run whose epochs are rounds, in which some clients train the network on their own examples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn

from samcli import optim
from samcli.config import RunConfig
from samcli.config.federated import Federated
from samcli.data import Dataset, Part
from samcli.data.clients import chosen_clients, class_shares, dirichlet_clients, shard_clients
from samcli.double import in_double
from samcli.errors import ConfigError
from samcli.runs import EpochMetrics
from samcli.streams import stream_seed
from samcli.train.client_scores import ClassHits, recent, worst_tenth
from samcli.train.client_statistics import ClientStatistics, tracked
from samcli.train.components import build_optimizer
from samcli.train.device import clock
from samcli.train.evaluated import See
from samcli.train.seeding import seed_everything
from samcli.train.server import Server
from samcli.train.session import Session
from samcli.train.tally import Tally
from samcli.words import count


class FederatedSession(Session):
    """A run of rounds. The network of the session is the server's; a row is that of a round.

    In a round each of the clients drawn for it begins with the server's weights and an optimizer of its own, made anew:
    no state of an optimizer outlives a round. Its batches and random draws are functions of the seed, the round and the
    client, whatever others do. The schedules of learning rate and radius count rounds as epochs, and change between
    rounds only. What the clients found is added up in their order, so that it does not matter which process trained
    which of them.

    Args:
        sharing: as for `Session`; here the processes share the clients of a round instead of batches, and the numbers
            are those of one process bit for bit.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        data_dir: Path,
        device: torch.device,
        sharing: Callable[[nn.Module], optim.Ranks] | None = None,
        begins: bool = True,
    ) -> None:
        super().__init__(config, data_dir=data_dir, device=device, begins=begins)
        assert config.federated is not None
        self.settings = config.federated
        check_network(self.settings, self.model, config.model["name"])
        self.clients = clients_of(self.settings, self.data, config.seed)
        self.peers = sharing(self.model) if sharing else None
        self.steps_per_epoch = 1  # schedules change between rounds
        self._step = self._take_step  # a recorded step would keep the optimizer that it was recorded with
        layers = tracked(self.model)
        own = {id(tensor) for layer in layers for tensor in layer.buffers(recurse=False)}
        trained: list[Tensor] = [p for p in self.model.parameters() if p.requires_grad]
        others = [buffer for buffer in self.model.buffers() if id(buffer) not in own]
        self.server = Server(
            self.settings, config.training.epochs, [*trained, *(b for b in others if b.is_floating_point())]
        )
        self.statistics = ClientStatistics(self.model, [len(examples) for examples in self.clients])
        self._fixed = [(buffer, buffer.clone()) for buffer in others if not buffer.is_floating_point()]
        self._shares = class_shares(self.data.train.targets.cpu(), self.clients, self.task.classes or 0)
        self._hits: dict[str, ClassHits] = {}
        self._skipped = 0
        self._client = 0  # that trains here

    def state(self) -> dict[str, Any]:
        """The content of a checkpoint."""
        federated = {"server": self.server.state(), "statistics": self.statistics.state(), "skipped": self._skipped}
        return {**super().state(), "federated": federated}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue from the state of a session of the same configuration, see `state`."""
        super().restore(state)
        self.server.restore(state["federated"]["server"])
        self.statistics.restore(state["federated"]["statistics"])
        self._skipped = int(state["federated"]["skipped"])

    def go_on_from(self, stage: Mapping[str, Any]) -> None:
        """Begin with the network of a stage that came before, see `Session.go_on_from`."""
        super().go_on_from(stage)
        self.server.reset()
        self.statistics.reset()

    def _train(self) -> EpochMetrics:
        self._warm_up()
        self.model.train()
        round_ = self.epoch + 1
        chosen = chosen_clients(len(self.clients), self.settings.per_round or 0, self.config.seed, round_)
        held = sum(len(self.clients[client]) for client in chosen)
        start, mean, total = clock(self.device), torch.zeros((), dtype=torch.float64), Tally(self.device)
        counts = torch.zeros(5, dtype=torch.float64)
        for client, (weights, statistics, told) in zip(chosen, self._updates(chosen, round_), strict=True):
            mean = mean + in_double(weights) * len(self.clients[client])
            self.statistics.keep(client, statistics)
            counts += told[:5]
            total.add_sums(told[5:], like=self._tally)
        self.server.take(mean / held, round_)
        self.statistics.pool()
        self._reset_optimizer(round_)
        scored, seen, evaluated, skipped, cpu_seconds = counts.tolist()
        self.gradient_evaluations += int(evaluated)
        self._skipped += int(skipped)
        self._tally.clear()
        self._tally.add_sums(total.sums(), like=self._tally)
        rate = self._set_schedules(round_ - 1)
        return self._trained(int(scored), int(seen), rate, clock(self.device) - start, cpu_seconds, self._skipped)

    def _updates(self, chosen: list[int], round_: int) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """What each client of a round came to, in their order: from this process, or from those that share them."""
        if self.peers is None:
            yield from (self._train_client(client, round_) for client in chosen)
            return
        rank, size = self.peers.rank, self.peers.size
        own = {place: self._train_client(chosen[place], round_) for place in range(rank, len(chosen), size)}
        like = next(iter(own.values()))
        for place in range(len(chosen)):
            weights, statistics, told = like
            update = own.pop(place, None) or (
                torch.empty_like(weights),
                torch.empty_like(statistics),
                torch.empty_like(told),
            )
            for tensor in update:
                if tensor.numel():
                    torch.distributed.broadcast(tensor, place % size)
            yield update

    def _train_client(self, client: int, round_: int) -> tuple[Tensor, Tensor, Tensor]:
        """Train a client.

        Returns:
            Its weights; its running statistics; and in float64 on the host how many examples its tally has, how many it
            trained on, how many went forward and backward, how many steps were skipped, the CPU seconds, and then the
            sums of the tally.
        """
        cpu_start = time.process_time()
        training, own = self.config.training, self.clients[client]
        self._client = client
        self.server.begin()
        self.statistics.begin(client)
        for buffer, value in self._fixed:
            buffer.copy_(value)
        self._reset_optimizer(round_, client)
        self._set_schedules(round_ - 1)
        seed_everything(self.config.seed, "round", round_, "client", client)
        seed = stream_seed(self.config.seed, f"client {client}")
        self._tally.clear()
        scored, trained, evaluated = 0, 0, 0
        for local in range(self.settings.local_epochs):
            number = (round_ - 1) * self.settings.local_epochs + local + 1
            order, seen = self.data.order(number, seed, own).to(self.device), 0
            for inputs, targets in self.data.epoch(number, training.batch_size, seed, training.mixup, own):
                added, passed = self._step(inputs, targets, order[seen : seen + len(inputs)])
                seen, scored, evaluated = seen + len(inputs), scored + added, evaluated + passed
            trained += seen
        sums = self._tally.sums().cpu()
        sharp = self.optimizer if isinstance(self.optimizer, optim.SharpnessAware) else None
        skipped = sharp.skipped_steps if sharp else 0
        cpu_seconds = time.process_time() - cpu_start
        counts = torch.tensor([scored, trained, evaluated, skipped, cpu_seconds], dtype=torch.float64)
        return self.server.sent(), self.statistics.sent(), torch.cat([counts, sums])

    def _trained_part(self) -> Part:
        """A client's own examples: it never sees those of the others, whatever its rule climbs for."""
        return self.data.train.chosen(self.clients[self._client])

    def _reset_optimizer(self, round_: int, client: int = -1) -> None:
        """Drop the state of the optimizer: the next one is made as the first was, with random draws of its own."""
        self.model.zero_grad()
        self.optimizer = build_optimizer(self.config, self.model, self.task.outputs, "round", round_, "client", client)

    def _watcher(self, part: str) -> See | None:
        self._hits[part] = ClassHits(self.task)
        return self._hits[part]

    def _evaluate(self, row: EpochMetrics) -> EpochMetrics:
        found = super()._evaluate(row)
        for part in ("validation", "test"):
            accuracy = found.get(f"{part}_accuracy")
            if accuracy is None:
                continue
            mean, scatter = recent(self.rows, f"{part}_accuracy", accuracy, self.settings.recent)
            found |= {f"{part}_recent_accuracy": mean, f"{part}_accuracy_scatter": scatter}
            found[f"{part}_worst_clients_accuracy"] = worst_tenth(self._hits[part].accuracies(), self._shares)
        return found


def session_kind(config: RunConfig) -> type[Session]:
    """What trains a run.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> text = "{dataset: wine, optimizer: sgd, federated: {clients: 4, alpha: 0.5}}"
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> session = session_kind(config)(config, data_dir=Path("data"), device=torch.device("cpu"))
    >>> session.train_epoch()["epoch"], len(session.clients)
    (1, 4)
    """
    return FederatedSession if config.federated else Session


def clients_of(settings: Federated, data: Dataset, seed: int) -> list[Tensor]:
    """The training examples of each client, after subset, label noise and hold-out; see `samcli.data.clients`.

    Raises:
        ConfigError: the data have no classes, or too few examples.
    """
    if data.task.classes is None:
        raise ConfigError(
            "federated: the clients differ in the classes of their examples, and these data have none; leave federated "
            "out, or take data with classes."
        )
    targets, pieces = data.train.targets.cpu(), settings.clients * (settings.shards or 1)
    if pieces > len(targets):
        what = count(settings.clients, "client")
        what += f" with {count(settings.shards, 'shard')} each" if settings.shards else ""
        raise ConfigError(
            f"federated: {what} need at least {pieces} training examples, and there are {len(targets)}; set fewer "
            "clients, or take more examples."
        )
    if settings.shards:
        return shard_clients(targets, settings.clients, settings.shards, seed)
    return dirichlet_clients(targets, settings.clients, settings.alpha or 0.0, seed)


def check_network(settings: Federated, model: nn.Module, name: str) -> None:
    """Refuse a network that normalises by running statistics, unless the experiment says whose these are.

    Raises:
        ConfigError: it does.

    >>> check_network(Federated(clients=2), nn.BatchNorm1d(3), "mlp")
    Traceback (most recent call last):
    samcli.errors.ConfigError: federated: mlp has BatchNorm, whose running statistics differ from client to client; \
take a network with GroupNorm or LayerNorm or without normalisation, or set federated.batch_norm: local.
    """
    if settings.batch_norm == "refuse" and tracked(model):
        raise ConfigError(
            f"federated: {name} has BatchNorm, whose running statistics differ from client to client; take a network "
            "with GroupNorm or LayerNorm or without normalisation, or set federated.batch_norm: local."
        )
