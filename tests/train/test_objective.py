"""Weights of classes: one loss in every pass, in the recorded mean and in every measure, however examples are cut."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from small_run import MakeConfig, Places

from samcli import optim
from samcli.errors import ConfigError
from samcli.home.known import task_of
from samcli.losses import MeanLoss
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.sharpness import measure
from samcli.tasks import Classification
from samcli.train import train_run
from samcli.train.evaluation import evaluate
from samcli.train.landscape import survey_slice
from samcli.train.measured import measure_checkpoint
from samcli.train.objective import balanced_weights, measured_loss
from samcli.train.session import Session
from samcli.train.trained import load_trained

TEXT = """
dataset: {name: wine, train_examples: 100}
model: mlp
epochs: 1
batch_size: 32
class_weight: balanced
schedule: constant
sharpness: {measures: [one-step, grad-norm, lambda-max], examples: 70}
optimizer: {name: sgd, lr: 0.05, momentum: 0.9}
"""
SAM = TEXT.replace("name: sgd, lr: 0.05, momentum: 0.9", "name: sam, lr: 0.05, rho: 0.1")

CUTMIX = ("dataset=digits", "dataset.augment=[cutmix]", "label_smoothing=0.1")


def weights_of(session: Session) -> torch.Tensor:
    """Those of scikit-learn."""
    targets = session.data.train.targets.numpy()
    return torch.from_numpy(compute_class_weight("balanced", classes=np.unique(targets), y=targets)).float()


def test_weights_are_those_of_scikit_learn() -> None:
    targets = torch.tensor([0] * 7 + [1] * 2 + [2])
    expected = compute_class_weight("balanced", classes=np.arange(3), y=targets.numpy())
    torch.testing.assert_close(balanced_weights(targets, 3).double(), torch.from_numpy(expected))
    assert balanced_weights(targets, 3)[targets].mean() == pytest.approx(1.0)


def test_a_class_without_examples_weighs_nothing_and_the_others_as_without_it() -> None:
    with_gap = balanced_weights(torch.tensor([0, 0, 3]), 5)
    assert with_gap.tolist() == [0.75, 0.0, 0.0, 1.5, 0.0]


def test_labels_are_weighed_as_they_are_trained(config_of: MakeConfig, places: Places) -> None:
    """After the subset, the hold-out and the label noise."""
    changes = ("dataset.label_noise=0.4", "dataset.validation=0.2")
    session = Session(config_of(*changes, text=TEXT), **places)
    assert isinstance(session.loss, MeanLoss)
    output, targets = torch.randn(80, 3), session.data.train.targets
    torch.testing.assert_close(
        session.loss(output, targets), torch.nn.CrossEntropyLoss(weight=weights_of(session))(output, targets)
    )


@pytest.mark.parametrize("changes", [(), ("mixup=0.2", "label_smoothing=0.1"), ("dataset=breast-cancer",), CUTMIX])
def test_an_epoch_equals_a_plain_loop(config_of: MakeConfig, places: Places, changes: tuple[str, ...]) -> None:
    """Torch's own weighted loss and SGD; the recorded loss divides by what all batches divide by."""
    config = config_of(*changes, "sharpness.every=0", text=TEXT)
    session, twin = Session(config, **places), Session(config, **places)
    weights, training = weights_of(session), config.training
    loss = torch.nn.CrossEntropyLoss(weight=weights, label_smoothing=training.label_smoothing)
    optimizer = torch.optim.SGD(twin.model.parameters(), lr=0.05, momentum=0.9, foreach=False)
    row = session.train_epoch()
    twin.model.train()
    total, denominator = 0.0, 0.0
    for x, y in twin.data.epoch(1, 32, config.seed, training.mixup):
        optimizer.zero_grad()
        output = twin.model(x)
        if output.shape[1] == 1:  # one logit is two
            output = torch.cat([torch.zeros_like(output), output], 1)
        value = loss(output, y)
        value.backward()
        optimizer.step()
        size = len(y) if y.is_floating_point() else float(weights[y].sum())
        total, denominator = total + value.item() * size, denominator + size
    assert row["train_loss"] == pytest.approx(total / denominator, rel=1e-5)
    for a, b in zip(session.model.parameters(), twin.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("changes", [(), ("label_smoothing=0.1", "mixup=0.2"), ("dataset=breast-cancer",)])
def test_accumulation_changes_only_the_rounding(
    config_of: MakeConfig, places: Places, changes: tuple[str, ...]
) -> None:
    whole, pieces = (Session(config_of(*changes, f"accumulate={n}", text=SAM), **places) for n in (1, 4))
    a, b = whole.train_epoch(), pieces.train_epoch()
    for name in ("train_loss", "test_loss", "sharpness", "grad_norm", "lambda_max"):
        assert a[name] == pytest.approx(b[name], rel=1e-3), name
    assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5)
    for x, y in zip(whole.model.parameters(), pieces.model.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-5)


def test_micro_batches_count_by_their_weights(config_of: MakeConfig, places: Places) -> None:
    """Without a step, the mean over micro-batches is that over batches; by the number of examples it would not be."""
    whole, parts = (
        Session(config_of(f"optimizer.m={m}", "optimizer.lr=0.0", text=SAM), **places) for m in ("null", "10")
    )
    a, b = whole.train_epoch(), parts.train_epoch()
    assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5)
    expected = measured_loss(whole.config.training, whole.data)
    with torch.no_grad():
        (x, y), *rest = whole.data.train.batches(1000)
        assert not rest
        assert a["train_loss"] == pytest.approx(float(expected(whole.model(x), y)), rel=1e-5)


