"""What an epoch computes, against a plain loop."""

import copy
import itertools
import time
from pathlib import Path

import pytest
import torch
from small_run import MakeConfig, Places

from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.evaluation import evaluate
from samcli.train.session import Session

PLAIN = """
dataset: {name: digits, train_examples: 150}
model: cnn
epochs: 2
batch_size: 64
schedule: constant
sharpness: {every: 0}
optimizer: {name: sgd, lr: 0.05, momentum: 0.9}
"""


def test_epoch_equals_a_plain_loop(config_of: MakeConfig, places: Places) -> None:
    """Same batches, torch's own SGD without fusing, sums on the host: equal up to the rounding of two kernels."""
    config = config_of(text=PLAIN)
    session, twin = Session(config, **places), Session(config, **places)
    optimizer = torch.optim.SGD(twin.model.parameters(), lr=0.05, momentum=0.9, foreach=False)
    row = session.train_epoch()
    twin.model.train()
    loss_sum, right = 0.0, 0
    for x, y in twin.data.epoch(1, 64, config.seed):
        optimizer.zero_grad()
        output = twin.model(x)
        loss = torch.nn.functional.cross_entropy(output, y)
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(x)
        right += (output.argmax(1) == y).sum().item()
    assert row["train_loss"] == pytest.approx(loss_sum / 150, rel=1e-5)
    assert row["train_accuracy"] == pytest.approx(right / 150)
    for a, b in zip(session.model.parameters(), twin.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)
    twin.model.eval()
    with torch.no_grad():
        (x, y), *rest = twin.data.test.batches(10_000)
        assert not rest
        accuracy = (twin.model(x).argmax(1) == y).float().mean().item()
    assert row["test_accuracy"] == pytest.approx(accuracy)


def test_cpu_seconds_are_what_the_epoch_took_of_the_processor(config_of: MakeConfig, places: Places) -> None:
    """Between nothing and all that the process took around it; a sleep beside it takes none."""
    session = Session(config_of(text=PLAIN), **places)
    before = time.process_time()
    row = session.train_epoch()
    cpu_seconds = row["cpu_seconds"]
    assert cpu_seconds is not None
    assert 0.0 < cpu_seconds < time.process_time() - before


def test_initial_weights_do_not_depend_on_the_optimizer(config_of: MakeConfig, places: Places) -> None:
    a = Session(config_of(text=PLAIN), **places)
    b = Session(config_of("optimizer=asam", text=PLAIN), **places)
    for x, y in zip(a.model.parameters(), b.model.parameters(), strict=True):
        assert torch.equal(x, y)


def test_radius_follows_its_schedule(config_of: MakeConfig, places: Places) -> None:
    text = PLAIN.replace("name: sgd, lr: 0.05, momentum: 0.9", "name: sam, rho: 0.4").replace("epochs: 2", "epochs: 8")
    changes = ("optimizer.start_epoch=2", "optimizer.rho_warmup_epochs=2", "optimizer.end_epoch=6")
    session = Session(config_of(*changes, text=text), **places)
    rows = [session.train_epoch() for _ in range(8)]
    # two epochs alone, two to warm up (the row has the last step of each), two at full radius, two alone
    assert [row["rho"] for row in rows] == pytest.approx([0, 0, 0.2, 0.4, 0.4, 0.4, 0, 0])
    passes = [150, 150, 300, 300, 300, 300, 150, 150]
    assert [row["gradient_evaluations"] for row in rows] == list(itertools.accumulate(passes))


def test_training_accuracy_with_micro_batches_is_that_of_the_first_passes(
    config_of: MakeConfig, places: Places
) -> None:
    text = PLAIN.replace("name: sgd, lr: 0.05, momentum: 0.9", "name: sam, rho: 0.1, lr: 0.0")
    whole, parts = (Session(config_of(f"optimizer.m={m}", text=text), **places) for m in ("null", 20))
    a, b = whole.train_epoch(), parts.train_epoch()
    assert a["train_accuracy"] == b["train_accuracy"]
    assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-6)
    assert b["gradient_evaluations"] == 300


