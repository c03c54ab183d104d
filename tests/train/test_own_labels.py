"""Labels that a network gives to the examples that it goes on with."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from samcli.config import Draft, RunConfig, parse, stage_runs
from samcli.data import DATASETS, load
from samcli.errors import ConfigError, Interrupted
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE, train_run
from samcli.train.own_labels import OwnLabels, own_labels
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session
from samcli.train.stages import stage_folder
from samcli.train.trained import load_trained

TEXT = """
stages:
  - {dataset: {name: digits, train_examples: 300, examples_from: 0}, epochs: 2}
  - repeat: 3
    step: {dataset.rotate: 5, dataset.examples_from: 80}
    dataset: {name: digits, train_examples: 80, examples_from: 300, rotate: [0, 5], rotate_test: [15, 20]}
    labels: own
    drop: 0.25
dataset: {name: digits, train_examples: 80, examples_from: 540, rotate: [15, 20], validation: 0.1, augment: [flip]}
model: {name: mlp, hidden: 32}
labels: own
optimizer: {name: adam, lr: 0.01}
batch_size: 32
epochs: 2
sharpness: {every: 1, measures: [one-step], examples: 64}
"""
CPU = torch.device("cpu")


def config(text: str = TEXT) -> RunConfig:
    (run,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return run


def train(run: RunConfig, folder: Path, **options: object) -> str:
    return train_run(run, RunFolder(folder), data_dir=Path(), device=CPU, **options)  # type: ignore[arg-type]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = checkpoint.load(folder / "checkpoint.pt")["model"]
    return found


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Told(nn.Module):
    """Gives the outputs that it was made with, in the order of the examples."""

    def __init__(self, outputs: torch.Tensor) -> None:
        super().__init__()
        self._outputs, self._seen = outputs, 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self._seen += len(x)
        return self._outputs[self._seen - len(x) : self._seen]


@pytest.mark.parametrize("drop", [0.0, 0.1, 0.5, 0.99])
def test_it_keeps_the_most_confident_as_a_plain_twin_does(drop: float) -> None:
    data = load(DATASETS.create("digits"), seed=0, data_dir=Path(), device="cpu")
    outputs = torch.randn(len(data.train), 10, generator=torch.Generator().manual_seed(1))
    found = own_labels(Told(outputs), data, drop)
    logits = outputs.double().numpy()
    odds = np.exp(logits - logits.max(1, keepdims=True))
    sure = (odds / odds.sum(1, keepdims=True)).max(1)
    most = len(sure) - round(drop * len(sure))
    kept = sorted(sorted(range(len(sure)), key=lambda i: (-sure[i], i))[:most])
    assert found.kept.tolist() == kept
    assert found.labels.tolist() == logits.argmax(1)[kept].tolist()
    assert found.accuracy == np.mean(logits.argmax(1)[kept] == data.train.targets.numpy()[kept])
    assert found.share == most / len(sure)
    left = set(range(len(sure))) - set(kept)
    assert not left or max(sure[list(left)]) <= min(sure[kept])


def test_of_equally_sure_examples_the_first_are_kept() -> None:
    data = load(DATASETS.create("breast-cancer"), seed=0, data_dir=Path(), device="cpu")
    found = own_labels(Told(torch.full((len(data.train), 1), 3.0)), data, 0.5)
    assert found.kept.tolist() == list(range(len(found.kept)))
    assert set(found.labels.tolist()) == {1}


def test_no_true_label_enters_the_training() -> None:
    """With all labels of the data set changed, nothing but the column of their accuracy does."""
    run = config()
    first = Session(stage_runs(run)[0], data_dir=Path(), device=CPU)
    first.train_epoch()
    rows, states = [], []
    for spoil in (False, True):
        session = Session(stage_runs(run)[1], data_dir=Path(), device=CPU)
        if spoil:
            part = session.data.train
            session.data.train = dataclasses.replace(part, targets=(part.targets + 1) % 10)
        session.go_on_from(first.state())
        rows.append(session.train_epoch())
        states.append(session.model.state_dict())
    assert same(*states)
    assert rows[0]["train_loss"] == rows[1]["train_loss"]
    assert rows[0]["pseudo_label_accuracy"] != rows[1]["pseudo_label_accuracy"]


def test_it_is_the_trainings_done_by_hand(tmp_path: Path) -> None:
    """Each with a data set that has the labels which the network before gave it, and no others."""
    run = config()
    assert train(run, tmp_path / "a/run") == "finished"
    trainings = [*stage_runs(run), run]
    assert [one.dataset["rotate"] for one in trainings] == [(), (0, 5), (5, 10), (10, 15), (15, 20)]
    assert [one.training.drop for one in trainings[1:]] == [0.25, 0.25, 0.25, 0.1]
    before = None
    told = []
    for one in trainings:
        session = Session(one, data_dir=Path(), device=CPU)
        if before is not None:
            session.model.load_state_dict(before.model.state_dict())
            teacher = session.model.eval()
            inputs = torch.cat([x for x, _ in session.data.train.batches(1000)])
            with torch.no_grad():
                sure, labels = teacher(inputs).double().softmax(1).max(1)
            n = len(inputs)
            kept = sure.argsort(descending=True, stable=True)[: n - round(one.training.drop * n)].sort().values
            told.append(float((labels[kept] == session.data.train.targets[kept]).double().mean()))
            session.own = OwnLabels(kept, labels[kept], told[-1], len(kept) / n)
            session.data = session.data.relabelled(kept, labels[kept])
            session.steps_per_epoch = session.data.steps(one.training.batch_size)
        while not session.finished:
            session.train_epoch()
        before = session
    assert before is not None
    assert same(weights(tmp_path / "a/run"), before.model.state_dict())
    lines = (tmp_path / "a/run/stages.csv").read_text().splitlines()
    names = lines[0].split(",")
    at = names.index("pseudo_label_accuracy")
    assert [float(line.split(",")[at]) for line in lines[2:]] == told
    assert lines[1].split(",")[at] == ""
    rows = before.rows
    assert float(lines[-1].split(",")[names.index("test_accuracy")]) == rows[-1]["test_accuracy"]
    assert {row["pseudo_label_accuracy"] for row in RunFolder(tmp_path / "a/run").read_metrics()} == {told[-1]}
    status = RunFolder(tmp_path / "a/run").read_status()
    assert [one["epochs"] for one in status["stages"]] == [2, 2, 2, 2]


@pytest.mark.parametrize("epoch", range(10))
def test_interrupted_anywhere_it_is_the_same_run(tmp_path: Path, epoch: int) -> None:
    run = config()
    train(run, tmp_path / "a/run")
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > epoch

    with pytest.raises(Interrupted):
        train(run, tmp_path / "b/run", should_stop=should_stop)
    if epoch == 9:  # the run itself is under way, and has its labels in its checkpoint
        shutil.rmtree(tmp_path / "b/.stages")
    assert train(run, tmp_path / "b/run") == "finished"
    assert same(weights(tmp_path / "a/run"), weights(tmp_path / "b/run"))
    assert (tmp_path / "a/run/stages.csv").read_text() == (tmp_path / "b/run/stages.csv").read_text()


def test_a_checkpoint_with_other_labels_is_put_aside_and_the_run_begins_behind_its_stages(tmp_path: Path) -> None:
    run = config()
    train(run, tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    kept = weights(folder.path)
    state = dict(checkpoint.load(folder.checkpoint))
    for spoil in ({"kept": torch.tensor([0, 500])}, {"labels": torch.tensor([0, 10])}, {"share": "all"}, None):
        own = {"kept": torch.tensor([0, 1]), "labels": torch.tensor([0, 1]), "accuracy": 0.5, "share": 0.5}
        spoilt = {
            **state,
            "own_labels": None if spoil is None else {**own, **spoil},
            "epoch": 1,
            "rows": state["rows"][:1],
        }
        checkpoint.save(folder.checkpoint, spoilt)
        folder.write_status({**folder.read_status(), "status": "interrupted", "epochs_done": 1})
        told: list[str] = []
        assert train(run, tmp_path / "run", on_notice=told.append) == "finished"
        assert "begins anew" in told[0]
        assert same(weights(folder.path), kept)


def test_a_damaged_checkpoint_of_a_staged_run_costs_no_stage(tmp_path: Path) -> None:
    """Labels of the data set or not: what begins anew begins where the stages ended, not with drawn weights."""
    run = config(TEXT.replace("labels: own", "labels: given").replace("drop: 0.25", "drop: 0.1"))
    train(run, tmp_path / "run")
    kept = weights(tmp_path / "run")
    RunFolder(tmp_path / "run").checkpoint.write_bytes(b"torn")
    status = RunFolder(tmp_path / "run").read_status()
    RunFolder(tmp_path / "run").write_status({**status, "status": "interrupted", "epochs_done": 1})
    assert train(run, tmp_path / "run") == "finished"
    assert same(weights(tmp_path / "run"), kept)


def test_a_checkpoint_is_judged_on_what_it_was_trained_on(tmp_path: Path) -> None:
    run = config()
    train(run, tmp_path / "run")
    trained = load_trained(tmp_path / "run", data_dir=Path(), device=CPU)
    own = checkpoint.load(tmp_path / "run/checkpoint.pt")["own_labels"]
    assert torch.equal(trained.data.train.targets, own["labels"])
    assert len(trained.data.train) == len(own["kept"]) == 72 - round(0.1 * 72)


def test_runs_share_the_windows_that_they_have_in_common(tmp_path: Path) -> None:
    one, longer = config(), config(TEXT.replace("repeat: 3", "repeat: 4"))
    train(one, tmp_path / "one")
    told: list[str] = []
    train(longer, tmp_path / "longer", on_notice=told.append)
    assert told == ["stage 5: adam on own labels of digits, 2 epochs."]


def test_augmentation_goes_on_with_the_kept_images() -> None:
    data = load(DATASETS.create("digits", augment=("crop", "flip")), seed=0, data_dir=Path(), device="cpu")
    kept = torch.arange(0, len(data.train), 3)
    some = data.relabelled(kept, data.train.targets[kept])
    assert torch.equal(some.train.inputs, data.train.inputs[kept])
    inputs = torch.cat([x for x, _ in some.epoch(1, 64, 0)])
    assert len(inputs) == len(kept)
    assert some.train.normalisation is data.train.normalisation


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("stages:\n  - {dataset", "stages:\n  - {labels: own, dataset"), "no stage comes before"),
        (("labels: own\noptimizer", "labels: own\nkeep: best\noptimizer"), "keep: best chooses by the labels"),
        (
            ("labels: own\noptimizer", "labels: own\nclass_weight: balanced\noptimizer"),
            "class_weight counts the labels",
        ),
        (("validation: 0.1", "label_noise: 0.1"), "label_noise spoils the labels of the data set"),
        (
            ("sharpness:", "evaluate: {metrics: [right-labels]}\nsharpness:"),
            "wrong-labels and right-labels are of label noise; leave them out of evaluate.metrics",
        ),
        (("hidden: 32", "hidden: 32, new_head: true"), "new_head draws a head that has predicted nothing"),
        (("labels: own\noptimizer", "drop: 0.2\noptimizer"), "drop leaves out examples of labels: own"),
        (("drop: 0.25", "drop: 1.0"), "drop must be a number"),
        (("labels: own\noptimizer", "labels: mine\noptimizer"), "labels must be"),
        (("repeat: 3", "repeat: 0"), "repeat must be how often the stage is trained, from 1 to 1000"),
        (("  - repeat: 3\n    ", "  - "), "step says what is added at each repetition; set repeat as well"),
        (("dataset.rotate: 5,", "dataset.rotat: 5,"), "the stage has no number 'dataset.rotat' to add 5 to"),
        (("dataset.rotate: 5,", "dataset.rotate: five,"), "step must name numbers to add"),
        (("dataset.rotate: 5,", "dataset.rotate: 300,"), "rotate must be a list"),
        (("dataset.examples_from: 80", "dataset.examples_from: 0.5"), "examples_from must be"),
    ],
)
def test_what_makes_no_sense_is_told(change: tuple[str, str], words: str) -> None:
    text = TEXT.replace(*change)
    assert text != TEXT
    with pytest.raises(ConfigError, match=words):
        config(text)


@pytest.mark.parametrize(
    ("stage", "last", "words"),
    [
        (
            "{name: digits, classes: [0, 1, 2]}",
            "{name: digits, classes: [3, 4, 5]}",
            "needs a network of the same classes",
        ),
        ("diabetes", "diabetes", "the regression here has none; leave labels out"),
        ("{name: digits, examples_from: 1400, train_examples: 80}", "digits", "1400 is too far"),
    ],
)
def test_what_only_the_data_tell_is_told_before_training(stage: str, last: str, words: str) -> None:
    text = f"{{stages: [{{dataset: {stage}}}], dataset: {last}, model: mlp, optimizer: sgd, labels: own, epochs: 1}}"
    with pytest.raises(ConfigError, match=words):
        rehearse([config(text)], Path())


def test_the_source_alone_is_the_stage(tmp_path: Path) -> None:
    """A run on the source tested at the target is the network that the other begins with, bit for bit."""
    run = config(TEXT.replace("examples_from: 0}", "examples_from: 0, rotate_test: [15, 20]}"))
    train(run, tmp_path / "x/run")
    stage = stage_runs(run)[0]
    alone = dataclasses.replace(stage, name="direct")
    train(alone, tmp_path / "y/run")
    folder = stage_folder(stage, tmp_path / "x/run", Path())
    assert same(weights(folder.path), weights(tmp_path / "y/run"))
    told = json.loads((tmp_path / "x/run/run.json").read_text())["stages"][0]
    line = (tmp_path / "y/run/metrics.csv").read_text().splitlines()[-1].split(",")
    assert str(told["test_accuracy"]) in line


AVERAGED = TEXT.replace("lr: 0.01}", "lr: 0.01, average: ema, average_decay: 0.9}")


@pytest.mark.parametrize(("average", "networks"), [("ema, average_decay: 0.9", 2 * 2), ("swa, average_from: 0", 2)])
def test_an_average_counts_the_steps_of_what_is_trained_on(tmp_path: Path, average: str, networks: int) -> None:
    """80 images, of which three quarters are kept, are two batches of 32; all would be three, and an epoch not over."""
    run = config(TEXT.replace("lr: 0.01}", f"lr: 0.01, average: {average}}}"))
    assert train(run, tmp_path / "run") == "finished"
    for stage in stage_runs(run)[1:]:
        content = checkpoint.load(stage_folder(stage, tmp_path / "run", Path()).checkpoint)
        assert (len(content["own_labels"]["kept"]), content["average"]["networks"]) == (60, networks)


def test_labels_are_those_of_the_average(tmp_path: Path) -> None:
    """Of the network that the rows of the stage tell of, and not of the one that was under training."""
    run = config(AVERAGED.replace("lr: 0.01", "lr: 0.1"))
    train(run, tmp_path / "run")
    first, second = stage_runs(run)[:2]
    content = checkpoint.load(stage_folder(first, tmp_path / "run", Path()).checkpoint)
    data = Session(second, data_dir=Path(), device=CPU).data
    found = {}
    for name, tensors in (("average", content["model"]), ("trained", content["average"]["goes_on_from"])):
        model = Session(second, data_dir=Path(), device=CPU).model
        model.load_state_dict(tensors)
        found[name] = own_labels(model, data, second.training.drop)
    own = checkpoint.load(stage_folder(second, tmp_path / "run", Path()).checkpoint)["own_labels"]
    assert torch.equal(own["kept"], found["average"].kept)
    assert torch.equal(own["labels"], found["average"].labels)
    trained = found["trained"]
    assert not (torch.equal(own["kept"], trained.kept) and torch.equal(own["labels"], trained.labels))


@pytest.mark.parametrize("epoch", [3, 9])
def test_an_average_of_its_own_labels_goes_on_as_if_never_interrupted(tmp_path: Path, epoch: int) -> None:
    run = config(AVERAGED)
    train(run, tmp_path / "a/run")
    asked = 0

    def should_stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > epoch

    with pytest.raises(Interrupted):
        train(run, tmp_path / "b/run", should_stop=should_stop)
    assert train(run, tmp_path / "b/run") == "finished"
    assert same(weights(tmp_path / "a/run"), weights(tmp_path / "b/run"))


def test_an_average_of_too_few_is_told_by_what_is_kept() -> None:
    """Every second of two steps is one network, of three it would be one more."""
    text = TEXT.replace("lr: 0.01}", "lr: 0.01, average: ema, average_every: 2}").replace("validation: 0.1, ", "")
    rehearse([config(text)], Path())
    with pytest.raises(ConfigError, match="has 1 network to average"):
        rehearse([config(text.replace("drop: 0.25", "drop: 0.65"))], Path())


def test_rounds_of_clients_begin_with_a_network_of_own_labels(tmp_path: Path) -> None:
    """The stage has them, in one place; the clients have the labels of the data set."""
    own = "dataset: {name: digits, train_examples: 200}"
    text = f"""
