"""The confusion matrix at the end of a run: the counts of scikit-learn, whatever became of the run on its way."""

from pathlib import Path

import pytest
import torch
from sklearn.metrics import confusion_matrix
from small_run import MakeConfig, Places

from samcli.errors import Interrupted
from samcli.runs import EpochMetrics, read_confusion
from samcli.runs.confusion import NAME
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.run import _Run
from samcli.train.trained import load_trained


@pytest.mark.parametrize("dataset", ["digits", "breast-cancer"])
def test_it_counts_as_scikit_learn_does(config_of: MakeConfig, places: Places, tmp_path: Path, dataset: str) -> None:
    text = f"{{dataset: {dataset}, model: linear, optimizer: sgd, epochs: 1, sharpness: {{every: 0}}}}"
    folder = RunFolder(tmp_path / "run")
    assert train_run(config_of(text=text), folder, **places) == "finished"
    found = read_confusion(folder.path)
    assert found is not None
    trained = load_trained(folder.path, data_dir=places["data_dir"], device=torch.device("cpu"))
    ((inputs, targets),) = trained.data.test.batches(10_000)
    with torch.no_grad():
        predicted = trained.data.task.predicted(trained.model.eval()(inputs))
    classes = range(trained.data.task.classes or 0)
    expected = confusion_matrix(targets.numpy(), predicted.numpy(), labels=list(classes))
    assert [list(row) for row in found.counts] == expected.tolist()
    assert found.names == trained.data.class_names
    assert found.accuracy == folder.read_metrics()[-1]["test_accuracy"]
    assert found.examples == len(trained.data.test)


@pytest.mark.parametrize("stopped_in", ["epoch", "the end"])
def test_a_run_that_was_interrupted_has_the_same_bytes(
    config_of: MakeConfig, places: Places, tmp_path: Path, stopped_in: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was stopped after its last epoch was saved, and before the matrix was written."""
    config, whole, broken = config_of(), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    train_run(config, whole, **places)

    def stop(row: EpochMetrics) -> None:
        if stopped_in == "epoch" and row["epoch"] == 2:
            raise KeyboardInterrupt

    def write(folder: Path, confusion: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        if stopped_in == "the end":
            patch.setattr("samcli.train.run.write_confusion", write)
        with pytest.raises(Interrupted):
            train_run(config, broken, on_epoch=stop, **places)
    assert not (broken.path / NAME).exists()
    assert len(broken.read_metrics()) == (2 if stopped_in == "epoch" else 4)
    assert train_run(config, broken, **places) == "finished"
    assert (broken.path / NAME).read_bytes() == (whole.path / NAME).read_bytes()


@pytest.mark.parametrize("why", ["regression", "classes", "diverged"])
def test_runs_without_one(
    config_of: MakeConfig, places: Places, tmp_path: Path, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data = RunFolder(tmp_path / "run"), "diabetes" if why == "regression" else "wine"
    text = f"{{dataset: {data}, model: linear, epochs: 1, optimizer: {{name: sgd, lr: 0.05}}, sharpness: {{every: 0}}}}"
    if why == "classes":
        monkeypatch.setattr("samcli.train.confusion.MOST_CLASSES", 2)
    if why == "diverged":
        monkeypatch.setattr(_Run, "_train_all", lambda self, *rest: "diverged")
        monkeypatch.setattr("samcli.train.run._explain_divergence", lambda session: "It was not finite.")
    assert train_run(config_of(text=text), folder, **places) == ("diverged" if why == "diverged" else "finished")
    assert not (folder.path / NAME).exists()
    assert read_confusion(folder.path) is None
