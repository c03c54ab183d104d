"""Shards on the command line: trained on in every way, resumed, judged where they lie now, and taken home."""

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from command import Called, Samcli
from PIL import Image

from samcli.data import forget_sources


def make(root: Path, n: int = 20, seed: int = 0) -> Path:
    generator = np.random.default_rng(seed)
    root.mkdir()
    for part, first, last in (("train", 0, n // 2), ("train", n // 2, n), ("test", n, n + 6)):
        with tarfile.open(root / f"{part}-{first:06d}.tar", "w") as tar:
            for i in range(first, last):
                file = io.BytesIO()
                Image.fromarray(generator.integers(0, 256, (6, 6), dtype=np.uint8)).save(file, "png")
                for suffix, content in (("png", file.getvalue()), ("cls", b"%d" % (i % 2)), ("txt", b"a caption")):
                    info = tarfile.TarInfo(f"{i:06d}.{suffix}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
    return root


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    return make(tmp_path / "pets")


LINE = "pets: 26 images, 2 classes, 6×6, 26 other files passed over (txt: 26)"


def train(samcli: Samcli, pets: Path, results: Path, *flags: object, epochs: int = 2) -> Called:
    small = ("--model", "linear", "--optimizer", "sgd,sam", "--epochs", epochs, "--batch-size", 4)
    return samcli("train", "--dataset", f"wds:{pets}", *small, "--results", results, "--name", "p", *flags)


def losses(results: Path) -> dict[str, list[str]]:
    """What was computed in each run, without times and speeds."""
    keys = ("train_loss", "test_loss", "validation_loss", "sharpness")
    return {
        file.parent.name: [" ".join(row[key] for key in keys) for row in csv.DictReader(file.read_text().splitlines())]
        for file in results.glob("p/*/metrics.csv")
    }


@pytest.mark.parametrize("jobs", [0, 2])
def test_no_way_of_reading_changes_a_bit(
    samcli: Samcli, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    monkeypatch.setenv("SAMCLI_CACHE_DIR", "")  # put back after the test
    ways = {"memory": (), "stream": ("--set", "dataset.stream=true"), "kept": ("--cache-dir", tmp_path / "images")}
    found = {}
    options = (
        "--set",
        "dataset.validation=0.25",
        "--set",
        "dataset.augment=[crop,flip]",
        "--jobs",
        jobs,
        *(("--threads", 1) if jobs else ()),
    )
    for way, flags in ways.items():
        forget_sources()  # as another process would
        called = train(samcli, pets, tmp_path / way, *options, *flags)
        assert called.code == 0, called.err
        assert LINE in called.err
        found[way] = losses(tmp_path / way)
    assert [len(rows) for rows in found["memory"].values()] == [2, 2]
    assert found["stream"] == found["kept"] == found["memory"]


def test_a_longer_run_goes_on_where_the_shorter_ended(samcli: Samcli, pets: Path, tmp_path: Path) -> None:
    augment = ("--set", "dataset.augment=[crop,flip]", "--set", "dataset.stream=true", "--set", "schedule=constant")
    assert train(samcli, pets, tmp_path / "whole", *augment, epochs=3).code == 0
    assert train(samcli, pets, tmp_path / "parted", *augment, epochs=1).code == 0
    called = train(samcli, pets, tmp_path / "parted", *augment, epochs=3)
    assert called.code == 0, called.err
    assert "2 runs go on from finished ones of fewer epochs" in called.err
    whole, parted = losses(tmp_path / "whole"), losses(tmp_path / "parted")
    assert len(whole) == 2
    assert {name: parted[name] for name in whole} == whole


def test_check_looks_at_shards_and_trains_nothing(samcli: Samcli, pets: Path) -> None:
    called = samcli("check", f"wds:{pets}")
    assert called.code == 0
    assert called.out.splitlines() == [f"data set wds:{pets}", f"  ok     {LINE}"]
    called = samcli("check", f"wds:{pets}-absent")
    assert called.code == 2
    assert called.err.startswith(f"samcli: There is no folder or file {pets}-absent;")
    (pets / "train-000010.tar").write_bytes((pets / "train-000010.tar").read_bytes()[:3000])
    called = samcli("check", f"wds:{pets}")
    assert called.code == 2
    assert "train-000010.tar is cut off: " in called.err
    assert "Traceback" not in called.err


def test_shards_are_listed_and_meant(samcli: Samcli, pets: Path) -> None:
    assert "wds:PATH" in samcli("list", "datasets").out
    called = samcli("train", "--dataset", pets / "test-000020.tar", "--optimizer", "sgd", "--dry-run")
    assert called.code == 2
    assert f"did you mean wds:{pets}/test-000020.tar?" in called.err


def test_networks_are_judged_by_shards_that_were_moved_and_by_no_others(
    samcli: Samcli, pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    results = tmp_path / "results"
    assert train(samcli, pets, results).code == 0
    moved = pets.rename(tmp_path / "moved")
    called = samcli("sharpness", results)
    assert called.code == 2
    assert f"was trained on are not in {pets} any more; say where they are with --image-folder PATH." in called.err
    called = samcli("sharpness", results, "--image-folder", make(tmp_path / "others", seed=1))
    assert called.code == 2
    assert "others holds other images than those that" in called.err
    assert samcli("sharpness", results, "--image-folder", moved).code == 0
    make(pets, seed=1)
    called = samcli("landscape", results, "--points", 2)
    assert called.code == 2
    assert f"was trained with other data of wds:{pets} than today, by its digest; put back" in called.err


def test_networks_of_shards_predict_images_in_files(samcli: Samcli, pets: Path, tmp_path: Path) -> None:
    assert train(samcli, pets, tmp_path / "results").code == 0
    (run,) = (file.parent for file in tmp_path.glob("results/p/*/checkpoint.pt") if "sam" in file.parent.name)
    files = []
    with tarfile.open(pets / "test-000020.tar") as tar:
        for member in tar.getmembers():
            if member.name.endswith("png"):
                content = tar.extractfile(member)
                assert content is not None
                files.append(tmp_path / member.name)
                files[-1].write_bytes(content.read())
    called = samcli("predict", run, *files, "--format", "csv")
    assert called.code == 0, called.err
    rows = list(csv.DictReader(called.out.splitlines()))
    right = sum(row["class"] == str(int(file.stem) % 2) for row, file in zip(rows, files, strict=True))
    last = list(csv.DictReader((run / "metrics.csv").read_text().splitlines()))[-1]
    assert right / len(files) == pytest.approx(float(last["test_accuracy"]))
    assert json.loads((run / "run.json").read_text())["dataset"]["summary"] == LINE