def test_measures_are_of_the_weighted_loss_however_batches_are_cut(config_of: MakeConfig, places: Places) -> None:
    session = Session(config_of(text=TEXT), **places)
    session.train_epoch()
    loss = torch.nn.CrossEntropyLoss(weight=weights_of(session))
    names = ["one-step", "grad-norm", "lambda-max", "trace"]
    ours, theirs = (
        measure(session.model, one, list(session.data.train.batches(size)), names)
        for one, size in ((measured_loss(session.config.training, session.data), 9), (loss, 1000))
    )
    for name in names:
        assert ours[name].value == pytest.approx(theirs[name].value, rel=1e-3), name
    unweighted = measure(session.model, session.task.loss, list(session.data.train.batches(1000)), names)
    assert abs(unweighted["grad-norm"].value / ours["grad-norm"].value - 1.0) > 0.01


def test_the_other_parts_are_evaluated_without_weights(config_of: MakeConfig, places: Places) -> None:
    session = Session(config_of(text=TEXT), **places)
    row = session.train_epoch()
    assert row["test_loss"] == evaluate(session.model, session.task, session.data.test)[0]
    (x, y), *_ = session.data.test.batches(1000)
    with torch.no_grad():
        expected = torch.nn.functional.cross_entropy(session.model(x), y)
    assert row["test_loss"] == pytest.approx(float(expected), rel=1e-5)


def test_a_regression_is_refused(config_of: MakeConfig, places: Places) -> None:
    with pytest.raises(ConfigError, match="no classes to weigh"):
        Session(config_of("dataset=diabetes", text=TEXT), **places)


@pytest.mark.parametrize("name", ["esam", "saf", "gsam", "looksam", "friendly-sam", "fisher-sam", "sampa"])
def test_every_kind_of_rule_takes_it(config_of: MakeConfig, places: Places, name: str) -> None:
    assert name in optim.VARIANTS
    session = Session(config_of(f"optimizer={name}", "sharpness.every=0", "accumulate=2", text=TEXT), **places)
    first, second = (session.train_epoch()["train_loss"] for _ in range(2))
    assert first is not None
    assert second is not None
    assert second < first


def test_what_is_recorded_and_measured_later_is_of_the_weighted_loss(
    config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    """The row of the last epoch, `samcli sharpness` and the middle of a slice, against torch's own loss."""
    folder, cpu = RunFolder(tmp_path / "run"), places["device"]
    assert train_run(config_of("label_smoothing=0.1", text=TEXT), folder, **places) == "finished"
    trained = load_trained(folder.path, data_dir=places["data_dir"], device=cpu)
    targets = trained.data.train.targets.numpy()
    weights = torch.from_numpy(compute_class_weight("balanced", classes=np.unique(targets), y=targets)).float()
    batches = list(trained.data.train.subset(70, seed=0).batches(70))
    loss = torch.nn.CrossEntropyLoss(weight=weights)
    expected = measure(trained.model, loss, batches, ["grad-norm"])["grad-norm"].value
    assert folder.read_metrics()[-1]["grad_norm"] == pytest.approx(expected, rel=1e-4)
    measured = measure_checkpoint(folder.checkpoint, ["grad-norm"], examples=70, parameters={}, device=cpu)
    assert measured.values["grad-norm"].value == pytest.approx(expected, rel=1e-4)
    assert measured.values["grad-norm"].details["loss_function"] == "class-weighted cross-entropy in nats"
    how = {"examples": 70, "seed": 0, "data_dir": places["data_dir"], "device": cpu}
    found = survey_slice(folder.checkpoint, points=3, **how)  # type: ignore[arg-type]
    ((inputs, y),) = batches
    with torch.no_grad():
        middle = float(loss(trained.model.eval()(inputs), y))
    assert float(found.landscapes["train"].losses[1]) == pytest.approx(middle, rel=1e-5)
    assert found.loss == "class-weighted cross-entropy in nats"


def test_squared_loss_is_that_of_every_part(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    """Of training, evaluation and sharpness; and a network of it is taken home as any classifier."""
    text = "{dataset: {name: digits, train_examples: 100}, model: linear, loss: squared, epochs: 1, optimizer: sgd}"
    folder = RunFolder(tmp_path / "run")
    assert train_run(config_of(text=text), folder, **places) == "finished"
    loaded = load_trained(folder.checkpoint, **places)
    ((inputs, targets),) = loaded.data.test.batches(1000)
    wanted = torch.nn.functional.one_hot(targets, 10)
    by_hand = 0.5 * (loaded.model(inputs) - wanted).square().sum(1).mean().item()
    assert folder.read_metrics()[-1]["test_loss"] == pytest.approx(by_hand, rel=1e-5)
    assert task_of(checkpoint.load(folder.checkpoint)["data"]["task"]) == Classification(10)
    assert evaluate(loaded.model, loaded.data.task, loaded.data.test)[0] == folder.read_metrics()[-1]["test_loss"]
    again = measure_checkpoint(folder.checkpoint, ["one-step"], examples=512, parameters={"rho": 0.05}, **places)
    assert again.values["one-step"].value == folder.read_metrics()[-1]["sharpness"]
