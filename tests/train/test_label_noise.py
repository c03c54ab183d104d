"""What a run knows of the labels that noise made wrong, and of the others."""

from pathlib import Path
from typing import Any

import pytest
import torch

from samcli.config import Draft, parse
from samcli.data import DATASETS, load
from samcli.errors import ConfigError
from samcli.train import CATALOGUE
from samcli.train.session import Session

BOTH = "evaluate: {metrics: [wrong-labels, right-labels]}"


def session(dataset: str, rest: str = BOTH) -> Session:
    text = f"{{dataset: {dataset}, model: mlp, optimizer: sgd, epochs: 2, sharpness: {{every: 0}}, {rest}}}"
    (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return Session(config, data_dir=Path("data"), device=torch.device("cpu"))


@pytest.mark.parametrize("noise", ["symmetric", "asymmetric"])
def test_the_columns_are_the_shares_that_are_predicted(noise: str) -> None:
    run = session(f"{{name: digits, train_examples: 400, label_noise: 0.4, label_noise_kind: {noise}}}")
    clean = load(DATASETS.create("digits", train_examples=400), seed=0, data_dir=Path(), device="cpu").train
    given = run.data.train.targets
    wrong = given != clean.targets
    assert int(wrong.sum()) == 160 if noise == "asymmetric" else 120 < int(wrong.sum()) < 160
    assert run.data.wrong_labels is not None
    assert torch.equal(run.data.wrong_labels, wrong)
    row = run.train_epoch()
    with torch.no_grad():
        ((inputs, _),) = run.data.train.batches(400)
        predicted = run.model.eval()(inputs).argmax(1)
    assert row["train_wrong_labels"] == pytest.approx(float((predicted == given)[wrong].double().mean()))
    assert row["train_right_labels"] == pytest.approx(float((predicted == given)[~wrong].double().mean()))


def test_they_change_nothing_of_the_training() -> None:
    with_them = session("{name: digits, train_examples: 200, label_noise: 0.4}")
    without = session("{name: digits, train_examples: 200, label_noise: 0.4}", "seeds: 0")
    rows: list[dict[str, Any]] = [with_them.train_epoch() for _ in range(2)]
    plain = [without.train_epoch() for _ in range(2)]
    assert [row["train_loss"] for row in rows] == [row["train_loss"] for row in plain]
    assert all(torch.equal(a, b) for a, b in zip(with_them.model.parameters(), without.model.parameters(), strict=True))


def test_without_noise_no_label_is_wrong() -> None:
    run = session("{name: digits, train_examples: 200}")
    row = run.train_epoch()
    assert row["train_wrong_labels"] is None
    assert 0.0 < (row["train_right_labels"] or 0.0) <= 1.0


def test_a_regression_has_no_such_labels() -> None:
    with pytest.raises(ConfigError, match="label noise is of classes"):
        session("diabetes")


def test_a_run_from_before_there_were_kinds_of_noise_is_the_same() -> None:
    text = "{dataset: {name: digits, label_noise: 0.4%s}, model: mlp, optimizer: sgd}"
    old, named, other = (
        next(iter(Draft.of(parse(text % more, "x.yaml"), CATALOGUE).expand())).identity
        for more in ("", ", label_noise_kind: symmetric", ", label_noise_kind: asymmetric")
    )
    assert old == named != other
