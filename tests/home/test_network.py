"""A network read back without its data."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image, ImageOps

import samcli
from samcli.data import DATASETS, forget_sources
from samcli.data.cache_dir import CACHE_DIR
from samcli.errors import CheckpointError, ConfigError, DataError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder


def images_of(dataset: str, tmp_path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    source = DATASETS.create(dataset).source(tmp_path)
    return source.test_inputs, source.test_targets


def change(file: Path, **parts: object) -> None:
    content = checkpoint.load(file)
    content["data"] = {**content["data"], **parts}
    checkpoint.save(file, content)


def test_the_package_itself_waits_for_nothing() -> None:
    code = "import samcli, sys; assert 'torch' not in sys.modules; samcli.load; assert 'torch' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="has no attribute 'lode'"):
        samcli.lode  # type: ignore[attr-defined]  # noqa: B018


@pytest.mark.parametrize("model", ["cnn", "resnet20", "mlp"])
def test_probabilities_have_the_accuracy_of_the_last_row(trained: Any, tmp_path: Path, model: str) -> None:
    run = trained("digits", model)
    images, targets = images_of("digits", tmp_path)
    network = samcli.load(run.path)
    assert not network.model.training
    assert network.classes == tuple("0123456789")
    probabilities = network.predict(images)
    assert torch.allclose(probabilities.sum(1), torch.ones(len(images)), atol=1e-5)
    hits = (probabilities.argmax(1) == targets).double().mean().item()
    assert hits == run.read_metrics()[-1]["test_accuracy"]
    assert torch.equal(network.task.prediction(network.model(network.preprocess(images[:9]))), probabilities[:9])


def test_images_are_given_in_any_form(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained().checkpoint)
    pixels, _ = images_of("digits", tmp_path)
    image = Image.fromarray(pixels[0, :, :, 0].numpy())
    image.save(tmp_path / "a.png")
    want = network.predict(pixels[0])
    for one in (tmp_path / "a.png", str(tmp_path / "a.png"), image, image.convert("RGB"), pixels[:1], pixels[0].numpy(),
                [image], [tmp_path / "a.png"], [pixels[0]]):  # fmt: skip
        assert torch.equal(network.predict(one), want)
    assert network.preprocess([image, tmp_path / "a.png"]).shape == (2, 1, 8, 8)


def test_images_of_another_size_are_brought_to_that_of_training(trained: Any) -> None:
    network = samcli.load(trained().path)
    wide = np.zeros((16, 40), np.uint8)
    wide[:, 12:28] = np.random.default_rng(0).integers(0, 255, (16, 16))
    fitted = np.asarray(ImageOps.fit(Image.fromarray(wide), (8, 8), Image.Resampling.BILINEAR))
    assert np.array_equal(network.raw(Image.fromarray(wide))[0, :, :, 0], fitted)


@pytest.mark.parametrize(
    "given, sentence",
    [
        (torch.zeros(3, 8, 8), r"takes arrays of N × 8 × 8 × 1, not 3 × 8 × 8"),
        (torch.zeros(3, 8, 8, 1), "numbers of 8 bits"),
        ("absent.png", "absent.png; name an image that is there"),
        (3.5, "takes images, not a float"),
        ([], "There are no inputs"),
        (Image.fromarray(np.full((8, 8), 3000, np.uint16)), "has more than 8 bits, and no training image had"),
    ],
)
def test_what_is_no_image_is_told(trained: Any, given: Any, sentence: str) -> None:
    with pytest.raises((DataError, ConfigError), match=sentence):
        samcli.load(trained().path).predict(given)


def test_rows_of_a_table_by_their_names(trained: Any, tmp_path: Path) -> None:
    network = samcli.load(trained("wine", "mlp").path)
    rows, _ = images_of("wine", tmp_path)
    names = network.known.reading["features"]
    frame = pd.DataFrame(rows.numpy(), columns=names)
    shuffled = frame[names[::-1]].assign(remark="good")
    shuffled.to_csv(tmp_path / "rows.csv", index=False)
    for given in (rows, frame, shuffled, shuffled.to_dict("list"), tmp_path / "rows.csv", str(tmp_path / "rows.csv")):
        assert torch.allclose(network.predict(given), network.predict(rows), atol=1e-6)
    assert network.predict(dict(frame.iloc[0])).shape == (1, 3)
    with pytest.raises(DataError, match="has no column 'alcohol'; the network was trained on alcohol, "):
        network.predict(frame.drop(columns="alcohol"))
    with pytest.raises(DataError, match="The column 'hue' must hold numbers"):
        network.predict(frame.assign(hue="blue"))
    with pytest.raises(DataError, match="Row 2 of the table has no number"):
        network.predict(frame.assign(hue=frame["hue"].where(frame.index != 1)))


def test_values_of_a_regression_are_in_the_unit_of_the_target(trained: Any, tmp_path: Path) -> None:
    from sklearn.datasets import load_diabetes

    run = trained("diabetes", "linear", "epochs=30")
    network = samcli.load(run.path)
    bunch = load_diabetes()
    values = network.predict(torch.from_numpy(bunch.data)).numpy()
    assert values.shape == (442,)
    assert network.classes == ()
    source = DATASETS.create("diabetes").source(tmp_path)
    test = network.predict(source.test_inputs).double()
    spread, middle = float(bunch.target.std()), float(bunch.target.mean())
    truth = source.test_targets.double() * network.task.std + network.task.mean  # type: ignore[attr-defined]
    assert float(truth.mean()) == pytest.approx(middle, abs=spread / 3)
    r2 = 1 - float(((truth - test) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())
    assert r2 == pytest.approx(run.read_metrics()[-1]["test_r2"], abs=1e-5)


def test_the_users_random_numbers_are_not_used_up(trained: Any) -> None:
    run = trained()
    torch.manual_seed(5)
    want = torch.rand(3)
    torch.manual_seed(5)
    samcli.load(run.path)
    assert torch.equal(torch.rand(3), want)


def test_the_best_epoch_is_read_where_it_was_kept(trained: Any, tmp_path: Path) -> None:
    run = trained()
    with pytest.raises(CheckpointError, match=r"has no best\.pt"):
        samcli.load(run.path, epoch="best")
    with pytest.raises(ConfigError, match="must be last or best, not 'first'"):
        samcli.load(run.path, epoch="first")  # type: ignore[arg-type]
    content = checkpoint.load(run.checkpoint)
    content["model"] = {name: torch.zeros_like(tensor) for name, tensor in content["model"].items()}
    checkpoint.save(run.path / "best.pt", content)
    for path in (run.path, run.checkpoint):
        assert samcli.load(path, epoch="best").predict(torch.zeros(8, 8, 1).byte()).unique().numel() == 1
    assert samcli.load(run.path).predict(torch.zeros(8, 8, 1).byte()).unique().numel() == 10


def test_several_runs_are_refused(trained: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        trained(name=f"runs/{name}")
    with pytest.raises(ConfigError, match=r"There are 2 runs in .*runs; name one of them, such as .*runs/a"):
        samcli.load(tmp_path / "runs")
    assert samcli.load(tmp_path / "runs" / "a").epoch == 1


def test_a_checkpoint_of_an_earlier_version_is_read_with_its_data(trained: Any, tmp_path: Path) -> None:
    run = trained("digits", "cnn")
    images, _ = images_of("digits", tmp_path)
    want = samcli.load(run.path).predict(images)
    content = checkpoint.load(run.checkpoint)
    del content["data"]
    checkpoint.save(run.checkpoint, content)
    assert torch.equal(samcli.load(run.path).predict(images), want)


def test_an_earlier_checkpoint_whose_images_are_gone_is_told(trained: Any, tmp_path: Path) -> None:
    run = trained(f"image-folder:{folder_of_images(tmp_path / 'pets')}")
    content = checkpoint.load(run.checkpoint)
    del content["data"]
    checkpoint.save(run.checkpoint, content)
    shutil.rmtree(tmp_path / "pets")
    with pytest.raises(DataError, match=r"are not in .*pets any more"):
        samcli.load(run.path)


def folder_of_images(folder: Path, kind: str = "L") -> Path:
    random = np.random.default_rng(0)
    for name, low in (("cat", 0), ("dog", 100)):
        (folder / name).mkdir(parents=True)
        for i in range(15):
            shape = (10 + i, 14) if kind == "L" else (10 + i, 14, 3)
            pixels = random.integers(low, low + 150, shape).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{i}.png")
    return folder


@pytest.mark.parametrize("kind, channels", [("L", 1), ("RGB", 3)])
def test_files_become_the_pixels_of_training(trained: Any, tmp_path: Path, kind: str, channels: int) -> None:
    folder = folder_of_images(tmp_path / "pets", kind)
    run = trained(f"image-folder:{folder}", "linear", "dataset.size=12")
    source = DATASETS.create(f"image-folder:{folder}", size=12).source(tmp_path)
    shutil.copytree(folder, tmp_path / "copies")
    shutil.rmtree(folder)  # the network needs no data set
    network = samcli.load(run.path)
    read = network.raw(sorted((tmp_path / "copies").glob("*/*.png")))
    assert read.shape == (30, 12, 12, channels)
    trained_on = {image.numpy().tobytes() for image in torch.cat([source.inputs, source.test_inputs])}
    assert {image.numpy().tobytes() for image in read} == trained_on


@pytest.mark.parametrize("held", ["memory", "kept", "stream"])
@pytest.mark.parametrize(
    "options",
    [
        {"size": 8, "width": 20, "resize": "crop"},
        {"size": 20, "width": 8, "resize": "stretch"},
        {"size": 12, "width": 16, "resize": "pad", "shrink": 2},
        {"shrink": 4},  # of squares of 64 pixels
    ],
    ids=str,
)
def test_so_they_do_in_every_way_to_another_size(
    trained: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], held: str
) -> None:
    folder = folder_of_images(tmp_path / "pets", "RGB")
    deep = Image.fromarray(np.arange(0, 36000, 200).reshape(12, 15).astype(np.uint16))
    deep.save(folder / "cat" / "deep.png")
    source = DATASETS.create(f"image-folder:{folder}", **options).source(tmp_path)
    forget_sources()
    monkeypatch.setenv(CACHE_DIR, str(tmp_path / "kept") if held == "kept" else "")
    chosen = [f"dataset.{key}={value}" for key, value in options.items()]
    run = trained(f"image-folder:{folder}", "linear", *chosen, f"dataset.stream={str(held == 'stream').lower()}")
    network = samcli.load(run.path)
    assert network.known.reading == source.reading
    assert network.known.reading["depth"] == {"low": 0, "high": 35800, "whole": True}
    read = network.raw(sorted(folder.glob("*/*.png")))
    trained_on = {image.numpy().tobytes() for image in torch.cat([source.inputs, source.test_inputs])}
    assert {image.numpy().tobytes() for image in read} == trained_on
    assert tuple(read.shape[1:]) == tuple(source.inputs.shape[1:])


def test_deep_images_are_brought_to_8_bits_by_the_range_of_training(trained: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / "deep" / name).mkdir(parents=True)
        for i in range(15):
            Image.fromarray(random.integers(0, 4096, (8, 8)).astype(np.uint16)).save(tmp_path / f"deep/{name}/{i}.png")
    run = trained(f"image-folder:{tmp_path / 'deep'}", "linear")
    network = samcli.load(run.path)
    assert network.known.reading["depth"]["whole"]
    brighter = Image.fromarray(np.array([[16, 4095], [65535, 0]], np.uint16).repeat(4, 0).repeat(4, 1))
    assert network.raw(brighter)[0, [0, 0, 7, 7], [0, 7, 0, 7], 0].tolist() == [1, 255, 255, 0]


@pytest.mark.parametrize(
    "parts, sentence",
    [
        ({"kind": "sounds"}, r"no sound value of data\.kind"),
        ({"shape": [1, 9, 9]}, r"weight is \(64, 64\) and should be \(64, 81\)"),
        ({"shape": [3, 2**30, 2**30]}, "do not have the shape"),
        ({"shape": [64]}, r"inputs of images do not have the shape \[64\]"),
        ({"mean": torch.zeros(2)}, "mean and std must have 1 numbers"),
        ({"std": torch.zeros(1)}, "a standard deviation is not above 0"),
        ({"std": "1"}, "mean and std must have 1 numbers"),
        ({"mean": torch.full((1,), float("nan"))}, "mean or std is not finite"),
        ({"task": {"name": "classification"}}, "number"),
        ({"task": {"name": "classification", "number": 10.0}}, "the number of its task is 10.0"),
        (
            {"task": {"name": "classification", "number": 10**12}},
            "a classification does not have 1000000000000 outputs",
        ),
        ({"task": {"name": "classification", "number": 11}}, "there are 10 class names for 11 classes"),
        ({"task": {"name": "classification", "number": 2**24}, "class_names": []}, r"should be \(16777216, 64\)"),
        ({"task": {"name": "telepathy"}}, "there is no task named 'telepathy'"),
        ({"task": {"name": "regression", "std": 0.0}, "class_names": []}, "Targets cannot have the mean 0"),
        ({"task": {"name": "regression", "colour": "red"}, "class_names": []}, "a regression has no 'colour'"),
        ({"vocabulary": 7}, "a vocabulary without tokens"),
        ({"reading": {"size": {7}}}, "holds a set"),
    ],
)
def test_a_strangers_entry_is_not_trusted(trained: Any, parts: dict[str, Any], sentence: str) -> None:
    run: RunFolder = trained()
    change(run.checkpoint, **parts)
    with pytest.raises(CheckpointError, match=sentence):
        samcli.load(run.path)


@pytest.mark.parametrize("reading", [{"size": [8]}, {"size": [8, 8], "channels": 4}, {"size": [8, 8], "x": 1}])
def test_a_reading_that_is_none_leaves_arrays(trained: Any, reading: dict[str, Any]) -> None:
    run = trained()
    change(run.checkpoint, reading=reading)
    network = samcli.load(run.path)
    assert network.predict(torch.zeros(1, 8, 8, 1).byte()).shape == (1, 10)
    with pytest.raises(DataError, match="does not say how images of its shape are read"):
        network.predict(Image.new("L", (8, 8)))
