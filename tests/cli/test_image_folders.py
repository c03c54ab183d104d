"""A user's own images on the command line: what is said of them, and what becomes of runs when they move."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from command import Called, Samcli
from PIL import Image

from samcli.data import forget_sources


def make(root: Path, n: int = 10) -> Path:
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (root / name).mkdir(parents=True)
        for i in range(n):
            Image.fromarray(generator.integers(0, 256, (6, 6), dtype=np.uint8)).save(root / name / f"{i}.png")
    return root


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    (make(tmp_path / "pets") / "cat" / "notes.txt").touch()
    return tmp_path / "pets"


def train(samcli: Samcli, pets: Path, results: Path) -> Called:
    small = ("--model", "linear", "--optimizer", "sgd,sam", "--epochs", 1)
    return samcli("train", "--dataset", f"image-folder:{pets}", *small, "--results", results, "--name", "p")


LINE = "pets: 20 images, 2 classes, 6×6, 1 other file passed over (txt: 1)"


def test_one_line_says_what_a_folder_holds(samcli: Samcli, pets: Path, tmp_path: Path) -> None:
    dry = samcli("train", "--dataset", f"image-folder:{pets}", "--optimizer", "sgd", "--epochs", 1, "--dry-run")
    assert dry.err.count(LINE) == 1
    called = train(samcli, pets, tmp_path / "results")
    assert called.code == 0
    assert called.err.count(LINE) == 1
    assert LINE not in called.out
    for status in tmp_path.glob("results/p/*/run.json"):
        assert json.loads(status.read_text())["dataset"]["summary"] == LINE
    assert LINE not in train(samcli, pets, tmp_path / "results").err  # nothing was left to do


def test_an_unreadable_image_is_told_once(samcli: Samcli, pets: Path, tmp_path: Path) -> None:
    (pets / "cat" / "0.png").write_bytes(b"damaged")
    called = train(samcli, pets, tmp_path / "results")
    assert called.code == 2
    assert called.err.count("is not a readable image") == 1
    assert "Traceback" not in called.err


@pytest.mark.parametrize("command", [("sharpness",), ("landscape", "--points", 2)])
def test_images_that_were_moved_are_named(
    samcli: Samcli, pets: Path, tmp_path: Path, command: tuple[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train(samcli, pets, tmp_path / "results")
    moved = pets.rename(tmp_path / "moved")
    results = tmp_path / "results"
    called = samcli(*command, results)
    assert called.code == 2
    assert f"was trained on are not in {pets} any more; say where they are with --image-folder PATH." in called.err
    called = samcli(*command, results, "--image-folder", tmp_path / "nowhere")
    assert called.code == 2
    assert f"There is no folder {tmp_path}/nowhere; say with --image-folder PATH where the images are." in called.err
    called = samcli(*command, results, "--image-folder", make(tmp_path / "others", n=9))
    assert called.code == 2
    assert "others holds other images than those that" in called.err
    assert samcli(*command, results, "--image-folder", moved).code == 0


@pytest.mark.parametrize("command", [("sharpness",), ("landscape", "--points", 2)])
def test_a_network_is_not_judged_by_other_images(
    samcli: Samcli, pets: Path, tmp_path: Path, command: tuple[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Than those it was trained on: the values would be others, and be kept."""
    monkeypatch.chdir(tmp_path)
    train(samcli, pets, tmp_path / "results")
    (pets / "cat" / "1.png").rename(tmp_path / "1.png")
    called = samcli(*command, tmp_path / "results")
    assert called.code == 2
    assert f"was trained with other data of image-folder:{pets} than today, by its digest; put back" in called.err
    assert not list(tmp_path.glob("results/p/*/sharpness.json"))
    (tmp_path / "1.png").rename(pets / "cat" / "1.png")
    assert samcli(*command, tmp_path / "results").code == 0


