from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image

from samcli.data import DATASETS, Source, contents, digest, load
from samcli.data.sources._images import read_images
from samcli.errors import ConfigError, DataError


def pixels(height: int, width: int, channels: int = 3, seed: int = 0) -> npt.NDArray[np.uint8]:
    values = np.random.default_rng(seed).integers(256, size=(height, width, channels), dtype=np.uint8)
    return values[:, :, 0] if channels == 1 else values


def save(path: Path, array: npt.NDArray[Any], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, **options)
    return path


def make(
    root: Path,
    classes: Sequence[str] = ("cat", "dog"),
    n: int = 5,
    size: tuple[int, int] = (6, 8),
    channels: int = 3,
    suffix: str = "png",
) -> None:
    for c, name in enumerate(classes):
        for i in range(n):
            save(root / name / f"{i}.{suffix}", pixels(*size, channels, seed=100 * c + i))


def source(root: Path, **options: Any) -> Source:
    return DATASETS.create(f"image-folder:{root}", **options).source(root)


def test_train_and_test_folders(tmp_path: Path) -> None:
    make(tmp_path / "train", n=5)
    make(tmp_path / "test", n=2)
    got = source(tmp_path)
    assert got.inputs.shape == (10, 6, 8, 3)
    assert got.test_inputs.shape == (4, 6, 8, 3)
    assert got.class_names == ("cat", "dog")
    assert got.targets.tolist() == [0] * 5 + [1] * 5
    assert got.test_targets.tolist() == [0, 0, 1, 1]
    assert np.array_equal(got.inputs[7], pixels(6, 8, seed=102))  # png loses nothing
    assert load(DATASETS.create(f"image-folder:{tmp_path}"), seed=0, data_dir=tmp_path, device="cpu").shape == (3, 6, 8)


def test_one_folder_is_split_80_to_20_by_its_own_seed(tmp_path: Path) -> None:
    make(tmp_path, classes=("a", "b", "c"), n=10)
    got = source(tmp_path)
    assert (got.targets.bincount().tolist(), got.test_targets.bincount().tolist()) == ([8] * 3, [2] * 3)
    assert torch.equal(got.test_inputs, source(tmp_path).test_inputs)
    assert not torch.equal(got.test_inputs, source(tmp_path, split_seed=1).test_inputs)


def test_grey_images_keep_one_channel(tmp_path: Path) -> None:
    make(tmp_path, channels=1)
    assert source(tmp_path).inputs.shape[-1] == 1


def test_a_single_colour_image_makes_all_rgb(tmp_path: Path) -> None:
    make(tmp_path, channels=1)
    save(tmp_path / "cat" / "colour.png", pixels(6, 8))
    got = source(tmp_path)
    assert got.inputs.shape[-1] == 3


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256], [32768, 65280, 65535]], dtype=np.uint16)
    read, _ = read_images([save(tmp_path / "deep.png", values)], None)
    assert read[0, :, :, 0].tolist() == [[0, 0, 1], [128, 255, 255]]


def test_different_sizes_become_squares_of_64(tmp_path: Path) -> None:
    make(tmp_path, size=(90, 70))
    save(tmp_path / "cat" / "wide.jpg", pixels(40, 100))
    assert source(tmp_path).inputs.shape[1:] == (64, 64, 3)


def test_a_given_size_takes_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((10, 30, 3), dtype=np.uint8)
    wide[:, 10:20] = 200
    read, _ = read_images([save(tmp_path / "wide.png", wide)], 10)
    assert read.shape == (1, 10, 10, 3)
    assert (read == 200).all()
    assert read_images([tmp_path / "wide.png"], 5)[0].shape == (1, 5, 5, 3)


def test_a_photograph_lying_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate by 90° clockwise to show"
    array = pixels(4, 7)
    path = save(tmp_path / "side.png", array, exif=exif)
    read, _ = read_images([path], None)
    assert np.array_equal(read[0], np.rot90(array, k=-1))


def test_many_files_keep_their_order(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{i}.png", np.full((2, 2, 3), i, dtype=np.uint8)) for i in range(200)]
    assert read_images(files, None)[0][:, 0, 0, 0].tolist() == list(range(200))


def test_hidden_and_other_files_are_no_images(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "cat" / "._0.png").write_bytes(b"left by another system")
    (tmp_path / "cat" / "notes.txt").write_text("not an image")
    (tmp_path / ".cache").mkdir()
    assert len(source(tmp_path).inputs) == 8


@pytest.mark.parametrize("content", [b"", b"this is no image", None])
def test_a_damaged_image_is_named(tmp_path: Path, content: bytes | None) -> None:
    make(tmp_path, suffix="jpg", size=(64, 64))
    path = tmp_path / "dog" / "3.jpg"
    path.write_bytes(path.read_bytes()[:1500] if content is None else content)
    with pytest.raises(DataError) as caught:
        source(tmp_path)
    assert str(caught.value).startswith(f"{path} is not a readable image (")
    assert str(caught.value).endswith("; repair it or take it out of the folder.")


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"There is no folder .*nowhere; give the folder of images as image-folder:PATH"
    ):
        source(tmp_path / "nowhere")


