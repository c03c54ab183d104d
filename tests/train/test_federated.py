"""Rounds of clients: against loops of torch, resumed anywhere, shared by processes, refused with a sentence."""

import copy
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from small_run import TIMES, MakeConfig, Places
from torch import nn

from samcli.config import Draft, parse
from samcli.data.clients import chosen_clients
from samcli.errors import ConfigError, Interrupted
from samcli.optim import VARIANTS
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.streams import stream_seed
from samcli.train import CATALOGUE, train_run
from samcli.train.federated import FederatedSession, session_kind
from samcli.train.longer import objection_to_going_on
from samcli.train.rehearsal import rehearse
from samcli.train.sharing import check_sharing

TEXT = """
name: federated
dataset: {name: digits, train_examples: 200}
model: {name: mlp, hidden: 16}
epochs: 4
batch_size: 16
schedule: constant
sharpness: {every: 0}
optimizer: {name: sgd, lr: 0.1, momentum: 0.9, weight_decay: 0.001}
federated: {clients: 10, alpha: 0.5, per_round: 4}
"""
CPU = torch.device("cpu")


def session_of(config_of: MakeConfig, *assignments: str, text: str = TEXT) -> FederatedSession:
    config = config_of(*assignments, text=text)
    session = session_kind(config)(config, data_dir=Path(), device=CPU)
    assert isinstance(session, FederatedSession)
    return session


