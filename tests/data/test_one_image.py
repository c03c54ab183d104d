"""One image, read as a folder of images is."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcli.data import DATASETS
from samcli.data.one_image import ImageReading, image_pixels, reading_of
from samcli.data.sources._images import ImageFiles
from samcli.data.sources._reading import image_reading
from samcli.data.sources._resized import WAYS, Resizing
from samcli.errors import DataError


def saved(folder: Path) -> list[Path]:
    """Images that become others on the way: lying on their side, transparent, with a palette, of any size."""
    random = np.random.default_rng(0)
    colours = Image.fromarray(random.integers(0, 256, (20, 30, 3)).astype(np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    colours.save(folder / "turned.jpg", exif=exif)
    colours.save(folder / "plain.png")
    colours.convert("P").save(folder / "palette.gif")
    veiled = colours.convert("RGBA")
    veiled.putalpha(Image.fromarray(random.integers(0, 256, (20, 30)).astype(np.uint8)))
    veiled.save(folder / "veiled.png")
    colours.convert("L").resize((11, 9)).save(folder / "grey.png")
    return sorted(folder.iterdir())


RESIZINGS = [Resizing((h, w), way, shrink) for way in WAYS for h, w, shrink in ((12, 12, 1), (18, 6, 1), (8, 48, 4))]


@pytest.mark.parametrize("resizing", [*RESIZINGS, Resizing(None, "pad"), Resizing(None, "stretch", 8)], ids=str)
def test_so_it_has_in_every_way_to_another_size(tmp_path: Path, resizing: Resizing) -> None:
    found = ImageFiles.of(saved(tmp_path), resizing)
    images = found.all()
    document = image_reading(images, found.depth, way=resizing.way, shrink=resizing.shrink)
    reading = reading_of(json.loads(json.dumps(document)))
    for file, image in zip(found.files, images, strict=True):
        assert torch.equal(image_pixels(file, reading), image)


@pytest.mark.parametrize(
    "options",
    [{}, {"shrink": 2}, {"size": 5}, {"size": 12, "width": 20, "shrink": 4}]
    + [{"size": 9, "width": 6, "resize": way} for way in WAYS],
    ids=str,
)
def test_a_published_image_in_a_file_has_the_pixels_of_training(tmp_path: Path, options: dict[str, Any]) -> None:
    published = DATASETS.create("digits").source(tmp_path)
    source = DATASETS.create("digits", **options).source(tmp_path)
    reading = reading_of(source.reading)
    for before, after in zip(published.inputs[:20], source.inputs, strict=False):
        Image.fromarray(before[:, :, 0].numpy()).save(tmp_path / "digit.png")
        assert torch.equal(image_pixels(tmp_path / "digit.png", reading), after)


@pytest.mark.parametrize("size", [None, 9, 40])
def test_each_file_has_the_pixels_that_it_has_in_its_folder(tmp_path: Path, size: int | None) -> None:
    files = saved(tmp_path)
    found = ImageFiles.of(files, Resizing(None if size is None else (size, size)))
    images = found.all()
    reading = reading_of(image_reading(images, found.depth))
    for file, image in zip(files, images, strict=True):
        assert torch.equal(image_pixels(file, reading), image)
        with Image.open(file) as opened:
            before = opened.size, opened.mode
            assert torch.equal(image_pixels(opened, reading), image)
            assert (opened.size, opened.mode) == before


@pytest.mark.parametrize("high, kind", [(4096, np.uint16), (70000, np.int32), (1.0, np.float32), (900.0, np.float32)])
def test_deep_files_too(tmp_path: Path, high: float, kind: type) -> None:
    values = (np.random.default_rng(0).random((3, 8, 8)) * high).astype(kind)
    files = [tmp_path / f"{i}.tif" for i in range(3)]
    for file, image in zip(files, values, strict=True):
        Image.fromarray(image).save(file)
    found = ImageFiles.of(files, Resizing())
    images = found.all()
    reading = reading_of(image_reading(images, found.depth))
    for file, decoded in zip(files, images, strict=True):
        assert torch.equal(image_pixels(file, reading), decoded)
    brighter = Image.fromarray(np.full((8, 8), 2 * high, np.float32))
    assert (image_pixels(brighter, reading) >= images.max()).all()  # and not what is left of it modulo 256


def test_what_is_no_image_is_told(tmp_path: Path) -> None:
    reading = ImageReading(size=(8, 8), channels=1)
    (tmp_path / "torn.png").write_bytes(b"\x89PNG")
    (tmp_path / "nan.tif").touch()
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(tmp_path / "nan.tif")
    for name, sentence in (("torn.png", "torn.png is not a readable image"),
                           ("absent.png", "absent.png; name an image"),
                           ("nan.tif", "nan.tif has more than 8 bits, and no training image had")):  # fmt: skip
        with pytest.raises(DataError, match=sentence):
            image_pixels(tmp_path / name, reading)
    deep = reading_of({"size": [8, 8], "channels": 1, "depth": {"low": 0.0, "high": 1.0, "whole": False}})
    with pytest.raises(DataError, match="not finite"):
        image_pixels(tmp_path / "nan.tif", deep)


def test_a_scan_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    Image.new("1", (2**15, 2**14)).save(tmp_path / "scan.png")
    with pytest.raises(DataError, match="pixels are more than the"):
        image_pixels(tmp_path / "scan.png", ImageReading(size=(8, 8), channels=1))


@pytest.mark.parametrize(
    "document",
    [{}, {"size": [8, 0], "channels": 1}, {"size": [8, 2**20], "channels": 1}, {"size": [8, 8], "channels": 2},
     {"size": [8, 8], "channels": 1, "depth": {"low": 0, "high": float("inf"), "whole": True}},
     {"size": [8, 8], "channels": 1, "resize": "squash"}, {"size": [8, 8], "channels": 1, "shrink": 0},
     {"size": [8, 6], "channels": 1, "shrink": 4}],
)  # fmt: skip
def test_a_reading_that_is_none(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"^(size|channels|depth|resize|shrink)"):
        reading_of(document)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_that_nobody_writes_to_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match=r"pipe\.png is not a readable image \(it is no file\)"):
        image_pixels(tmp_path / "pipe.png", ImageReading(size=(2, 2), channels=3))
