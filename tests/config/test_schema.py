"""The identity of a run, and its document."""

import dataclasses
import math

import pytest
import yaml

from samcli.config import Draft
from samcli.config.schema import NEWER, NEWER_IN, Evaluation, RunConfig, Sharpness, Training, without_newer
from samcli.config.source import parse
from samcli.train import CATALOGUE


def config(**changes: object) -> RunConfig:
    run = RunConfig(
        name="first",
        dataset={"name": "digits", "label_noise": 0.4},
        model={"name": "cnn"},
        optimizer={"name": "sam", "rho": 0.05, "norm": math.inf},
        schedule={"name": "cosine"},
        training=Training(),
        sharpness=Sharpness(),
        seed=3,
    )
    return dataclasses.replace(run, **changes)  # type: ignore[arg-type]


def test_identity_ignores_order_and_name() -> None:
    assert config().identity == config(name="second").identity
    assert config().identity == config(dataset={"label_noise": 0.4, "name": "digits"}).identity
    assert config().identity != config(seed=4).identity
    assert config().identity != config(optimizer={"name": "sam", "rho": 0.06, "norm": math.inf}).identity
    assert config().identity != config(training=Training(epochs=21)).identity


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (
            "dataset: {name: digits, label_noise: 0.4}\nmodel: cnn\nepochs: 3\nseeds: 2\n"
            "optimizer: {name: sgd, lr: 0.1, weight_decay: 5e-4}\n",
            "02caca612e88f25ada5bdef8e67114961bb46225fbd805af9450103445977f03",
        ),
        (
            "dataset: {name: fashion-mnist, train_examples: 10000, augment: [crop, flip]}\nmodel: resnet20\n"
            "schedule: {name: multi-step, gamma: 0.1}\nprecision: bf16\n"
            "optimizer: {name: sam, base: adamw, rho: 0.1, norm: .inf, m: 16, rho_schedule: lr, "
            "ascent_fraction: 0.5}\n",
            "a4411009f94e06e4fb6e35dbfc8afee41e2feb3dc5c8f6e129adc1bdc3cccb10",
        ),
        (
            "dataset: diabetes\nmodel: linear\nstop_at_train_loss: 0.5\nschedule: constant\n"
            "sharpness: {measures: [one-step, lambda-max]}\noptimizer: adam\n",
            "fc495eda995bfda006aa52047eb755ad5bfe19c1adbc64339ec6527c178202d7",
        ),
    ],
)
def test_identities_are_those_of_the_first_version(text: str, identity: str) -> None:
    """So that runs which were finished long ago stay finished; each is computed once."""
    (run,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    assert run.identity == identity
    assert run.identity is run.identity


def test_identity_knows_what_is_recorded_and_where_to_stop() -> None:
    changed = [
        config(),
        config(training=Training(stop_at_train_loss=0.1)),
        config(training=Training(stop_at_train_loss=0.2)),
        config(sharpness=Sharpness(measures=("one-step", "grad-norm", "lambda-max"))),
        config(evaluate=Evaluation(every=2)),
        config(evaluate=Evaluation(metrics=("macro-f1",))),
        config(evaluate=Evaluation(metrics=("macro-f1", "roc-auc"))),
        config(training=Training(class_weight="balanced")),
    ]
    assert len({run.identity for run in changed}) == 8
    assert config(evaluate=Evaluation(every=1, metrics=())).identity == config().identity
    assert config(training=Training(class_weight=None)).identity == config().identity


def test_identity_is_pinned() -> None:
    """A change of this value makes every user's finished runs run again: it must be meant."""
    assert config().identity[:16] == "f3a079b0d8651d6d"


def test_document_survives_yaml() -> None:
    document = config().document()
    assert yaml.safe_load(yaml.safe_dump(document)) == document


@pytest.mark.parametrize("section", NEWER_IN)
def test_what_is_younger_than_the_first_runs_counts_where_it_is_not_its_default(section: str) -> None:
    for key, default in NEWER_IN[section].items():
        plain = {"name": "x", section: {"of-old": 1}}
        assert without_newer({"name": "x", section: {"of-old": 1, key: default}}) == plain
        assert without_newer({"name": "x", section: {"of-old": 1, key: "other"}}) != plain


def test_every_younger_option_of_the_schema_has_its_default() -> None:
    """What a resolved run says of an option at its default is what is left out of its identity."""
    document = config().document()
    for key, default in NEWER.items():
        assert document[key] == default
    for section in ("evaluate", "sharpness"):
        for key, default in NEWER_IN[section].items():
            assert document[section][key] == default