def plain_round(
    model: nn.Module, session: FederatedSession, round_: int, client: int, lr: float, *, epochs: int = 1
) -> None:
    """What a client does, as a loop of torch alone: momentum 0.9 from zero, and weight decay."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, weight_decay=0.001, fused=True)
    dtype = next(model.parameters()).dtype
    for epoch in range((round_ - 1) * epochs + 1, round_ * epochs + 1):
        seed = stream_seed(session.config.seed, f"client {client}")
        for inputs, targets in session.data.epoch(epoch, 16, seed, among=session.clients[client]):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(inputs.to(dtype)), targets).backward()
            optimizer.step()


def test_one_client_is_ordinary_training_whose_optimizer_is_made_anew(config_of: MakeConfig) -> None:
    """Bit for bit: the mean of one network is that network."""
    session = session_of(config_of, "federated.clients=1", "federated.per_round=1")
    twin = copy.deepcopy(session.model)
    while not session.finished:
        row = session.train_epoch()
        plain_round(twin, session, session.epoch, 0, 0.1)
        assert all(torch.equal(a, b) for a, b in zip(session.model.parameters(), twin.parameters(), strict=True))
    assert (row["epoch"], row["gradient_evaluations"]) == (4, 4 * 200)


def test_the_server_has_the_weighted_mean_of_its_clients(config_of: MakeConfig) -> None:
    """Against float64: after 4 rounds of 12 local steps single precision is off by less than 1e-5 in weights near 1."""
    text = TEXT.replace("train_examples: 200", "train_examples: 199")  # clients of 20 and of 19 examples
    session = session_of(config_of, "federated.local_epochs=2", "schedule=cosine", text=text)
    twin = copy.deepcopy(session.model).double()
    assert {len(own) for own in session.clients} == {19, 20}
    evaluated = 0
    while not session.finished:
        row = session.train_epoch()
        chosen = chosen_clients(10, 4, session.config.seed, session.epoch)
        rate = 0.05 * (1.0 + torch.tensor(torch.pi * (session.epoch - 1) / 4, dtype=torch.float64).cos().item())
        assert row["learning_rate"] == pytest.approx(rate)
        sizes = [len(session.clients[client]) for client in chosen]
        networks = [copy.deepcopy(twin) for _ in chosen]
        for network, client in zip(networks, chosen, strict=True):
            plain_round(network, session, session.epoch, client, rate, epochs=2)
        with torch.no_grad():
            for parameter, *own in zip(twin.parameters(), *(n.parameters() for n in networks), strict=True):
                parameter.copy_(sum(n * p for n, p in zip(sizes, own, strict=True)) / sum(sizes))
        for a, b in zip(session.model.parameters(), twin.parameters(), strict=True):
            assert torch.allclose(a.double(), b, rtol=0.0, atol=1e-5)
        evaluated += 2 * sum(sizes)
        assert row["gradient_evaluations"] == evaluated


def test_the_columns_of_clients_are_those_of_the_network(config_of: MakeConfig) -> None:
    session = session_of(config_of, "federated.recent=3", "evaluate.metrics=[macro-f1]")
    while not session.finished:
        row = session.train_epoch()
    accuracies = [r["test_accuracy"] for r in session.rows[-3:]]
    assert row["test_recent_accuracy"] == pytest.approx(pandas.Series(accuracies).mean())
    assert row["test_accuracy_scatter"] == pytest.approx(pandas.Series(accuracies).std())
    part = session.data.test
    with torch.no_grad():
        right = session.model(part.normalisation.ready(part.inputs)).argmax(1) == part.targets
    each = []
    for own in session.clients:
        labels = session.data.train.targets[own].tolist()
        each.append(sum(float(right[part.targets == c].double().mean()) for c in labels) / len(labels))
    assert row["test_worst_clients_accuracy"] == pytest.approx(min(each))
    assert row["test_macro_f1"] is not None
    assert "test_recent_accuracy" not in session_rows_of_an_ordinary_run(config_of)


def session_rows_of_an_ordinary_run(config_of: MakeConfig) -> dict[str, Any]:
    config = config_of(text=TEXT.partition("federated: {")[0])
    return session_kind(config)(config, data_dir=Path(), device=CPU).train_epoch()


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_variant_trains_clients(config_of: MakeConfig, name: str) -> None:
    """Two rounds are finite, move the weights, and are the same a second time."""
    ends = []
    for _ in range(2):
        session = session_of(
            config_of,
            "dataset.train_examples=60",
            "federated.clients=3",
            "federated.per_round=2",
            "model.hidden=8",
            "model.norm=layer",
            f"optimizer={name}",
        )
        before = session.server.sent()
        rows = [session.train_epoch() for _ in range(2)]
        assert session.epoch == 2
        assert rows[1]["gradient_evaluations"] >= 2 * 2 * 20
        ends.append(session.server.sent())
        assert not torch.equal(before, ends[-1])
    assert torch.equal(*ends)


def test_the_draws_of_clients_and_rounds_are_not_the_same(config_of: MakeConfig) -> None:
    """Two clients with the same examples would otherwise climb in the same random directions."""
    session = session_of(config_of, "optimizer=random-sam")
    found = [session._train_client(client, round_)[0] for client, round_ in ((0, 1), (0, 2), (1, 1), (0, 1))]
    assert torch.equal(found[0], found[3])
    session.clients[1] = session.clients[0]
    again = session._train_client(1, 1)[0]
    assert not torch.equal(found[0], again)
    assert not torch.equal(found[0], found[1])


@pytest.mark.parametrize(
    "assignments",
    [
        (),
        ("federated.server=momentum", "optimizer=sam"),
        ("federated.server=swa", "federated.swa_from=0.3"),
        ("model.norm=batch", "federated.batch_norm=local"),
    ],
)
def test_interrupted_anywhere_it_is_the_same_run(
    config_of: MakeConfig, places: Places, tmp_path: Path, assignments: tuple[str, ...]
) -> None:
    config = config_of(*assignments, text=TEXT)
    whole, folder = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "run")
    train_run(config, whole, **places)
    for _ in range(3):  # one round at a time
        asked: list[int] = []

        def should_stop(asked: list[int] = asked) -> bool:
            asked.append(1)
            return len(asked) > 1

        with pytest.raises(Interrupted):
            train_run(config, folder, should_stop=should_stop, **places)
    assert train_run(config, folder, **places) == "finished"
    frames = [pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (whole, folder)]
    pandas.testing.assert_frame_equal(*frames, check_exact=True)
    one, other = (checkpoint.load(f.checkpoint) for f in (whole, folder))
    flat_one, flat_other = flat(one["federated"]), flat(other["federated"])
    assert flat_one.keys() == flat_other.keys()
    assert all(torch.equal(flat_one[key], flat_other[key]) for key in flat_one)
    assert all(torch.equal(one["model"][name], other["model"][name]) for name in one["model"])


def flat(state: Any, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(state, dict):
        return {k: v for key, value in state.items() for k, v in flat(value, f"{path}/{key}").items()}
    return {path: state if isinstance(state, torch.Tensor) else torch.tensor(0 if state is None else state)}


@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")
def test_clients_side_by_side_are_clients_in_turn(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    """Bit for bit with as many threads, also with 3 clients for 2 processes, and BatchNorm's statistics of clients."""
    assignments = ("model.norm=batch", "federated.batch_norm=local", "federated.per_round=3", "optimizer=sam")
    config = config_of(*assignments, "federated.server=momentum", "epochs=3", text=TEXT)
    alone, shared = RunFolder(tmp_path / "alone"), RunFolder(tmp_path / "shared")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert train_run(config, alone, **places) == "finished"
        torch.set_num_threads(2)  # one each
        assert train_run(config, shared, processes=2, **places) == "finished"
    finally:
        torch.set_num_threads(threads)
    frames = [pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (alone, shared)]
    pandas.testing.assert_frame_equal(*frames, check_exact=True)
    one, other = (flat({k: checkpoint.load(f.checkpoint)[k] for k in ("model", "federated")}) for f in (alone, shared))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_the_network_of_clients_with_batch_norm_has_pooled_statistics(config_of: MakeConfig) -> None:
    session = session_of(config_of, "model.norm=batch", "federated.batch_norm=local")
    session.train_epoch()
    kept = session.statistics.state()["of"]
    assert sorted(map(int, kept)) == chosen_clients(10, 4, 0, 1)
    mean = torch.stack([statistics[:16] for statistics in kept.values()]).mean(0)  # all of 20 examples
    layer = next(m for m in session.model.modules() if isinstance(m, nn.BatchNorm1d))
    assert torch.allclose(layer.running_mean, mean, atol=1e-6)  # ty: ignore


