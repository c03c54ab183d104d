"""Runs with an average of their weights: what is evaluated, kept, continued and begun with is the average."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from small_run import SMALL, TIMES, MakeConfig, Places
from torch import nn

from samcli.config import RunConfig, stage_runs
from samcli.errors import ConfigError, Interrupted, UnusableCheckpoint
from samcli.optim import BASES, VARIANTS
from samcli.runs import EpochMetrics, checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.continuing import session_of
from samcli.train.evaluation import evaluate
from samcli.train.measured import measure_checkpoint
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session
from samcli.train.trained import load_trained
from samcli.weights.batch_norm import batch_norms

EMA = ("optimizer.average=ema", "optimizer.average_decay=0.9")
SWA = ("optimizer.average=swa", "optimizer.average_from=0.4")
QUICK = """
dataset: {name: digits, train_examples: 64}
model: {name: mlp, hidden: 8, dropout: 0.2}
epochs: 1
batch_size: 16
sharpness: {examples: 16}
optimizer: {name: sgd, average: ema}
"""
NORMALISED = """
dataset: {name: digits, train_examples: 48, validation: 0.25, augment: [crop]}
model: {name: resnet20}
epochs: 4
batch_size: 16
sharpness: {examples: 16}
optimizer: {name: sam, lr: 0.1, rho: 0.05}
"""
OF_TEXT = """
dataset: {name: "text:PATH", context: 8}
model: {name: gpt, layers: 1, width: 8, heads: 2}
epochs: 3
batch_size: 16
sharpness: {examples: 8}
optimizer: {name: adamw, lr: 0.01}
"""


def rows(found: Session | RunFolder) -> list[dict[str, Any]]:
    """A table without times."""
    table = found.rows if isinstance(found, Session) else checkpoint.load(found.checkpoint)["rows"]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in table]


def trained(config: RunConfig, places: Places, epochs: int | None = None) -> Session:
    session = Session(config, **places)
    while not session.finished and session.epoch != epochs:
        session.train_epoch()
    return session


def same(a: Any, b: Any) -> bool:
    """Whether two trees of tensors and values are equal bit for bit."""
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a if key not in TIMES)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    return torch.equal(a, b) if isinstance(a, torch.Tensor) else bool(a == b)


@pytest.mark.parametrize("name", [*BASES, *VARIANTS])
def test_no_step_of_any_optimizer_changes(name: str, config_of: MakeConfig, places: Places) -> None:
    """Not by a bit; and what is evaluated is the average, which lies elsewhere."""
    model = "resnet20" if name == "sam-on" else "{name: mlp, hidden: 8, dropout: 0.2}"
    changes = (f"optimizer={{name: {name}, average: ema}}", f"model={model}")
    averaged = trained(config_of(*changes, text=QUICK), places)
    plain = trained(config_of(*changes, "optimizer.average=null", text=QUICK), places)
    (row,), (plain_row,) = rows(averaged), rows(plain)
    for key in ("train_loss", "train_accuracy", "learning_rate", "rho", "gradient_evaluations", "skipped_steps"):
        assert row[key] == plain_row[key]
    assert same(averaged.model.state_dict(), plain.model.state_dict())
    assert same(averaged.optimizer.state_dict(), plain.optimizer.state_dict())
    assert row["test_loss"] != plain_row["test_loss"]
    assert row["sharpness"] != plain_row["sharpness"]
    assert averaged.average is not None
    assert averaged.average.networks == averaged.steps_per_epoch
    assert row["test_loss"] == evaluate(averaged.network, averaged.task, averaged.data.test)[0]
    assert "average" not in plain.state()


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (SMALL, EMA),
        (SMALL, ("optimizer=looksam", *EMA, "optimizer.average_from=0.3")),
        (SMALL, (*EMA, "precision=bf16")),
        (SMALL, (*EMA, "precision=fp16", "epochs=3")),
        (SMALL, (*EMA, "model.freeze=backbone", "head_lr=0.2")),
        (SMALL, (*SWA, "head_lr=0.2", "layer_decay=0.5", "keep=best")),
        (NORMALISED, (*SWA, "optimizer.average_every=3", "evaluate.every=2")),
        (NORMALISED, ("optimizer=adamw", *EMA, "model.freeze=backbone", "epochs=3")),
        (NORMALISED, ("optimizer=mesa", *EMA, "epochs=3")),
    ],
)
def test_a_session_goes_on_from_any_epoch_bit_for_bit(
    text: str, changes: tuple[str, ...], config_of: MakeConfig, places: Places
) -> None:
    config = config_of(*changes, text=text)
    whole, states = Session(config, **places), []
    while not whole.finished:
        whole.train_epoch()
        states.append(copy.deepcopy(whole.state()))
    for state in states[:-1]:
        resumed = Session(config, **places)
        resumed.restore(state)
        assert same(resumed.state(), state)
        while not resumed.finished:
            resumed.train_epoch()
        assert rows(resumed) == rows(whole)
        assert same(resumed.state(), states[-1])
    assert not same(whole.network.state_dict(), whole.model.state_dict())


def test_a_language_model_goes_on(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    file = tmp_path / "text.txt"
    file.write_text("to be or not to be, that is the question. " * 40)
    config = config_of(*EMA, text=OF_TEXT.replace("PATH", str(file)))
    whole = trained(config, places)
    resumed = Session(config, **places)
    resumed.restore(trained(config, places, 1).state())
    while not resumed.finished:
        resumed.train_epoch()
    assert rows(resumed) == rows(whole)
    assert same(resumed.state(), whole.state())


def test_before_there_is_an_average_all_is_of_the_model(config_of: MakeConfig, places: Places) -> None:
    config, plain = config_of(*SWA, text=SMALL), trained(config_of(text=SMALL), places)
    session = trained(config, places, 1)
    assert session.network is session.model
    assert "average" not in session.state()
    assert rows(session) == rows(plain)[:1]
    while not session.finished:
        session.train_epoch()
    # epochs 2, 3 and 4 begin after 0.4 of four
    assert session.state()["average"]["networks"] == 3
    assert rows(session)[1] == rows(plain)[1]  # the average of one network
    assert rows(session)[2]["test_loss"] != rows(plain)[2]["test_loss"]
    assert [row["train_loss"] for row in rows(session)] == [row["train_loss"] for row in rows(plain)]


def test_swa_is_the_mean_of_the_weights_at_the_ends_of_epochs(config_of: MakeConfig, places: Places) -> None:
    """In single precision, whose rounding is 1e-7 of the largest weight."""
    session, kept = Session(config_of(*SWA, text=SMALL), **places), []
    while not session.finished:
        session.train_epoch()
        kept.append(copy.deepcopy(session.model.state_dict()))
    for name, tensor in session.network.named_parameters():
        torch.testing.assert_close(tensor, torch.stack([one[name] for one in kept[1:]]).mean(0), rtol=1e-6, atol=1e-7)


def test_batch_norm_has_the_statistics_of_the_average(config_of: MakeConfig, places: Places) -> None:
    """Those of the first layer, over the epoch's own batches: cropped, in its order and with its mixing."""
    session = trained(config_of(*EMA, "mixup=0.2", text=NORMALISED), places)
    net: Any = session.network
    before = copy.deepcopy(net.state_dict())
    seen: list[torch.Tensor] = []
    first = batch_norms(net)[0]
    handle = first.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    sizes = []
    with torch.no_grad():
        for inputs, _ in session.data.epoch(session.epoch, 16, session.config.seed, 0.2):
            net(inputs)
            sizes.append(len(inputs))
    handle.remove()
    shares = [size / sum(sizes) for size in sizes]
    mean = sum(share * x.mean((0, 2, 3)) for share, x in zip(shares, seen, strict=True))
    variance = sum(share * x.var((0, 2, 3)) for share, x in zip(shares, seen, strict=True))
    torch.testing.assert_close(first.running_mean, mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(first.running_var, variance, rtol=1e-5, atol=1e-6)
    assert same(net.state_dict(), before)
    own = batch_norms(session.model)[0]
    assert not torch.allclose(own.running_mean, mean, rtol=1e-2)  # type: ignore[arg-type]


def test_frozen_statistics_are_not_recomputed(config_of: MakeConfig, places: Places) -> None:
    session = trained(config_of(*EMA, "model.freeze=backbone", text=NORMALISED), places)
    norms = [one for one in session.network.modules() if isinstance(one, nn.BatchNorm2d)]
    assert batch_norms(session.network) == []
    assert all(torch.equal(norm.running_mean, torch.zeros_like(norm.running_mean)) for norm in norms)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        (SMALL.replace("{name: cnn, dropout: 0.3}", "{name: mlp, hidden: 8}"), "lambda-max-adam"),
        (NORMALISED, "grad-norm"),
    ],
)
def test_a_checkpoint_is_the_network_that_the_rows_tell_of(
    text: str, measure: str, config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    """Its sharpness too; one measure reads the optimizer's state."""
    measures = f"sharpness.measures=[one-step, {measure}]"
    changes = ("optimizer={name: sam, base: adam, lr: 0.01, average: ema}", measures, "keep=best")
    config, folder = config_of(*changes, text=text), RunFolder(tmp_path / "run")
    train_run(config, folder, **places)
    found = folder.read_metrics()
    best = folder.read_status()["best_epoch"]
    for file, epoch in ((folder.checkpoint, 4), (folder.best, best)):
        row, loaded = found[epoch - 1], load_trained(file, **places)
        assert loaded.epoch == epoch
        assert evaluate(loaded.model, loaded.data.task, loaded.data.test) == (row["test_loss"], row["test_accuracy"])
        again = measure_checkpoint(
            file,
            ["one-step", measure],
            examples=config.sharpness.examples,
            parameters={"rho": 0.05},
            **places,
        )
        assert again.values["one-step"].value == row["sharpness"]
        assert again.values[measure].value == pytest.approx(row[measure.replace("-", "_")], rel=1e-4)


def test_an_interrupted_run_ends_as_the_whole_one(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config = config_of(*EMA, "keep=best", text=SMALL)
    whole, parts = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "parts")
    train_run(config, whole, **places)

    def stop(row: EpochMetrics) -> None:
        if row["epoch"] in (1, 3):
            raise KeyboardInterrupt

    for _ in range(2):
        with pytest.raises(Interrupted):
            train_run(config, parts, on_epoch=stop, **places)
    assert train_run(config, parts, **places) == "finished"
    for name in ("checkpoint.pt", "best.pt"):
        first, second = (checkpoint.load(folder.path / name) for folder in (whole, parts))
        assert same(first, second)
    assert rows(whole) == rows(parts)


def test_a_checkpoint_of_another_average_is_put_aside(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config, folder, told = config_of(*EMA, text=SMALL), RunFolder(tmp_path / "run"), list[str]()
    folder.path.mkdir()
    state = trained(config, places, 1).state()
    state["average"]["networks"] += 1
    checkpoint.save(folder.checkpoint, state)
    assert session_of(config, folder, on_notice=told.append, **places).epoch == 0
    assert "the average is of 7 networks, not 6" in told[0]
    checkpoint.save(folder.checkpoint, {**state, "average": {"networks": 0, "goes_on_from": {}}})
    with pytest.raises(UnusableCheckpoint, match=r"has no sound value of average.networks: 0"):
        load_trained(folder.checkpoint, **places)


def test_a_run_begins_with_the_average_of_another(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "teacher")
    train_run(config_of(*EMA, text=SMALL), folder, **places)
    average = checkpoint.load(folder.checkpoint)["model"]
    session = Session(config_of(f"model.init={folder.path}", text=SMALL), **places)
    assert same(dict(session.model.state_dict()), dict(average))


def test_a_stage_goes_on_with_its_average(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    stage = "stages: [{optimizer: {name: sgd, lr: 0.1, average: ema}, epochs: 2}]\n"
    config = config_of("optimizer.lr=0.0", "epochs=1", text=stage + SMALL)
    folder = RunFolder(tmp_path / "a/run")
    assert train_run(config, folder, **places) == "finished"
    (before,) = stage_runs(config)
    first = trained(before, places)
    found = checkpoint.load(folder.checkpoint)["model"]
    assert all(torch.equal(found[name], p) for name, p in first.network.named_parameters())
    assert not all(torch.equal(found[name], p) for name, p in first.model.named_parameters())


def test_rehearsal_refuses_an_average_of_one_network(config_of: MakeConfig, places: Places) -> None:
    sound = config_of(*SWA, text=SMALL)
    rehearse([sound], places["data_dir"])
    short = config_of(*SWA, "epochs=1", text=SMALL)
    with pytest.raises(
        ConfigError, match=r"average: swa has 1 network to average in 1 epoch of 6 steps; begin earlier"
    ):
        rehearse([sound, short], places["data_dir"])