stages: [{{{own}}}, {{{own}, labels: own}}]
{own}
model: {{name: mlp, hidden: 16}}
optimizer: {{name: sgd, lr: 0.1}}
epochs: 1
batch_size: 32
sharpness: {{every: 0}}
federated: {{clients: 4, alpha: 1.0}}
"""
    run = config(text)
    rehearse([run], Path())
    assert train(run, tmp_path / "run") == "finished"
    (row,) = RunFolder(tmp_path / "run").read_metrics()
    assert "pseudo_label_accuracy" not in row
    last = stage_folder(stage_runs(run)[-1], tmp_path / "run", Path())
    assert len(checkpoint.load(last.checkpoint)["own_labels"]["kept"]) == 180


def test_stages_that_an_earlier_version_trained_keep_their_lines(tmp_path: Path) -> None:
    """Its run.json did not tell how they ended: their lines are empty, and no other training takes their numbers."""
    run = config()
    train(run, tmp_path / "run")
    lines = (tmp_path / "run/stages.csv").read_text().splitlines()
    folder = stage_folder(stage_runs(run)[-1], tmp_path / "run", Path())
    status = folder.read_status()
    del status["stages"]
    folder.write_status(status)
    shutil.rmtree(tmp_path / "run")
    train(run, tmp_path / "run")
    found = (tmp_path / "run/stages.csv").read_text().splitlines()
    assert found[0] == lines[0]
    assert [line.strip(",") for line in found[1:4]] == ["1", "2", "3"]
    assert found[4:] == lines[4:]
