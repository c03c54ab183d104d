"""Runs that begin with the tensors of an earlier run or of a file, and runs of which a part is frozen."""

import shutil
from pathlib import Path

import pytest
import torch
from small_run import MakeConfig, Places
from torchvision import models

from samcli.config import RunConfig
from samcli.errors import CheckpointError, ConfigError
from samcli.launch import plan
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import train_run
from samcli.train.continuing import session_of
from samcli.train.initial import file_at_hand
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session
from samcli.train.trained import load_trained

TEACHER = "{name: t, dataset: digits, model: {name: mlp, hidden: 8}, optimizer: sgd, epochs: 1, sharpness: {every: 0}}"
STUDENT = TEACHER.replace("name: t", "name: s")


@pytest.fixture
def teacher(config_of: MakeConfig, places: Places, tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "teacher")
    train_run(config_of(text=TEACHER), folder, **places)
    return folder


def model_of(folder: RunFolder) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = checkpoint.load(folder.checkpoint)["model"]
    return found


def student(config_of: MakeConfig, init: Path, *more: str) -> RunConfig:
    return config_of(f"model.init={init}", *more, text=STUDENT)


@pytest.mark.parametrize("kind", ["run", "checkpoint", "renamed", "torch"])
def test_a_run_begins_with_the_tensors_of_another(
    config_of: MakeConfig, places: Places, teacher: RunFolder, tmp_path: Path, kind: str
) -> None:
    renamed, plain = tmp_path / "kept.pt", tmp_path / "plain.pth"
    shutil.copy(teacher.checkpoint, renamed)
    torch.save(model_of(teacher), plain)
    init = {"run": teacher.path, "checkpoint": teacher.checkpoint, "renamed": renamed, "torch": plain}[kind]
    session = Session(student(config_of, init), **places)
    state = session.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model_of(teacher).items())


def test_a_head_of_other_classes_is_drawn_by_the_seed(
    config_of: MakeConfig, places: Places, teacher: RunFolder, tmp_path: Path
) -> None:
    changed = ("dataset=wine",)
    torch.save({n: t for n, t in model_of(teacher).items() if n[0] != "1"}, tmp_path / "a.pth")
    with pytest.raises(ConfigError, match=r"lacks 1\.weight, 1\.bias\. Only the head may be another one\."):
        Session(student(config_of, tmp_path / "a.pth"), **places)
    with pytest.raises(ConfigError, match=r"of another shape is 1\.weight \(8x64 there, 8x13 here\)"):
        Session(student(config_of, teacher.path, *changed), **places)
    told: list[str] = []
    text = STUDENT.replace("dataset: digits", "dataset: {name: digits, train_examples: 50}")
    config = config_of(f"model.init={teacher.path}", "model.new_head=true", text=text)
    session = Session(config, **places)
    untouched = Session(config_of(text=text), **places)
    assert torch.equal(session.model.state_dict()["5.weight"], untouched.model.state_dict()["5.weight"])
    assert torch.equal(session.model.state_dict()["1.weight"], model_of(teacher)["1.weight"])
    folder = RunFolder(tmp_path / "student")
    train_run(config, folder, **places, on_notice=told.append)
    kept = folder.read_status()["init"]
    assert kept["file"] == str(teacher.checkpoint)
    assert (kept["taken"], kept["drawn"]) == (4, ["5.weight", "5.bias"])
    assert len(kept["digest"]) == 64
    assert told == [f"mlp begins with 4 tensors of {teacher.checkpoint}; drawn anew are 5.weight, 5.bias."]


def test_a_damaged_checkpoint_and_a_missing_file_are_sentences(
    config_of: MakeConfig, places: Places, teacher: RunFolder, tmp_path: Path
) -> None:
    data = bytearray(teacher.checkpoint.read_bytes())
    data[len(data) // 2] ^= 1
    teacher.checkpoint.write_bytes(data)
    for init, words in ((teacher.path, "is damaged"), (tmp_path / "none", "is missing")):
        with pytest.raises(CheckpointError, match=words):
            rehearse([student(config_of, init)], places["data_dir"])


def test_another_file_makes_it_a_changed_run(
    config_of: MakeConfig, places: Places, teacher: RunFolder, tmp_path: Path
) -> None:
    file = tmp_path / "a.pth"
    state = model_of(teacher)
    torch.save(state, file)
    config = student(config_of, file)
    folder = plan([config], tmp_path / "results")[0].folder
    train_run(config, folder, **places)
    assert plan([config], tmp_path / "results")[0].state == "finished"
    file.unlink()
    assert plan([config], tmp_path / "results")[0].state == "finished"  # nothing can be said
    torch.save({**state, "1.bias": state["1.bias"] + 1}, file)
    cell = plan([config], tmp_path / "results")[0]
    assert (cell.state, cell.detail) == ("changed", "another a.pth to begin with")


def test_a_continued_run_needs_its_file_no_more(
    config_of: MakeConfig, places: Places, teacher: RunFolder, tmp_path: Path
) -> None:
    config = student(config_of, teacher.path, "epochs=3")
    whole, stopped = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "stopped")
    train_run(config, whole, **places)
    session = Session(config, **places)
    session.train_epoch()
    checkpoint.save(stopped.checkpoint, session.state())
    shutil.rmtree(teacher.path)
    session = session_of(config, stopped, **places)
    while not session.finished:
        session.train_epoch()
    state = session.model.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in model_of(whole).items())