def test_too_few_classes(tmp_path: Path) -> None:
    make(tmp_path, classes=("cat",))
    with pytest.raises(DataError, match="has 1 class folder and two are needed"):
        source(tmp_path)


def test_a_class_without_images(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "eel").mkdir()
    with pytest.raises(DataError, match=r"The class folder .*eel has no images"):
        source(tmp_path)


def test_train_without_test(tmp_path: Path) -> None:
    make(tmp_path / "train")
    make(tmp_path / "val")
    with pytest.raises(DataError, match="has train/ and no test/; add that folder"):
        source(tmp_path)


def test_train_and_test_with_other_classes(tmp_path: Path) -> None:
    make(tmp_path / "train", classes=("cat", "dog"))
    make(tmp_path / "test", classes=("cat", "eel"))
    with pytest.raises(DataError, match="must have the same classes; only one has: dog, eel"):
        source(tmp_path)


def test_a_validation_folder_is_the_validation_part(tmp_path: Path) -> None:
    make(tmp_path / "train", n=5)
    make(tmp_path / "val", n=3, size=(9, 9))
    make(tmp_path / "test", n=2)
    got = source(tmp_path, size=6)
    assert got.validation is not None
    assert (len(got.inputs), len(got.test_inputs), got.validation[1].tolist()) == (10, 4, [0] * 3 + [1] * 3)
    assert got.notes == ("brought to 6×6", "val/ is the validation part")
    kind = DATASETS.create(f"image-folder:{tmp_path}", size=6)
    loaded = load(kind, seed=0, data_dir=tmp_path, device="cpu")
    assert loaded.validation is not None
    assert torch.equal(loaded.validation.inputs, got.validation[0])
    held_out = DATASETS.create(f"image-folder:{tmp_path}", size=6, validation=0.2)
    with pytest.raises(ConfigError, match=r"validation: 0\.2 would hold out training examples, and .* of its own"):
        load(held_out, seed=0, data_dir=tmp_path, device="cpu")


def test_a_rare_class_is_in_the_test_part_too(tmp_path: Path) -> None:
    make(tmp_path, classes=("a",), n=100)
    make(tmp_path, classes=("b",), n=2)
    assert source(tmp_path).test_targets.bincount().tolist() == [20, 1]


def test_a_line_says_what_a_folder_holds(tmp_path: Path) -> None:
    root = tmp_path / "pets"
    make(root, classes=("cat", "dog"), n=12)
    make(root, classes=("platypus",), n=2, size=(9, 9))
    for name in ("cat/a.txt", "cat/b.txt", "dog/c.txt", "LICENSE"):
        (root / name).write_text("no image")
    kind = DATASETS.create(f"image-folder:{root}")
    found = contents(kind, tmp_path)
    assert found.summary == (
        "pets: 26 images, 3 classes (platypus: 2), brought to 64×64, 4 other files passed over (txt: 3, no suffix: 1)"
    )
    assert (found.examples, found.test_examples, found.classes) == (26, 5, 3)
    assert found.digest == digest(kind, tmp_path) == digest(DATASETS.create(f"image-folder:{root}", size=8), tmp_path)
    (root / "cat" / "0.png").unlink()
    assert digest(kind, tmp_path) != found.digest
    again = contents(kind, tmp_path)  # and what has changed is read again
    assert (again.examples, again.digest) == (25, digest(kind, tmp_path))


def test_no_image_is_decoded_for_a_digest(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "cat" / "0.png").write_bytes(b"damaged")
    assert len(digest(DATASETS.create(f"image-folder:{tmp_path}"), tmp_path)) == 64


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("caf\udce9/cats", r"The path .*caf\\udce9/cats is not written in UTF-8; rename the file or folder\."),
        ("nul\0byte", "names no folder"),
        ("~nobody-of-this-name/cats", "names no folder"),
    ],
)
def test_paths_that_cannot_be_kept_are_refused(path: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        DATASETS.canonical(f"image-folder:{path}")
