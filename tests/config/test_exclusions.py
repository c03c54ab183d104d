"""Settings that exclude each other; those of one option alone are in test_draft."""

import pytest

from samcli.config import Draft, parse
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

TEXT = "{dataset: {name: digits, validation: 0.2}, model: mlp, optimizer: sgd, epochs: 20, patience: 3}"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("keep=best", "patience does not go with keep: best, for it leaves that network already; leave keep out."),
        ("optimizer.average=ema", "patience does not go with an average of the weights, another network; leave one of"),
        ("federated={clients: 4, alpha: 1.0, per_round: 2}", "patience leaves the network of one epoch, and clients"),
        ("patience=0", "patience must be"),
        (
            "evaluate.every=20",
            "patience looks at epochs that are evaluated, and with evaluate.every 20 that is the last",
        ),
    ],
)
def test_what_early_stopping_does_not_go_with_is_a_sentence(change: str, words: str) -> None:
    draft = Draft.of(parse(TEXT, "x.yaml"), CATALOGUE)
    with pytest.raises(ConfigError, match=words):
        draft.set(change)
        draft.expand()


def test_own_labels_know_no_validation_score() -> None:
    text = "{dataset: {name: digits, validation: 0.2}, stages: [{epochs: 2}], labels: own, patience: 2}"
    with pytest.raises(ConfigError, match="and patience stops by the labels of the validation part; leave patience"):
        Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


def test_the_trainings_before_a_run_are_looked_at_too() -> None:
    text = "{dataset: {name: digits}, evaluate: {every: 9}, stages: [{epochs: 9, patience: 2}]}"
    with pytest.raises(ConfigError, match=r"with evaluate\.every 9 that is the last one alone"):
        Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
