"""Scores on request: against plain twins and scikit-learn, empty where undefined, refused where they do not suit."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from small_run import MakeConfig, Places

from samcli.config import Draft, parse
from samcli.data import DATASETS, Dataset, load
from samcli.errors import ConfigError
from samcli.metrics import SCORES, requested_columns, scores_on_request
from samcli.runs.folder import RunFolder
from samcli.tasks import Binary, Classification, Regression, Task
from samcli.train import CATALOGUE, train_run
from samcli.train.on_request import OF_CLASSES, OF_NUMBERS, Outputs, calibration_error, check_metrics, undefined
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session

OF_ALL_CLASSES = ["balanced-accuracy", "macro-f1", "roc-auc", "log-loss", "calibration-error"]
EVALUATED = "[balanced-accuracy, macro-f1, roc-auc, log-loss, calibration-error]"


def draw(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def scores(task: Task, output: torch.Tensor, target: torch.Tensor, metrics: list[str]) -> dict[str, float | None]:
    """In batches of seven."""
    outputs = Outputs(task)
    for o, t in zip(output.split(7), target.split(7), strict=True):
        outputs(o, t)
    return outputs.scores(metrics)


def test_every_score_on_request_is_computed() -> None:
    names = {score.name: score.on_request for score in scores_on_request().values()}
    assert {name for name, kind in names.items() if kind == "classes"} == set(OF_CLASSES)
    assert {name for name, kind in names.items() if kind == "numbers"} == set(OF_NUMBERS)
    assert all(SCORES[name].meaning for name in names)


def plain_calibration_error(confidences: list[float], right: list[bool]) -> float:
    """A loop over bins (i/15, (i + 1)/15], with the number of examples and the two means of each."""
    total = 0.0
    for i in range(15):
        inside = [j for j, c in enumerate(confidences) if i / 15 < c <= (i + 1) / 15]
        if inside:
            accuracy = sum(right[j] for j in inside) / len(inside)
            confidence = sum(confidences[j] for j in inside) / len(inside)
            total += len(inside) / len(confidences) * abs(accuracy - confidence)
    return total


def test_scores_of_classes_against_plain_twins() -> None:
    """Of three frequent classes and a rare one."""
    task, target = Classification(4), torch.tensor([0, 1, 2] * 60 + [3] * 7)
    output = 1.5 * torch.nn.functional.one_hot(target, 4) + draw(187, 4)
    shares = output.double().softmax(1)
    predicted, found = shares.argmax(1), scores(task, output, target, OF_ALL_CLASSES)
    pairs = list(zip(target.tolist(), predicted.tolist(), strict=True))
    recalls, f1s = [], []
    for c in range(4):
        hits = sum(t == c and p == c for t, p in pairs)
        recalls.append(hits / sum(t == c for t, _ in pairs))
        f1s.append(2 * hits / sum((t == c) + (p == c) for t, p in pairs))
    aucs = []
    for c in range(4):
        inside, outside = shares[target == c, c], shares[target != c, c]
        aucs.append(float((inside[:, None] > outside).double().mean()))  # no two are equal
    confidences, right = shares.max(1).values.tolist(), [t == p for t, p in pairs]
    expected = {
        "balanced_accuracy": sum(recalls) / 4,
        "macro_f1": sum(f1s) / 4,
        "roc_auc": sum(aucs) / 4,
        "log_loss": -float(shares.log()[torch.arange(187), target].mean()),
        "calibration_error": plain_calibration_error(confidences, right),
    }
    assert found == {name: pytest.approx(value, abs=1e-12) for name, value in expected.items()}
    numbers = target.numpy(), shares.numpy()
    assert found["roc_auc"] == pytest.approx(roc_auc_score(*numbers, multi_class="ovr", average="macro"))
    assert found["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(target.numpy(), predicted.numpy()))


def test_one_logit_is_two_classes() -> None:
    target = torch.arange(40) % 2
    output = target[:, None] + draw(40, 1)
    pair = torch.cat([torch.zeros(40, 1), output], 1)
    one, two = scores(Binary(), output, target, OF_ALL_CLASSES), scores(Classification(2), pair, target, OF_ALL_CLASSES)
    assert one == {name: pytest.approx(value) for name, value in two.items()}
    inside, outside = output[target == 1, 0], output[target == 0, 0]
    assert one["roc_auc"] == pytest.approx(float((inside[:, None] > outside).double().mean()))


def test_the_calibration_error_in_closed_form() -> None:
    """Ten examples at a confidence of 0.8, seven right, and ten at 0.6, all right: (0.1 + 0.4) / 2."""
    shares = np.array([[0.8, 0.2]] * 10 + [[0.6, 0.4]] * 10)
    true = np.array([0] * 7 + [1] * 3 + [0] * 10)
    assert calibration_error(true, shares.argmax(1), shares) == pytest.approx(0.25)
    # the gaps of two neighbouring bins do not cancel: 0.09 too sure, 0.1 not sure enough
    beside = np.array([[0.99, 0.01]] * 10 + [[0.9, 0.1]] * 10)
    assert calibration_error(np.array([1] + [0] * 19), beside.argmax(1), beside) == pytest.approx(0.095)
    sure = np.array([[1.0, 0.0], [0.0, 1.0]])
    assert calibration_error(np.array([0, 1]), sure.argmax(1), sure) == 0.0
    assert calibration_error(np.array([1, 0]), sure.argmax(1), sure) == 1.0


def test_scores_of_numbers_are_in_the_unit_of_the_targets() -> None:
    task, target = Regression(mean=20.0, std=5.0), torch.tensor([0.0, 1.0, -1.0])
    errors = torch.tensor([0.3, -0.4, 0.0])
    found = scores(task, (target + errors)[:, None], target, ["mae", "rmse"])
    assert found == {"mae": pytest.approx(5.0 * 0.7 / 3), "rmse": pytest.approx(5.0 * 0.5 / math.sqrt(3))}


def test_what_is_not_defined_is_empty_and_never_zero() -> None:
    one_class, output = torch.ones(9, dtype=torch.int64), draw(9, 3)
    found = scores(Classification(3), output, one_class, OF_ALL_CLASSES)
    assert found.pop("roc_auc") is None
    assert all(value is not None for value in found.values())
    assert found["balanced_accuracy"] == float((output.argmax(1) == 1).double().mean())
    output[3, 1] = math.nan
    assert set(scores(Classification(3), output, one_class, OF_ALL_CLASSES).values()) == {None}


@pytest.fixture
def wine() -> Dataset:
    return load(DATASETS.create("wine", validation=0.2), seed=0, data_dir=Path("nowhere"), device="cpu")


def test_a_part_that_lacks_a_class_is_told_of(wine: Dataset) -> None:
    assert list(undefined(OF_ALL_CLASSES, wine)) == []
    assert wine.validation is not None
    wine.validation = dataclasses.replace(wine.validation, targets=torch.zeros_like(wine.validation.targets))
    assert list(undefined(OF_ALL_CLASSES, wine)) == [
        "validation_roc_auc stays empty: the validation part has no example of 2 of the 3 classes, without which it is "
        "not defined."
    ]
    assert list(undefined(["macro-f1"], wine)) == []


def test_it_is_told_once_for_all_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("samcli.train.rehearsal.undefined", lambda metrics, data: iter(["It stays empty."]))
    runs = Draft.of(parse("{dataset: wine, model: [linear, mlp], seeds: 0-2}", "x.yaml"), CATALOGUE).expand()
    told: list[str] = []
    rehearse(runs, tmp_path, on_notice=told.append)
    assert told == ["It stays empty."]


@pytest.mark.parametrize(
    ("dataset", "metrics", "sentence"),
    [
        ("diabetes", "[rmse, macro-f1]", "macro-f1 is a score of classes, and these data have numbers; .* mae, rmse"),
        ("wine", "[mae]", "mae is a score of numbers, and these data have classes"),
    ],
)
def test_a_metric_that_does_not_suit_is_refused_before_training(
    dataset: str, metrics: str, sentence: str, tmp_path: Path
) -> None:
    text = f"{{dataset: [wine, {dataset}], optimizer: sgd, evaluate: {{metrics: {metrics}}}}}"
    runs = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    with pytest.raises(ConfigError, match=sentence):
        rehearse([run for run in runs if run.dataset["name"] == dataset], tmp_path)


def test_outputs_that_would_take_too_much_memory_are_refused(wine: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    size = 4 * 3 * max(len(wine.test), len(wine.validation or ()))
    monkeypatch.setattr("samcli.train.on_request.MOST_BYTES", size)
    check_metrics(["macro-f1"], wine)
    monkeypatch.setattr("samcli.train.on_request.MOST_BYTES", size - 1)
    check_metrics([], wine)
    with pytest.raises(ConfigError, match="leave the metrics out"):
        check_metrics(["macro-f1"], wine)


def test_they_are_recorded_and_change_nothing_else(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    plain, asked = (
        config_of("epochs=3", "evaluate.every=2", *more) for more in ((), (f"evaluate.metrics={EVALUATED}",))
    )
    assert plain.identity != asked.identity
    first, second = (RunFolder(tmp_path / name) for name in ("plain", "asked"))
    for config, folder in ((plain, first), (asked, second)):
        assert train_run(config, folder, **places) == "finished"
    (names, rows), (more, others) = first.read_table(), second.read_table()
    columns = requested_columns(OF_ALL_CLASSES)
    assert more[: len(names)] == names
    assert set(more[len(names) :]) == set(columns)
    for row, other in zip(rows, others, strict=True):
        assert {name: row[name] for name in names if "seconds" not in name and "per_second" not in name} == {
            name: other[name] for name in names if "seconds" not in name and "per_second" not in name
        }
        is_evaluated = row["test_loss"] is not None
        assert all((other[column] is not None) == is_evaluated for column in columns)
        if is_evaluated:
            for part in ("validation", "test"):
                assert other[f"{part}_log_loss"] == pytest.approx(other[f"{part}_loss"], rel=1e-5)


def test_without_a_validation_part_it_has_no_columns(config_of: MakeConfig, places: Places) -> None:
    session = Session(config_of("dataset.validation=0", "evaluate.metrics=[macro-f1]"), **places)
    assert [name for name in session.train_epoch() if "macro_f1" in name] == ["test_macro_f1"]
