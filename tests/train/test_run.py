"""A run and its folder: rows, resumption, divergence, interruption."""

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pandas
import pytest
import torch
from small_run import SMALL, TIMES, MakeConfig, Places

from samcli.errors import Interrupted, ResultsError, RunBusy, RunLost
from samcli.metrics import columns
from samcli.runs import EpochMetrics, checkpoint
from samcli.runs.folder import RunFolder
from samcli.runs.process import this_machine
from samcli.train import provenance, train_run


def same_weights(a: Path, b: Path) -> bool:
    first, second = checkpoint.load(a)["model"], checkpoint.load(b)["model"]
    return all(torch.equal(first[name], second[name]) for name in first)


def test_folder_of_a_finished_run(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config, folder = config_of(), RunFolder(tmp_path / "run")
    assert train_run(config, folder, **places) == "finished"
    rows = pandas.read_csv(folder.metrics)
    assert list(rows.columns) == columns("accuracy")
    assert list(rows["epoch"]) == [1, 2, 3, 4]
    assert rows.notna().all(axis=None)
    # 180 training examples after the hold-out, two passes each
    assert list(rows["gradient_evaluations"]) == [360, 720, 1080, 1440]
    assert set(rows["rho"]) == {0.1}
    assert set(rows["skipped_steps"]) == {0}
    assert rows["train_accuracy"].between(0, 1).all()
    # warm-up reaches the top at the end of the first of four epochs, the cosine ends near zero
    assert rows["learning_rate"].iloc[0] == pytest.approx(0.05)
    assert rows["learning_rate"].iloc[-1] < 0.001
    status = folder.read_status()
    assert status["status"] == "finished"
    assert status["epochs_done"] == 4
    assert status["seed"] == 0
    assert {"git", "versions", "hardware", "threads", "started", "ended", "identity", "parameters"} <= set(status)
    saved = torch.load(folder.checkpoint, weights_only=True)
    assert {"model", "optimizer", "random_state", "epoch", "config"} <= set(saved)


def test_plain_sgd_has_no_radius(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    train_run(config_of("optimizer=sgd", "epochs=1", "dataset.validation=0"), folder, **places)
    (row,) = folder.read_metrics()
    assert row["rho"] is None
    assert row["validation_loss"] is None
    assert row["gradient_evaluations"] == 200


def test_sharpness_is_measured_when_due(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    train_run(config_of("epochs=5", "sharpness.every=2"), folder, **places)
    measured = [row["sharpness"] is not None for row in folder.read_metrics()]
    assert measured == [False, True, False, True, True]
    never = RunFolder(tmp_path / "never")
    train_run(config_of("epochs=2", "sharpness.every=0"), never, **places)
    assert [row["sharpness_seconds"] for row in never.read_metrics()] == [None, None]


def test_measuring_sharpness_does_not_change_training(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    with_it, without = RunFolder(tmp_path / "with"), RunFolder(tmp_path / "without")
    train_run(config_of("epochs=2"), with_it, **places)
    train_run(config_of("epochs=2", "sharpness.every=0"), without, **places)
    assert same_weights(with_it.checkpoint, without.checkpoint)


@pytest.mark.parametrize("optimizer", ["sam", "adam"])
def test_interrupted_and_resumed_equals_uninterrupted(
    config_of: MakeConfig, places: Places, tmp_path: Path, optimizer: str
) -> None:
    config = config_of(f"optimizer={optimizer}")
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(config, whole, **places)

    def stop_after_two(row: EpochMetrics) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="the same command continues"):
        train_run(config, broken, on_epoch=stop_after_two, **places)
    assert broken.read_status()["status"] == "interrupted"
    assert broken.read_status()["epochs_done"] == 2
    torch.manual_seed(99)  # whatever happens to the global generator in between
    torch.rand(17)
    assert train_run(config, broken, **places) == "finished"
    a, b = (pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (whole, broken))
    pandas.testing.assert_frame_equal(a, b, check_exact=True)
    assert same_weights(whole.checkpoint, broken.checkpoint)


def test_a_kill_between_checkpoint_and_csv_loses_nothing(
    config_of: MakeConfig, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of()
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(config, whole, **places)
    write = RunFolder.write_metrics

    def killed(self: RunFolder, rows: list[EpochMetrics]) -> None:
        if len(rows) == 3:
            raise KeyboardInterrupt
        write(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_metrics", killed)
        with pytest.raises(Interrupted):
            train_run(config, broken, **places)
    assert len(broken.read_metrics()) == 2
    assert checkpoint.load(broken.checkpoint)["epoch"] == 3
    train_run(config, broken, **places)
    a, b = (pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (whole, broken))
    pandas.testing.assert_frame_equal(a, b, check_exact=True)


def test_same_seed_same_bits_and_other_seed_other_bits(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folders = [RunFolder(tmp_path / name) for name in "abc"]
    for folder, seed in zip(folders, (0, 0, 1), strict=True):
        train_run(config_of("epochs=1", f"seeds={seed}"), folder, **places)
    assert same_weights(folders[0].checkpoint, folders[1].checkpoint)
    assert not same_weights(folders[0].checkpoint, folders[2].checkpoint)


def test_divergence_is_recorded_with_the_finite_rows(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    text = """
dataset: diabetes
model: linear
epochs: 200
optimizer: {name: sgd, lr: 1.5, momentum: 0.9}
schedule: constant
"""
    folder = RunFolder(tmp_path / "run")
    assert train_run(config_of(text=text), folder, **places) == "diverged"
    status = folder.read_status()
    assert status["status"] == "diverged"
    assert "a smaller value of lr 1.5 may help" in status["error"]
    rows = pandas.read_csv(folder.metrics)
    assert 0 < len(rows) == status["epochs_done"] < 200
    assert rows["train_loss"].map(lambda loss: abs(loss) < float("inf")).all()
    json.loads(folder.run.read_text())


def test_regression_has_r2(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    text = "dataset: linear\nmodel: linear\nepochs: 30\nbatch_size: 64\noptimizer: {name: sgd, lr: 0.05, momentum: 0}"
    folder = RunFolder(tmp_path / "run")
    train_run(config_of(text=text), folder, **places)
    last = pandas.read_csv(folder.metrics).iloc[-1]
    # noise of 0.1 leaves a mean squared error of 0.01
    assert last["test_loss"] == pytest.approx(0.01, rel=0.3)
    assert last["test_r2"] > 0.99
    assert last["train_r2"] > 0.99


def test_failure_is_recorded_and_raised(
    config_of: MakeConfig, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "run")

    def explode(row: EpochMetrics) -> None:
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        train_run(config_of(), folder, on_epoch=explode, **places)
    assert folder.read_status()["status"] == "failed"
    assert folder.read_status()["error"] == "RuntimeError: out of luck"


def test_an_epoch_that_could_not_be_written_does_not_count(
    config_of: MakeConfig, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samcli.train import saver

    folder, written, write = RunFolder(tmp_path / "run"), [], saver.write_atomic

    def full(path: Path, content: Any) -> None:
        if len(written) == 1:
            raise ResultsError("No space left on device.")
        written.append(path)
        write(path, content)

    monkeypatch.setattr(saver, "write_atomic", full)
    with pytest.raises(ResultsError, match="No space"):
        train_run(config_of(), folder, **places)
    status = folder.read_status()
    assert (status["status"], status["epochs_done"]) == ("interrupted", 1)
    assert checkpoint.load(folder.checkpoint)["epoch"] == 1
    monkeypatch.undo()
    assert train_run(config_of(), folder, **places) == "finished"


STOP = """
dataset: {name: digits, train_examples: 200}
model: mlp
epochs: 40
batch_size: 32
schedule: constant
stop_at_train_loss: 0.5
sharpness: {every: 100, examples: 50}
optimizer: {name: sam, lr: 0.05, rho: 0.1}
"""


def test_a_run_ends_when_its_training_loss_is_reached(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    stopped, whole = RunFolder(tmp_path / "stopped"), RunFolder(tmp_path / "whole")
    assert train_run(config_of(text=STOP), stopped, **places) == "finished"
    rows = pandas.read_csv(stopped.metrics)
    assert 1 < len(rows) < 40
    assert rows["train_loss"].iloc[-1] <= 0.5
    assert (rows["train_loss"].iloc[:-1] > 0.5).all()
    # the last epoch is measured, whichever it is
    assert list(rows["sharpness"].notna()) == [False] * (len(rows) - 1) + [True]
    assert stopped.read_status()["epochs_done"] == len(rows)
    # up to there it is the run without the stop
    train_run(config_of("stop_at_train_loss=null", f"epochs={len(rows)}", text=STOP), whole, **places)
    assert same_weights(stopped.checkpoint, whole.checkpoint)


EVALUATED = ["validation_loss", "validation_accuracy", "test_loss", "test_accuracy"]


@pytest.mark.parametrize("text", [SMALL, STOP])
@pytest.mark.parametrize("every", [2, 3, 100])
def test_spaced_evaluation_changes_no_training(
    text: str, every: int, config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    always, spaced = RunFolder(tmp_path / "always"), RunFolder(tmp_path / "spaced")
    shorter = [] if text == STOP else ["epochs=5"]
    train_run(config_of("dataset.validation=0.2", *shorter, text=text), always, **places)
    train_run(config_of("dataset.validation=0.2", *shorter, f"evaluate.every={every}", text=text), spaced, **places)
    a, b = (pandas.read_csv(folder.metrics) for folder in (always, spaced))
    due = [epoch % every == 0 or epoch == len(a) for epoch in a["epoch"]]
    assert len(a) > 1
    assert a["eval_seconds"].notna().all()
    for column in (*EVALUATED, "eval_seconds"):
        assert list(b[column].notna()) == due  # empty where not evaluated: neither zero nor an earlier value
    pandas.testing.assert_frame_equal(a[due][EVALUATED], b[due][EVALUATED], check_exact=True)
    unspaced = [column for column in a if column not in (*TIMES, *EVALUATED)]
    pandas.testing.assert_frame_equal(a[unspaced], b[unspaced], check_exact=True)
    assert same_weights(always.checkpoint, spaced.checkpoint)


def test_spaced_evaluation_goes_on_after_an_interruption(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    config = config_of("epochs=5", "evaluate.every=2")
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(config, whole, **places)

    def stop_after_three(row: EpochMetrics) -> None:
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train_run(config, broken, on_epoch=stop_after_three, **places)
    assert train_run(config, broken, **places) == "finished"
    a, b = (pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (whole, broken))
    pandas.testing.assert_frame_equal(a, b, check_exact=True)


def test_a_stopped_run_is_not_trained_on(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    """Killed after its last epoch was saved and before its status was; or interrupted before that."""
    config, whole, broken = config_of(text=STOP), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(config, whole, **places)

    def stop_after_two(row: EpochMetrics) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        train_run(config, broken, on_epoch=stop_after_two, **places)
    for _ in range(2):
        assert train_run(config, broken, **places) == "finished"
        a, b = (pandas.read_csv(f.metrics).drop(columns=TIMES) for f in (whole, broken))
        pandas.testing.assert_frame_equal(a, b, check_exact=True)


def test_a_training_loss_out_of_reach_leaves_all_epochs(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert train_run(config_of("stop_at_train_loss=1e-9", "epochs=3", text=STOP), folder, **places) == "finished"
    assert len(folder.read_metrics()) == 3


def test_measures_on_request_have_columns_of_their_own(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    plain, more = RunFolder(tmp_path / "plain"), RunFolder(tmp_path / "more")
    train_run(config_of("epochs=3"), plain, **places)
    chosen = "sharpness.measures=[one-step,lambda-max,grad-norm,average-case]"
    train_run(config_of("epochs=3", "sharpness.every=2", chosen), more, **places)
    a, b = pandas.read_csv(plain.metrics), pandas.read_csv(more.metrics)
    assert list(b.columns) == [*a.columns, "lambda_max", "average_case", "average_case_stderr"]
    assert list(b["lambda_max"].notna()) == [False, True, True]
    assert (b["average_case_stderr"].dropna() > 0).all()
    # what is measured besides changes neither training nor the columns that are always there
    assert same_weights(plain.checkpoint, more.checkpoint)
    for name in ("sharpness", "grad_norm"):
        assert list(b[name])[1:] == list(a[name])[1:]


def wait_for_saved(folder: RunFolder, epochs: int) -> None:
    """Return when the saver's thread has written the files of an epoch, the last of which is the status."""
    while folder.read_status()["epochs_done"] < epochs:
        time.sleep(0.01)


def test_a_run_whose_folder_is_deleted_writes_nothing_more(
    config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")

    def delete(row: EpochMetrics) -> None:
        if row["epoch"] == 1:
            wait_for_saved(folder, epochs=1)
            shutil.rmtree(folder.path)

    with pytest.raises(RunLost, match="its folder was moved or deleted"):
        train_run(config_of(), folder, on_epoch=delete, **places)
    assert not folder.path.exists()
    assert train_run(config_of(), folder, **places) == "finished"


def test_a_run_taken_over_by_another_process_writes_nothing_more(
    config_of: MakeConfig, places: Places, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path / "run")

    def take(row: EpochMetrics) -> None:
        if row["epoch"] == 2:
            wait_for_saved(folder, epochs=2)
            (folder.path / ".owner.json").write_text('{"token": "theirs"}')

    with pytest.raises(RunLost, match="another process took it over"):
        train_run(config_of(), folder, on_epoch=take, **places)
    assert folder.read_status()["status"] == "running"
    assert len(folder.read_metrics()) == 2


def test_a_run_under_way_is_not_begun_a_second_time(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder, refused = RunFolder(tmp_path / "run"), []

    def again(row: EpochMetrics) -> None:
        with pytest.raises(RunBusy, match="is being trained by process") as caught:
            train_run(config_of(), folder, take_over=True, **places)
        refused.append(caught)

    assert train_run(config_of(), folder, on_epoch=again, **places) == "finished"
    assert len(refused) == 4


def test_files_that_killed_processes_left_are_removed(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.path.mkdir()
    dead, living = f"{this_machine()}-{2**40}", f"{this_machine()}-{os.getpid()}"
    names = {
        f".checkpoint.pt.{dead}-0123abcd.tmp": False,
        f".metrics.csv.{living}-0123abcd.tmp": True,
        ".metrics.csv.0123456789ab-1-0123abcd.tmp": True,  # of another machine, and young
        ".run.json.0123abcd.tmp": True,  # of an earlier version
        ".mine.tmp": True,
    }
    for name in names:
        (folder.path / name).touch()
    old = folder.path / ".config.yaml.0123abcd.tmp"
    old.touch()
    os.utime(old, times=(0.0, 0.0))
    train_run(config_of("epochs=1"), folder, **places)
    assert {name: (folder.path / name).exists() for name in names} == names
    assert not old.exists()


def test_what_a_run_was_continued_with_is_kept(
    config_of: MakeConfig, places: Places, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder(tmp_path / "run")

    def stop(row: EpochMetrics) -> None:
        raise KeyboardInterrupt

    before = provenance.versions()
    with monkeypatch.context() as patch:
        patch.setattr(provenance, "versions", lambda: before | {"torch": "2.0"})
        with pytest.raises(Interrupted):
            train_run(config_of(), folder, on_epoch=stop, **places)
    assert folder.read_status()["earlier"] == []
    train_run(config_of(), folder, **places)
    status = folder.read_status()
    assert status["earlier"] == [{"epochs_done": 1, "versions": before | {"torch": "2.0"}}]
    assert status["versions"] == before


def test_a_run_continues_with_the_threads_it_began_with(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    def stop(row: EpochMetrics) -> None:
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    config, folder, usual = config_of(), RunFolder(tmp_path / "run"), torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        with pytest.raises(Interrupted):
            train_run(config, folder, on_epoch=stop, **places)
        torch.set_num_threads(1)
        train_run(config, folder, **places)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(usual)
    status = folder.read_status()
    assert (status["threads"], status["earlier"]) == (3, [])