def test_accumulation_changes_only_the_rounding(config_of: MakeConfig, places: Places) -> None:
    text = PLAIN.replace("name: sgd, lr: 0.05, momentum: 0.9", "name: sam, rho: 0.1, lr: 0.05")
    whole, pieces = (Session(config_of(f"accumulate={n}", text=text), **places) for n in (1, 3))
    a, b = whole.train_epoch(), pieces.train_epoch()
    assert a["train_loss"] == pytest.approx(b["train_loss"], rel=1e-5)
    assert a["gradient_evaluations"] == b["gradient_evaluations"]
    for x, y in zip(whole.model.parameters(), pieces.model.parameters(), strict=True):
        torch.testing.assert_close(x, y, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "sam", "adamw"])
@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_mixed_precision_learns_and_resumes(
    config_of: MakeConfig, places: Places, optimizer: str, precision: str
) -> None:
    rate = 0.01 if optimizer == "adamw" else 0.05
    plain = (f"optimizer={optimizer}", f"optimizer.lr={rate}", "batch_size=16", "epochs=4", "clip_norm=1.0")
    changes = (*plain, f"precision={precision}")
    whole = Session(config_of(*changes, text=PLAIN), **places)
    rows = [whole.train_epoch() for _ in range(2)]
    state = copy.deepcopy(whole.state())
    rows += [whole.train_epoch() for _ in range(2)]
    assert rows[-1]["train_loss"] < 0.9 * rows[0]["train_loss"]
    assert all(p.dtype == torch.float32 for p in whole.model.parameters())
    resumed = Session(config_of(*changes, text=PLAIN), **places)
    resumed.restore(state)
    for _ in range(2):
        resumed.train_epoch()
    for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)
    exact = Session(config_of(*plain, text=PLAIN), **places)
    # 8 bits of mantissa: a few per cent in the first epoch; later ones drift apart as any two runs do
    reference = exact.train_epoch()["train_loss"]
    assert rows[0]["train_loss"] == pytest.approx(reference, rel=0.05)
    assert rows[0]["train_loss"] != reference


def test_a_cheaper_ascent_is_counted_and_scored_by_what_it_saw(config_of: MakeConfig, places: Places) -> None:
    text = PLAIN.replace("name: sgd, lr: 0.05, momentum: 0.9", "name: sam, rho: 0.1, lr: 0.05")
    changes = ("optimizer.ascent_fraction=0.25", "batch_size=15", "epochs=3")
    session = Session(config_of(*changes, text=text), **places)
    rows = [session.train_epoch() for _ in range(3)]
    assert len(session.data.train) == 150
    assert rows[0]["gradient_evaluations"] == 10 * (4 + 15)
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    # near the loss of all training examples, which the next epoch begins with
    loss, _ = evaluate(session.model, session.task, session.data.train)
    assert rows[-1]["train_loss"] == pytest.approx(loss, rel=0.5)


N_SAM = """
dataset: {name: digits, train_examples: 100, augment: [crop]}
model: {name: mlp, hidden: 8, norm: batch}
epochs: 2
batch_size: 20
sharpness: {every: 0}
optimizer: {name: n-sam, lr: 0.1, rho: 0.1}
"""


def test_a_run_hands_its_training_set_to_n_sam(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    session = Session(config_of(text=N_SAM), **places)
    row = session.train_epoch()
    assert row["gradient_evaluations"] == 5 * (20 + 100 + 20)
    single = Session(config_of("dataset.train_examples=101", text=N_SAM), **places)  # on which BatchNorm cannot train
    assert [len(inputs) for inputs, _ in single._training_set()] == [20, 20, 20, 20, 21]
    assert single.train_epoch()["gradient_evaluations"] == 5 * (20 + 101 + 20)
    folder = RunFolder(tmp_path / "run")
    assert train_run(config_of("optimizer.every=2", text=N_SAM), folder, **places) == "finished"
    assert checkpoint.load(folder.checkpoint)["gradient_evaluations"] == 2 * 5 * 40 + 5 * 100
