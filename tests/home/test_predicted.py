"""Files, and what a network says of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import samcli
from samcli.data import DATASETS
from samcli.errors import ConfigError
from samcli.home.predicted import Predicted, files_of, predict_files


def digits_as_files(folder: Path) -> torch.Tensor:
    """Writes the test images, and gives their classes in the order of the names."""
    source = DATASETS.create("digits").source(folder)
    folder.mkdir()
    for i, image in enumerate(source.test_inputs):
        Image.fromarray(image[:, :, 0].numpy()).save(folder / f"{i:03}.png")
    return source.test_targets


def test_files_have_the_accuracy_of_the_last_row(trained: Any, tmp_path: Path) -> None:
    run = trained("digits", "cnn")
    targets = digits_as_files(tmp_path / "digits")
    network = samcli.load(run.path)
    found = list(predict_files(network, files_of([tmp_path / "digits"], "images"), pytest.fail))
    assert [one.file.stem for one in found] == [f"{i:03}" for i in range(len(targets))]
    classes = torch.tensor([int(one.record(network.classes)["class"]) for one in found])
    assert (classes == targets).double().mean().item() == run.read_metrics()[-1]["test_accuracy"]


@pytest.mark.parametrize("size", [None, 9])
def test_a_folder_of_images_has_the_accuracy_of_its_run(trained: Any, tmp_path: Path, size: int | None) -> None:
    random = np.random.default_rng(0)
    for part in ("train", "test"):
        for name, low in (("cat", 0), ("dog", 40)):
            (tmp_path / "pets" / part / name).mkdir(parents=True)
            for i in range(25):
                pixels = random.integers(low, low + 200, (12, 10 + i % 5 * (size or 0), 3)).astype(np.uint8)
                Image.fromarray(pixels).save(tmp_path / "pets" / part / name / f"{i}.png")
    chosen = () if size is None else (f"dataset.size={size}",)
    run = trained(f"image-folder:{tmp_path / 'pets'}", "linear", *chosen, "epochs=2")
    network = samcli.load(run.path)
    found = list(predict_files(network, files_of([tmp_path / "pets/test"], "images"), pytest.fail))
    hits = [one.record(network.classes)["class"] == one.file.parent.name for one in found]
    assert len(hits) == 50
    assert np.mean(hits) == run.read_metrics()[-1]["test_accuracy"]


def test_files_that_cannot_be_read_are_told_and_the_others_go_on(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained().path)
    Image.new("L", (8, 8), 9).save(tmp_path / "b.png")
    (tmp_path / "a.png").write_bytes(b"no image")
    faults: list[str] = []
    files = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    assert [one.file.name for one in predict_files(network, files, faults.append)] == ["b.png"]
    damaged, missing = faults
    assert "a.png is not" in damaged
    assert missing == f"There is no file {tmp_path / 'c.png'}; name an image that is there."


def test_a_table_has_a_row_for_each_of_its_rows(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained("wine", "mlp").path)
    source = DATASETS.create("wine").source(tmp_path)
    frame = pd.DataFrame(source.test_inputs.numpy(), columns=network.known.reading["features"])
    frame.to_csv(tmp_path / "a.csv", index=False)
    frame.drop(columns="ash").to_csv(tmp_path / "b.csv", index=False)
    faults: list[str] = []
    found = list(predict_files(network, [tmp_path / "b.csv", tmp_path / "a.csv", tmp_path / "c.csv"], faults.append))
    assert [one.row for one in found] == list(range(1, len(frame) + 1))
    assert torch.equal(torch.stack([one.prediction for one in found]), network.predict(tmp_path / "a.csv"))
    assert "has no column 'ash'" in faults[0]
    assert faults[1] == f"There is no file {tmp_path / 'c.csv'}; name a table that is there."


def test_folders_give_the_files_that_fit(tmp_path: Path) -> None:
    for name in ("b/2.PNG", "a/1.jpg", ".trash/3.png", "b/notes.txt", "b/._2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = tmp_path / "b/notes.txt"
    found = files_of([tmp_path, named, tmp_path / "a/1.jpg"], "images")
    assert found == [tmp_path / "a/1.jpg", tmp_path / "b/2.PNG", named]
    with pytest.raises(ConfigError, match=r"There are no files for this network in .*; it takes csv, tsv"):
        files_of([tmp_path], "table")


def test_numbers_have_the_digits_that_tell_them_apart() -> None:
    third = torch.tensor([1.0 / 3.0, 2.0 / 3.0])
    assert Predicted(Path("a"), 3, third).record(["x", "y"]) == {
        "file": "a",
        "row": 3,
        "class": "y",
        "probability": 0.6666667,
    }
    assert Predicted(Path("a"), None, torch.tensor(152.25)).record([]) == {"file": "a", "value": 152.25}
