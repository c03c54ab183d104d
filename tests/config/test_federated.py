"""The block `federated:` of an experiment: what it means, what is refused, and that other runs know nothing of it."""

import pytest
import yaml

from samcli.config import Draft, RunConfig, parse
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

PLAIN = "{dataset: digits, model: mlp, optimizer: sgd, sharpness: {every: 0}, %s}"


def expand(text: str, *assignments: str) -> list[RunConfig]:
    draft = Draft.of(parse(PLAIN % text, "x.yaml"), CATALOGUE)
    for assignment in assignments:
        draft.set(assignment)
    return draft.expand()


def test_a_run_without_clients_is_the_run_it_was() -> None:
    (plain,), (off,) = expand("epochs: 3"), expand("epochs: 3, federated: {clients: 0}")
    (null,) = expand("epochs: 3, federated: null")
    assert plain == off == null
    assert "federated" not in plain.document()
    (with_clients,) = expand("epochs: 3, federated: {clients: 10, alpha: 0.1}")
    assert with_clients.identity != plain.identity


def test_what_is_left_out_is_filled_in() -> None:
    (run,) = expand("federated: {clients: 10, alpha: 1}")
    assert run.document()["federated"] == {
        "clients": 10,
        "alpha": 1.0,
        "shards": None,
        "per_round": 10,
        "local_epochs": 1,
        "server": "average",
        "server_momentum": None,
        "swa_from": None,
        "batch_norm": "refuse",
        "recent": 50,
    }


def test_a_grid_of_servers_has_options_for_those_that_have_them() -> None:
    runs = expand("federated: {clients: 4, shards: 2, server: [average, swa, momentum], swa_from: [0.5, 0.6]}")
    found = [run.federated for run in runs]
    assert [(f.server, f.swa_from, f.server_momentum) for f in found if f] == [
        ("average", None, None),
        ("swa", 0.5, None),
        ("swa", 0.6, None),
        ("momentum", None, 0.9),
    ]
    for run in runs:
        again = Draft.of(parse(yaml.safe_dump(run.document()), "x.yaml"), CATALOGUE).expand()
        assert again == [run]


def test_flags_reach_it() -> None:
    (run,) = expand("epochs: 3", "federated.clients=5", "federated.alpha=0.3")
    assert run.federated is not None
    assert (run.federated.clients, run.federated.alpha) == (5, 0.3)


def test_equal_compute_counts_rounds() -> None:
    sgd, sam = expand("epochs: 10, equal_compute: true, federated: {clients: 4, alpha: 1.0}", "optimizer=[sgd, sam]")
    assert (sgd.training.epochs, sam.training.epochs) == (20, 10)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("federated: 3", "federated must be a block such as {clients: 100, alpha: 0.1}"),
        ("federated: {alpha: 0.1}", "clients is missing; say among how many, such as federated.clients: 100."),
        (
            "federated: {clients: 5}",
            "from alpha, a concentration such as 0.1, or from shards, a number such as 2; give",
        ),
        ("federated: {clients: 5, alpha: 1, shards: 2}", "give one of the two, not both."),
        ("federated: {clients: 5, alpha: 0}", "alpha"),
        (
            "federated: {clients: 5, alpha: 1, per_round: 6}",
            "per_round is 6, and there are 5 clients; set per_round to",
        ),
        ("federated: {clients: 5, alpha: 1, per_round: 0}", "per_round"),
        ("federated: {clients: 5, alpha: 1, local_epochs: 0}", "local_epochs"),
        ("federated: {clients: 5, alpha: 1, server: swap}", "server"),
        ("federated: {clients: 5, alpha: 1, swa_from: 0.5}", "swa_from is of server: swa, which is not asked for; set"),
        (
            "federated: {clients: 5, alpha: 1, server_momentum: 0.5}",
            "server_momentum is of server: momentum, which is not asked for; set federated.server to momentum, or",
        ),
        ("federated: {clients: 5, alpha: 1, rounds: 3}", "rounds"),
        ("federated: {clients: 5, alpha: 1}, precision: fp16", "set precision to bf16 or fp32, or train without"),
        ("federated: {clients: 5, alpha: 1}, sync_batch_norm: true", "leave sync_batch_norm out"),
        (
            "federated: {clients: 5, alpha: 1, server: swa}, stop_at_train_loss: 0.1, schedule: constant",
            "stop_at_train_loss may end before; leave one of them out",
        ),
        (
            "federated: {clients: 5, alpha: 1}, stages: [{labels: given}], labels: own",
            "labels: own are of one network that sees the examples of all clients; make that training the last of the",
        ),
        (
            "federated: {clients: 5, alpha: 1}, sharpness: {measures: [lambda-max-adam]}",
            "the state of the optimizer, which clients drop after a round; leave it out of sharpness.measures",
        ),
        (
            "federated: {clients: 5, alpha: 1}, sharpness: {measures: [edge-ratio]}",
            "edge-ratio is of the steps of one optimizer, and clients drop theirs after a round; leave it out of",
        ),
    ],
)
def test_what_does_not_go_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Draft.of(parse("{dataset: digits, model: mlp, optimizer: sgd, %s}" % text, "x.yaml"), CATALOGUE).expand()  # noqa: UP031
    assert sentence in str(refused.value)


def test_an_average_of_one_clients_steps_is_refused() -> None:
    text = "{dataset: digits, model: mlp, optimizer: {name: sgd, average: ema}, federated: {clients: 5, alpha: 1}}"
    with pytest.raises(ConfigError, match="set server: swa, the mean over rounds"):
        Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


def test_two_processes_of_an_optimizer_and_tokens_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"sampa with processes: 2 trains the whole run in two processes; set its"):
        expand("federated: {clients: 5, alpha: 1}", "optimizer={name: sampa, processes: 2}")
    text = "dataset: {name: 'text:python', train_tokens: 960, context: 48}\ntokens: 960\n"
    with pytest.raises(ConfigError, match=r"tokens counts passes over a text; set epochs, the number of rounds"):
        Draft.of(parse(text + "federated: {clients: 5, alpha: 1}", "x.yaml"), CATALOGUE).expand()
