"""Runs on texts of one's own and their classes."""

import random
from pathlib import Path

import pytest
import torch

from samcli.config import Draft, RunConfig, parse
from samcli.errors import ConfigError
from samcli.optim import VARIANTS
from samcli.train import CATALOGUE
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session
from samcli.train.soundness import model_faults

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short texts whose class is that of some of their words."""
    draw = random.Random(0)
    words = {"low": ["bad", "dull", "poor"], "mid": ["fair", "plain", "usual"], "high": ["good", "fine", "great"]}
    lines = ["text,label"]
    for i in range(60):
        label = list(words)[i % 3]
        text = [draw.choice(words[label]), *draw.choices(["film", "plot", "scene", "the"], k=draw.randint(1, 5))]
        draw.shuffle(text)
        lines.append(f"{' '.join(text)},{label}")
    path = tmp_path_factory.mktemp("texts") / "small.csv"
    path.write_text("\n".join(lines))
    return path


def config(table: Path, text: str) -> RunConfig:
    text = f"{{dataset: {{name: 'text-csv:{table}', length: 8}}, batch_size: 16, {text}}}"
    (found,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return found


@pytest.mark.parametrize("name", list(VARIANTS))
def test_every_variant_trains_texts(table: Path, name: str) -> None:
    """The training loss falls."""
    model = "{name: text-encoder, layers: 1, width: 16, heads: 2, dropout: 0.0}"
    base = "" if name in ("bsam", "msam") else "base: adam, "  # these have steps of their own
    optimizer = f"{{name: {name}, {base}lr: {0.01 if base else 0.1}}}"
    run = config(table, f"optimizer: {optimizer}, model: {model}, epochs: 6")
    session = Session(run, data_dir=table.parent, device=CPU)
    assert (tuple(session.data.shape), session.data.task.outputs) == ((8,), 3)
    while not session.finished:
        row = session.train_epoch()
    assert row["train_loss"] < 0.97 * session.rows[0]["train_loss"]


def test_without_a_model_texts_get_the_encoder(table: Path) -> None:
    assert config(table, "optimizer: sgd").model["name"] == "text-encoder"


def test_a_model_that_continues_texts_is_refused(table: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"gpt does not give what .* is about, 3 numbers for each text; choose another"
    ):
        rehearse([config(table, "optimizer: sgd, model: gpt")], table.parent)


def test_the_encoder_keeps_its_promises() -> None:
    assert model_faults("text-encoder") == []