def test_only_images_can_have_been_moved(samcli: Samcli, pets: Path, tmp_path: Path) -> None:
    samcli("train", "--dataset", "wine", "--optimizer", "sgd", "--epochs", 1, "--results", tmp_path / "results")
    called = samcli("sharpness", tmp_path / "results", "--image-folder", pets)
    assert called.code == 2
    assert "was trained on wine and no folder of images; leave --image-folder out." in called.err


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("x" * 5000, "There is no folder"),
        ("caf\udce9", r"caf\udce9 is not written in UTF-8; rename the file or folder."),
    ],
)
def test_paths_that_cannot_be(samcli: Samcli, tmp_path: Path, folder: str, sentence: str) -> None:
    called = train(samcli, tmp_path / folder, tmp_path / "results")
    assert called.code == 2
    assert sentence in called.err
    assert "Traceback" not in called.err
    assert not list(tmp_path.glob("results/p/*"))


PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
import torch
from samcli.data import DATASETS, Classification, DatasetKind, Source

@DATASETS.register("mine")
@dataclass(frozen=True, kw_only=True)
class Mine(DatasetKind):
    "A table."
    title: ClassVar[str] = "mine"
    is_images: ClassVar[bool] = False

    def source(self, data_dir):
        x = torch.randn(40, 5, generator=torch.Generator().manual_seed(0))
        y = (x[:, 0] > 0).long()
        return Source(x[:30], y[:30], x[30:], y[30:] * TIMES, Classification(2))
