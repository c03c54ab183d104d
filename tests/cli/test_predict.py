"""`samcli predict` on what `samcli train` wrote."""

import csv
import io
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from command import Samcli
from PIL import Image

from samcli.data import DATASETS


@pytest.fixture
def run(samcli: Samcli, tmp_path: Path) -> Path:
    small = ("--set", "dataset.train_examples=200", "--epochs", "2", "--results", tmp_path / "results")
    assert samcli("train", "--model", "cnn", "--optimizer", "sgd", *small).code == 0
    (folder,) = (tmp_path / "results").glob("*/*/checkpoint.pt")
    source = DATASETS.create("digits").source(tmp_path)
    for i, (image, target) in enumerate(zip(source.test_inputs, source.test_targets, strict=True)):
        file = tmp_path / f"digits/{target}/{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image[:, :, 0].numpy()).save(file)
    return folder.parent


def test_the_accuracy_of_files_is_that_of_the_run(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    with (run / "metrics.csv").open() as file:
        accuracy = float(list(csv.DictReader(file))[-1]["test_accuracy"])
    called = samcli("predict", run, tmp_path / "digits")
    assert called.code == 0
    rows = list(csv.DictReader(io.StringIO(called.out)))
    assert list(rows[0]) == ["file", "class", "probability"]
    assert sum(Path(row["file"]).parent.name == row["class"] for row in rows) / len(rows) == accuracy
    assert called.err == "359 predictions of cnn, epoch 2.\n"
    assert samcli("predict", run.parent, tmp_path / "digits").out == called.out


@pytest.mark.parametrize("options", [("shrink=2",), ("size=12", "width=10", "resize=pad"), ("size=6", "width=9")])
def test_so_it_is_of_images_that_were_brought_to_another_size(
    samcli: Samcli, run: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    chosen = (part for option in options for part in ("--set", f"dataset.{option}"))
    small = ("--optimizer", "sgd", "--epochs", "2", "--results", tmp_path / "others")
    assert samcli("train", "--model", "linear", *chosen, *small).code == 0
    (metrics,) = (tmp_path / "others").glob("*/*/metrics.csv")
    accuracy = float(list(csv.DictReader(metrics.read_text().splitlines()))[-1]["test_accuracy"])
    called = samcli("predict", metrics.parent, tmp_path / "digits")
    rows = list(csv.DictReader(io.StringIO(called.out)))
    assert sum(Path(row["file"]).parent.name == row["class"] for row in rows) / len(rows) == accuracy


def test_json_with_all_probabilities(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "classes.json"
    called = samcli(
        "predict", run, tmp_path / "digits/0", "--probabilities", "--format", "json", "-o", output, "--quiet"
    )
    assert (called.code, called.out, called.err) == (0, f"{output}\n", "")
    held = json.loads(output.read_text())
    assert held["classes"] == [str(digit) for digit in range(10)]
    for row in held["predictions"]:
        assert sum(row["probabilities"].values()) == pytest.approx(1.0, abs=1e-5)
        assert row["probability"] == row["probabilities"][row["class"]] == max(row["probabilities"].values())
    rows = csv.DictReader(io.StringIO(samcli("predict", run, tmp_path / "digits/0", "--probabilities").out))
    assert [float(row["probability.7"]) for row in rows] == [row["probabilities"]["7"] for row in held["predictions"]]


def test_a_file_that_cannot_be_read_is_told_and_the_others_go_on(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    called = samcli("predict", run, tmp_path / "torn.png", tmp_path / "absent.png", *(tmp_path / "digits/3").iterdir())
    assert called.code == 1
    assert len(called.out.splitlines()) == 1 + len(list((tmp_path / "digits/3").iterdir()))
    torn, absent, told = called.err.splitlines()
    assert torn.startswith(f"samcli: {tmp_path}/torn.png is not a readable image (")
    assert absent == f"samcli: There is no file {tmp_path}/absent.png; name an image that is there."
    assert told.endswith("predictions of cnn, epoch 2.")
    called = samcli("predict", run, tmp_path / "torn.png", "-o", tmp_path / "none.csv")
    assert (called.code, called.out, (tmp_path / "none.csv").exists()) == (1, "", False)


def test_the_best_epoch(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    called = samcli("predict", run, tmp_path / "digits/3", "--epoch", "best")
    assert called.code == 2
    assert "has no best.pt" in called.err
    shutil.copy(run / "checkpoint.pt", run / "best.pt")
    best = samcli("predict", run, tmp_path / "digits/3", "--epoch", "best")
    assert best.out == samcli("predict", run, tmp_path / "digits/3").out


def test_values_of_a_table(samcli: Samcli, tmp_path: Path) -> None:
    small = ("--epochs", "20", "--seeds", "0", "--results", tmp_path / "results", "--model", "linear")
    assert samcli("train", "--dataset", "diabetes", "--optimizer", "sgd", *small).code == 0
    source = DATASETS.create("diabetes").source(tmp_path)
    pd.DataFrame(source.test_inputs.numpy(), columns=source.reading["features"]).to_csv(tmp_path / "rows.csv")
    called = samcli("predict", tmp_path / "results", tmp_path / "rows.csv")
    assert called.code == 0, called.err
    frame = pd.read_csv(io.StringIO(called.out))
    assert list(frame) == ["file", "row", "value"]
    assert 100 < frame["value"].mean() < 200  # of patients whose mean is 152
    assert frame["row"].tolist() == list(range(1, len(source.test_inputs) + 1))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("absent", "a.png"), "There is no file or folder absent"),
        (("{run}", "{folder}/empty"), "There are no files for this network in"),
        (("{run}", "a.png", "--output", "{folder}"), "cannot be written"),
        (("{run}", "a.png", "--epoch", "first"), "must be one of last, best"),
    ],
)
def test_a_mistake_is_told(
    samcli: Samcli, run: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "empty").mkdir()
    called = samcli("predict", *(argument.format(run=run, folder=tmp_path) for argument in arguments))
    assert called.code == 2
    assert sentence in called.err
    assert called.out == ""


def test_names_of_a_strangers_classes_are_made_safe(samcli: Samcli, run: Path, tmp_path: Path) -> None:
    from samcli.runs import checkpoint

    content = checkpoint.load(run / "checkpoint.pt")
    content["data"]["class_names"] = [f"=cmd()\x1b[2J{i}" for i in range(10)]
    checkpoint.save(run / "checkpoint.pt", content)
    called = samcli("predict", run, tmp_path / "digits/3")
    assert called.code == 0
    assert "\x1b" not in called.out
    assert {row["class"][0] for row in csv.DictReader(io.StringIO(called.out))} == {"'"}