def test_the_path_is_absolute_and_no_option_changes_a_runs_identity(
    config_of: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert config_of("model.init=a.pth").model["init"] == str(tmp_path / "a.pth")
    assert config_of("model.freeze=none").identity == config_of().identity
    assert config_of("model.freeze=backbone").identity != config_of().identity


def test_only_the_rest_is_trained(config_of: MakeConfig, places: Places) -> None:
    session = Session(config_of("model.freeze=backbone"), **places)
    before = {name: tensor.clone() for name, tensor in session.model.state_dict().items()}
    session.train_epoch()
    changed = [name for name, tensor in session.model.state_dict().items() if not torch.equal(tensor, before[name])]
    head = changed[0].partition(".")[0]
    assert changed == [f"{head}.weight", f"{head}.bias"]
    assert sum(len(group["params"]) for group in session.optimizer.param_groups) == 2


def test_published_weights_bring_their_normalisation(config_of: MakeConfig, places: Places, tmp_path: Path) -> None:
    torch.manual_seed(5)
    theirs = models.resnet18(num_classes=1000)
    file = tmp_path / "resnet18-f37072fd.pth"
    torch.save(theirs.state_dict(), file)
    text = f"""{{name: p, dataset: {{name: digits, train_examples: 40}}, optimizer: sgd, epochs: 1,
        model: {{name: "torchvision:resnet18", weights: "{file}", freeze: backbone}}, sharpness: {{every: 0}}}}"""
    told: list[str] = []
    folder = RunFolder(tmp_path / "run")
    train_run(config_of(text=text), folder, **places, on_notice=told.append)
    assert told == [
        f"torchvision:resnet18 begins with 120 tensors of {file}; drawn anew are fc.weight, fc.bias.",
        f"{file} were trained on images of 3 channels, these have 1: the weights of the first convolution and the "
        "normalisation are fitted to that.",
        f"{file} were trained on images of 224x224 pixels, these have 8x8; a data set with the option size can have "
        "them so.",
    ]
    trained = load_trained(folder.path, data_dir=None, device=places["device"])
    assert trained.data.mean == pytest.approx((0.485 + 0.456 + 0.406) / 3)
    pixels = trained.data.test.inputs[:4]
    grey = ((pixels.permute(0, 3, 1, 2) / 255.0) - trained.data.mean) / trained.data.std
    theirs.fc = torch.nn.Identity()
    trained.model.fc = torch.nn.Identity()
    ours = trained.model.eval()(next(trained.data.test.batches(4))[0])
    torch.testing.assert_close(ours, theirs.eval()(grey.expand(4, 3, 8, 8)), rtol=1e-3, atol=1e-4)
    assert file_at_hand(trained.config) == file


def test_without_weights_the_training_part_is_what_counts(config_of: MakeConfig, places: Places) -> None:
    plain = Session(config_of(), **places)
    assert plain.data.mean != pytest.approx((0.485 + 0.456 + 0.406) / 3, rel=1e-3)
    assert plain.initial is None


@pytest.mark.parametrize(("columns", "fits"), [("[a, b]", True), ("[a, c]", False)])
def test_a_checkpoint_of_other_columns_is_refused(
    config_of: MakeConfig, places: Places, tmp_path: Path, columns: str, fits: bool
) -> None:
    """They are as many, so that every tensor fits."""
    table = tmp_path / "table.csv"
    table.write_text(
        "\n".join(["a,b,c,y", *(f"{n}.5,{n * n % 11}.25,{n % 7}.5,{'no' if n % 3 else 'yes'}" for n in range(40))])
    )
    text = TEACHER.replace("digits", f"{{name: 'csv:{table}', target: y, columns: [a, b]}}")
    train_run(config_of(text=text), RunFolder(tmp_path / "teacher"), **places)
    other = config_of(f"model.init={tmp_path / 'teacher'}", f"dataset.columns={columns}", text=text)
    if fits:
        rehearse([other], Path())
        assert Session(other, **places).initial
        return
    with pytest.raises(
        ConfigError, match="mean something else: column 2 is 'b' there and 'c' here; give both the same"
    ):
        rehearse([other], Path())