"""


def test_check_looks_at_a_folder_and_trains_nothing(samcli: Samcli, pets: Path) -> None:
    called = samcli("check", f"image-folder:{pets}")
    assert called.code == 0
    assert called.out.splitlines() == [f"data set image-folder:{pets}", f"  ok     {LINE}"]
    called = samcli("check", f"image-folder:{pets}-absent")
    assert called.code == 2
    assert called.err.startswith(f"samcli: There is no folder {pets}-absent;")


def test_check_finds_and_tells_the_same(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "sound.py").write_text(PLUGIN.replace("TIMES", "0"))
    called = samcli("check", tmp_path / "sound.py")
    assert called.code == 0
    assert called.out == "data set mine\n  ok     mine: 40 examples, 2 classes, 5 columns, no test example of 1\n"
    (tmp_path / "faulty.py").write_text(PLUGIN.replace("TIMES", "3"))
    called = samcli("check", tmp_path / "faulty.py")
    assert called.code == 1
    assert "FAILS  The test targets must be class numbers from 0 to 1, and reach from 0 to 3." in called.out


def test_a_plugin_whose_path_is_not_utf8_is_refused_before_training(samcli: Samcli, tmp_path: Path) -> None:
    (tmp_path / "caf\udce9").mkdir()
    plugin = tmp_path / "caf\udce9" / "sound.py"
    plugin.write_text(PLUGIN.replace("TIMES", "1"))
    for flags in (("--plugin", plugin, "--dataset", "mine"), ("--dataset", f"{plugin}:mine")):
        called = samcli("train", *flags, "--optimizer", "sgd", "--epochs", 1, "--results", tmp_path / "results")
        assert called.code == 2
        assert r"caf\udce9/sound.py is not written in UTF-8; rename the file or folder." in called.err


def test_a_data_folder_that_is_not_utf8_is_recorded(samcli: Samcli, tmp_path: Path) -> None:
    small = ("--dataset", "wine", "--optimizer", "sgd", "--epochs", 1, "--results", tmp_path / "caf\udce9")
    assert samcli("train", *small, "--data-dir", tmp_path / "d\udce9").code == 0
    (status,) = (tmp_path / "caf\udce9").glob("wine/*/run.json")
    assert json.loads(status.read_text(encoding="utf-8"))["data_dir"] == f"{tmp_path}/d\udce9"


def losses(results: Path) -> list[str]:
    """What was computed, without times and speeds."""
    found = []
    for file in sorted(results.glob("p/*/metrics.csv")):
        for row in csv.DictReader(file.read_text().splitlines()):
            found.append(" ".join(row[key] for key in ("train_loss", "test_loss", "validation_loss", "sharpness")))
    return found


@pytest.mark.parametrize("jobs", [0, 2])
def test_no_way_of_reading_changes_a_bit(
    samcli: Samcli, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setenv("SAMCLI_CACHE_DIR", "")  # put back after the test
    options = "validation=0.25", "augment=[crop,flip,trivial-augment,random-erasing]"
    ways: dict[str, list[object]] = {
        "memory": [],
        "stream": ["--set", "dataset.stream=true"],
        "kept": ["--cache-dir", tmp_path / "images"],
    }
    found = {}
    for way, flags in ways.items():
        forget_sources()  # as another process would
        called = samcli(
            *("train", "--dataset", f"image-folder:{pets}", "--model", "cnn", "--optimizer", "sgd,sam", "--epochs", 2),
            *(part for option in options for part in ("--set", f"dataset.{option}")),
            *("--batch-size", 4, "--threads", 1) if jobs else ("--batch-size", 4),
            *("--results", tmp_path / way, "--name", "p", "--jobs", jobs, *flags),
        )
        assert called.code == 0, called.err
        found[way] = losses(tmp_path / way)
        assert ("20 images decoded into" in called.err) == (way == "kept")
    assert len(found["memory"]) == 4
    assert found["stream"] == found["memory"]
    assert found["kept"] == found["memory"]
    assert len(list((tmp_path / "images").iterdir())) == 1
    # they are the same runs: none is left to do
    again = samcli(
        *("train", "--dataset", f"image-folder:{pets}", "--model", "cnn", "--optimizer", "sgd,sam", "--epochs", 2),
        *(part for option in options for part in ("--set", f"dataset.{option}")),
        *("--batch-size", 4, "--results", tmp_path / "stream", "--name", "p", "--cache-dir", tmp_path / "images"),
    )
    assert "2 of 2 runs are finished already" in again.err
    assert "decoded into" not in again.err


@pytest.mark.parametrize("command", [("sharpness",), ("landscape", "--points", 2)])
def test_trained_networks_are_judged_by_kept_images(
    samcli: Samcli, pets: Path, tmp_path: Path, command: tuple[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAMCLI_CACHE_DIR", "")
    train(samcli, pets, tmp_path / "results")
    plain = samcli(*command, tmp_path / "results")
    forget_sources()  # as another process would
    for file in tmp_path.glob("results/*/*/sharpness.json"):
        file.unlink()  # what was measured is not measured again
    kept = samcli(*command, tmp_path / "results", "--cache-dir", "kept")
    assert (plain.code, plain.out) == (0, kept.out)
    assert "20 images decoded into" in kept.err
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_images_that_are_not_square_are_trained_on_and_measured(samcli: Samcli, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "wide" / name).mkdir(parents=True)
        for i in range(10):
            pixels = generator.integers(0, 256, (8, 14, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "wide" / name / f"{i}.png")
    called = samcli(
        *("train", "--dataset", f"image-folder:{tmp_path / 'wide'}", "--model", "cnn", "--optimizer", "sgd,sam"),
        *("--set", "dataset.augment=[crop,flip,rand-augment,random-erasing,cutout,cutmix]", "--epochs", 1),
        *("--set", "sharpness.measures=[one-step,grad-norm,lambda-max]", "--results", tmp_path, "--name", "p"),
    )
    assert called.code == 0, called.err
    assert "wide: 20 images, 2 classes, 14×8" in called.err
    for file in tmp_path.glob("p/*/metrics.csv"):
        (row,) = csv.DictReader(file.read_text().splitlines())
        assert float(row["train_loss"]) > 0.0
        assert all(float(row[name]) > 0.0 for name in ("sharpness", "grad_norm", "lambda_max"))


def test_images_that_are_too_many_for_the_memory_are_told_of_the_cache(
    samcli: Samcli, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_sources()
    monkeypatch.setenv("SAMCLI_CACHE_DIR", "")
    monkeypatch.setattr("samcli.data.sources._images.os.sysconf", lambda name: 1)
    refused = train(samcli, pets, tmp_path / "results")
    assert refused.code == 2
    assert "--cache-dir DIR keeps them in a file there" in refused.err
    assert (
        samcli(
            *("train", "--dataset", f"image-folder:{pets}", "--model", "linear", "--optimizer", "sgd", "--epochs", 1),
            *("--results", tmp_path / "results", "--name", "p", "--cache-dir", tmp_path / "images"),
        ).code
        == 0
    )
