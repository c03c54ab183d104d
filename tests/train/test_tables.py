"""Runs on a table of one's own, with numbers, categories and missing values."""

import random
from pathlib import Path

import pytest
import torch

from samcli.config import Draft, RunConfig, parse
from samcli.data.table_file import read_table
from samcli.data.tables import inputs_of
from samcli.optim import VARIANTS
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE, train_run
from samcli.train.components import scored_by
from samcli.train.session import Session
from samcli.train.soundness import model_faults

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A class and a number that depend on a category and a number."""
    draw = random.Random(0)
    lines = ["age;city;weight;cost;band"]
    for i in range(60):
        city, age = draw.choice(["Bonn", "Rome", "Oslo"]), draw.randint(20, 60)
        cost = age + 30 * (city == "Rome") + 0.25
        band = "low" if cost < 45 else "mid" if cost < 60 else "high"
        weight = "" if i % 10 == 0 else f"{draw.uniform(50, 90):.1f}".replace(".", ",")
        lines.append(f"{age};{city};{weight};{cost:.2f}".replace(".", ",") + f";{band}")
    path = tmp_path_factory.mktemp("table") / "small.csv"
    path.write_text("\n".join(lines))
    return path


def config(table: Path, text: str, dataset: str = "") -> RunConfig:
    text = f"{{dataset: {{name: 'csv:{table}'{dataset}}}, batch_size: 16, {text}}}"
    (found,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return found


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_variant_trains_a_table_with_categories(table: Path, name: str) -> None:
    """The training loss falls, of classes from categories."""
    model = "{name: mlp, norm: batch}"  # one of them climbs in normalisation layers alone
    run = config(table, f"optimizer: {{name: {name}, lr: 0.05}}, model: {model}, epochs: 8", ", drop: [cost]")
    session = Session(run, data_dir=table.parent, device=CPU)
    assert session.data.shape.categories == (0, 4, 0, 0)
    while not session.finished:
        row = session.train_epoch()
    assert row["train_loss"] < 0.97 * session.rows[0]["train_loss"]


@pytest.mark.parametrize("model", ["linear", "mlp", "{name: mlp, norm: batch}", "resnet-tabular",
                                   "{name: ft-transformer, dim: 16, depth: 1}"])  # fmt: skip
def test_every_model_of_tables_learns_a_number(table: Path, model: str) -> None:
    run = config(
        table, f"model: {model}, optimizer: {{name: adam, lr: 0.02}}, epochs: 30", ", target: cost, drop: [band]"
    )
    session = Session(run, data_dir=table.parent, device=CPU)
    while not session.finished:
        row = session.train_epoch()
    assert row["test_r2"] is not None
    assert row["test_r2"] > 0.5


def test_a_checkpoint_knows_what_new_rows_need(table: Path, tmp_path: Path) -> None:
    """With nothing but the checkpoint and a file, the network gives what it gave in training."""
    run = config(table, "model: mlp, optimizer: sgd, epochs: 1", ", drop: [cost]")
    assert train_run(run, RunFolder(tmp_path / "run"), data_dir=tmp_path, device=CPU) == "finished"
    held = checkpoint.load(tmp_path / "run/checkpoint.pt")["data"]
    assert held["class_names"] == ["high", "low", "mid"]
    session = Session(run, data_dir=tmp_path, device=CPU)
    rows = inputs_of(read_table(table).frame, held["reading"])
    inputs = (rows - held["mean"]) / held["std"]
    known = torch.cat([session.data.train.inputs, session.data.test.inputs])
    assert sorted(map(tuple, inputs.tolist())) == sorted(map(tuple, known.tolist()))


def test_whether_numbers_are_predicted_is_told_by_the_data(table: Path) -> None:
    optimizer = "optimizer: sgd"
    said = [scored_by(config(table, optimizer, extra), Path()) for extra in ("", ", target: cost")]
    assert said == ["accuracy", "r2"]


@pytest.mark.parametrize("name", ["resnet-tabular", "ft-transformer"])
def test_models_of_tables_keep_their_promises(name: str) -> None:
    assert model_faults(name) == []
