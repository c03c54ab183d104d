"""A language model from the file to the table: what an epoch computes, and what a rehearsal finds."""

import math
from pathlib import Path

import pytest
import torch
from small_run import MakeConfig, Places

from samcli.config import Draft, parse
from samcli.errors import ConfigError, DataError
from samcli.metrics import columns
from samcli.runs import RunFolder
from samcli.train import CATALOGUE, train_run
from samcli.train.rehearsal import rehearse
from samcli.train.session import Session
from samcli.train.trained import load_trained

TEXT = """
dataset: {name: "text:PATH", context: 8}
model: {name: gpt, layers: 1, width: 8, heads: 2}
epochs: 2
batch_size: 16
schedule: constant
sharpness: {measures: [one-step, grad-norm, lambda-max], examples: 8}
optimizer: {name: sam, base: adamw, lr: 0.01, rho: 0.05}
"""


@pytest.fixture
def text(tmp_path: Path) -> str:
    (tmp_path / "a.txt").write_text("".join(f"{n} times {n} is {n * n}. " for n in range(100)))
    return TEXT.replace("PATH", str(tmp_path / "a.txt"))


def test_an_epoch_equals_a_plain_loop(config_of: MakeConfig, places: Places, text: str) -> None:
    config = config_of(text=text.replace("sam, base: adamw, lr: 0.01, rho: 0.05", "sgd, lr: 0.1"))
    session, twin = Session(config, **places), Session(config, **places)
    row = session.train_epoch()
    optimizer, nats, tokens = torch.optim.SGD(twin.model.parameters(), lr=0.1, momentum=0.9), 0.0, 0
    for group in optimizer.param_groups:
        group.update(weight_decay=config.optimizer["weight_decay"], momentum=config.optimizer["momentum"])
    for x, y in twin.data.epoch(1, 16, config.seed):
        optimizer.zero_grad()
        loss = -twin.model(x).log_softmax(-1).gather(2, y[..., None]).mean()
        loss.backward()
        optimizer.step()
        nats, tokens = nats + loss.item() * y.numel(), tokens + y.numel()
    assert row["train_loss"] == pytest.approx(nats / tokens, rel=1e-4)
    assert row["train_bits_per_byte"] == pytest.approx(nats / tokens / math.log(2), rel=1e-4)
    with torch.no_grad():
        part = twin.data.test
        logits = twin.model.eval()(part.inputs.long())
        loss = -logits.log_softmax(-1).gather(2, part.targets[..., None]).mean()
    assert row["test_loss"] == pytest.approx(loss.item(), rel=1e-3)
    assert row["test_bits_per_byte"] == pytest.approx(loss.item() / math.log(2), rel=1e-3)
    assert row["validation_bits_per_byte"] is not None


def test_a_run_has_the_columns_and_a_checkpoint_that_knows_how_to_read(
    config_of: MakeConfig, places: Places, text: str, tmp_path: Path
) -> None:
    config = config_of(text=text)
    folder = RunFolder(tmp_path / "run")
    assert train_run(config, folder, **places) == "finished"
    names, values = folder.read_values()
    assert set(columns("bits_per_byte")) < set(names)
    assert "lambda_max" in names
    assert len(values) == 2
    trained = load_trained(tmp_path / "run", data_dir=None, device=torch.device("cpu"))
    document = trained.data.document()
    assert (document["kind"], document["vocabulary"], document["shape"]) == ("tokens", 256, [8])
    assert document["task"] == {"name": "language model", "vocabulary": 256, "token_bytes": ()}
    assert document["reading"] == {"kind": "text", "tokenizer": "bytes", "context": 8}
    (tmp_path / "a.txt").write_text("another text " * 50)
    with pytest.raises(DataError, match="trained with other data of text:"):
        load_trained(tmp_path / "run", data_dir=None, device=torch.device("cpu"))


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ("mixup: 0.2", "mixup averages inputs, and the tokens of a text have no average; leave mixup out"),
        ("model: mlp", "mlp needs images|inputs are texts of 8 tokens; models that fit: .*gpt"),
    ],
)
def test_a_rehearsal_finds_what_a_text_does_not_have(more: str, sentence: str, text: str, tmp_path: Path) -> None:
    lines = [line for line in text.splitlines() if not line.startswith(more.split(":", maxsplit=1)[0])]
    runs = Draft.of(parse("\n".join([*lines, more]), "x.yaml"), CATALOGUE).expand()
    with pytest.raises(ConfigError, match=sentence):
        rehearse(runs, tmp_path)
    rehearse(Draft.of(parse(text + "label_smoothing: 0.1", "x.yaml"), CATALOGUE).expand(), tmp_path)