def test_after_a_stage_clients_begin_with_its_network(places: Places, tmp_path: Path) -> None:
    (config,) = Draft.of(parse(TEXT + "stages: [{optimizer: sgd, epochs: 3}]", "x.yaml"), CATALOGUE).expand()
    assert train_run(config, RunFolder(tmp_path / "a/run"), **places) == "finished"
    first = pandas.read_csv(tmp_path / "a/run/metrics.csv")["train_loss"][0]
    (alone,) = Draft.of(parse(TEXT, "x.yaml"), CATALOGUE).expand()
    train_run(alone, RunFolder(tmp_path / "b/run"), **places)
    assert first < 0.5 * pandas.read_csv(tmp_path / "b/run/metrics.csv")["train_loss"][0]


def test_it_stops_at_a_training_loss_and_keeps_the_best(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config = config_of(
        "stop_at_train_loss=2.2", "dataset.validation=0.2", "keep=best", "epochs=30", "mixup=0.2", text=TEXT
    )
    folder = RunFolder(tmp_path / "run")
    assert train_run(config, folder, **places) == "finished"
    rows = pandas.read_csv(folder.metrics)
    assert 1 < len(rows) < 30
    assert rows["train_loss"].iloc[-1] <= 2.2
    assert rows["validation_worst_clients_accuracy"].notna().all()
    assert folder.read_status()["best_epoch"] == 1 + rows["validation_accuracy"].argmax()
    assert checkpoint.load(folder.best)["epoch"] == folder.read_status()["best_epoch"]


def test_more_rounds_go_on_unless_the_server_averages_a_share_of_them(config_of: MakeConfig) -> None:
    assert objection_to_going_on(config_of(text=TEXT), 2) == ""
    swa = config_of("federated.server=swa", text=TEXT)
    assert objection_to_going_on(swa, 2) == "server: swa begins after a share of all rounds"


def test_too_many_processes_for_the_clients_of_a_round(config_of: MakeConfig) -> None:
    with pytest.raises(ConfigError, match="5 processes cannot share the 4 clients of a round; take fewer"):
        check_sharing([config_of(text=TEXT)], 5, CPU)
    check_sharing([config_of("batch_size=2", text=TEXT)], 4, CPU)


@pytest.mark.parametrize(
    ("assignments", "sentence"),
    [
        (("dataset=diabetes",), "federated: the clients differ in the classes of their examples, and these data have"),
        (("federated.clients=201",), "federated: 201 clients need at least 201 training examples, and there are 200"),
        (
            ("federated.alpha=null", "federated.shards=21"),
            "federated: 10 clients with 21 shards each need at least 210 training examples, and there are 200",
        ),
        (("model.norm=batch",), "federated: mlp has BatchNorm, whose running statistics differ from client to client"),
    ],
)
def test_what_the_data_or_the_network_do_not_allow_is_found_first(
    config_of: MakeConfig, assignments: tuple[str, ...], sentence: str
) -> None:
    config = config_of(*assignments, text=TEXT)
    with pytest.raises(ConfigError) as refused:
        rehearse([config], Path())
    assert sentence in str(refused.value)
    with pytest.raises(ConfigError, match="federated: "):
        session_kind(config)(config, data_dir=Path(), device=CPU)


def test_a_client_climbs_for_its_own_examples_alone(config_of: MakeConfig) -> None:
    """A step of n-sam passes the examples of its client, and no other ones; what it costs says as much."""
    session = session_of(config_of, "optimizer=n-sam", "federated.per_round=3", "federated.clients=3", text=TEXT)
    part = session.data.train
    climbed: dict[int, torch.Tensor] = {}
    for client, examples in enumerate(session.clients):
        session._client = client
        climbed[client] = torch.cat([inputs for inputs, _ in session._training_set()])
        assert torch.equal(climbed[client], part.normalisation.ready(part.inputs[examples]))
    assert sum(map(len, climbed.values())) == len(part)
    row = session.train_epoch()
    sizes = [len(examples) for examples in session.clients]
    assert row["gradient_evaluations"] == sum(
        2 * size + session.data.steps(16, one) * size for size, one in zip(sizes, session.clients, strict=True)
    )
