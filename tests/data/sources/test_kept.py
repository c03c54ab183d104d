"""Folders that need not fit into memory: the same bits from a mapped file, from the files themselves, and in memory."""

import multiprocessing
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcli.data import DATASETS, Dataset, SharedSource, Source, contents, forget_sources, load
from samcli.data.cache_dir import CACHE_DIR
from samcli.data.classes import of_classes
from samcli.data.lazy import LazyImages
from samcli.data.reading import watched_by
from samcli.data.sources._kept import HEADER, KeptImages, _holds
from samcli.errors import ConfigError, DataError

EVERYTHING = ("crop", "flip", "rand-augment", "random-erasing", "cutout", "cutmix")


class Heard:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.read, self.sentences = [0], list[str]()

    def reading(self, number: int) -> Any:
        import contextlib

        self.read.append(0)

        def advance(more: int) -> None:
            self.read[-1] += more

        return contextlib.nullcontext(advance)

    def told(self, sentence: str) -> None:
        self.sentences.append(sentence)


def make(root: Path, n: int = 12, parts: tuple[str, ...] = (".",), sides: tuple[int, int] = (9, 12)) -> Path:
    generator = np.random.default_rng(0)
    for part in parts:
        for c in ("cat", "dog", "eel"):
            (root / part / c).mkdir(parents=True)
            for i in range(n):
                pixels = generator.integers(0, 256, (*sides, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / c / f"{i}.png")
    return root


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE_DIR, str(tmp_path / "kept"))
    return tmp_path / "kept"


def loaded(root: Path, way: str, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Dataset:
    forget_sources()
    monkeypatch.setenv(CACHE_DIR, str(root.parent / "kept") if way == "kept" else "")
    if way == "stream":
        options["stream"] = True
    return load(DATASETS.create(f"image-folder:{root}", **options), seed=3, data_dir=Path(), device="cpu")


def everything(dataset: Dataset) -> list[torch.Tensor]:
    found = [dataset.mean, dataset.std, dataset.train.subset(7, seed=0).inputs]
    for epoch in (2, 1):
        found += [tensor for batch in dataset.epoch(epoch, 8, 1) for tensor in batch]
    for part in (dataset.train, dataset.validation, dataset.test):
        found += [tensor for batch in part.batches(10) for tensor in batch] if part else []
    return found


@pytest.mark.parametrize("way", ["kept", "stream"])
@pytest.mark.parametrize("parts", [(".",), ("train", "test"), ("train", "test", "val")])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"augment": EVERYTHING, "train_examples": 20},
        {"augment": ("flip", "cutout"), "size": 6, "width": 10, "resize": "pad", "label_noise": 0.5},
        {"augment": ("crop", "cutmix"), "shrink": 3},
        {"augment": ("flip",), "classes": (2, 0)},
    ],
)
def test_every_way_gives_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, parts: tuple[str, ...], options: dict[str, Any]
) -> None:
    root = make(tmp_path / "pets", parts=parts)
    if "val" not in parts:
        options = {**options, "validation": 0.25}
    expected = everything(loaded(root, "memory", monkeypatch, **options))
    for _ in range(2):  # a file that is made, and one that is there
        dataset = loaded(root, way, monkeypatch, **options)
        assert isinstance(dataset.train.inputs, LazyImages)
        got = everything(dataset)
        assert len(got) == len(expected)
        assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


@pytest.mark.parametrize("way", ["kept", "stream"])
def test_what_is_said_of_the_images_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    root = make(tmp_path / "pets", n=6)
    for i in range(6):  # all of a class are equal, and some are in the test part too
        Image.fromarray(np.full((9, 12, 3), 7, np.uint8)).save(root / "cat" / f"{i}.png")
    said = []
    for one in ("memory", way):
        forget_sources()
        monkeypatch.setenv(CACHE_DIR, str(tmp_path / "kept") if one == "kept" else "")
        kind = DATASETS.create(f"image-folder:{root}", stream=one == "stream")
        said.append(contents(kind, Path()))
    assert said[0] == said[1]
    assert "all 4 training images of cat are equal" in said[0].summary
    assert "test images are training images too" in said[0].summary


def source(root: Path, **options: Any) -> Source:
    return DATASETS.create(f"image-folder:{root}", **options).source(Path())


def test_a_folder_is_decoded_once(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root, heard = make(tmp_path / "pets"), Heard()
    with watched_by(heard):
        first = source(root).inputs[:]
        (file,) = kept.iterdir()
        assert file.stat().st_size == HEADER + 36 * 9 * 12 * 3
        monkeypatch.setattr(Image, "open", None)  # no image is opened any more
        assert torch.equal(source(root, split_seed=0).inputs[:], first)
    assert heard.read == [0, 36]
    assert len(heard.sentences) == 1
    assert heard.sentences[0].startswith(f"36 images decoded into {file} (0.00 GiB, ")


def test_other_images_and_other_options_have_another_file(tmp_path: Path, kept: Path) -> None:
    root = make(tmp_path / "pets")
    for options in ({}, {"size": 8}, {"size": 8, "resize": "pad"}, {"shrink": 3}):
        source(root, **options)
    assert len(list(kept.iterdir())) == 4
    source(root, split_seed=4)  # the split is no matter of the file
    assert len(list(kept.iterdir())) == 4
    Image.fromarray(np.zeros((9, 12, 3), np.uint8)).save(root / "cat" / "0.png")
    everything_there = source(root)
    assert len(list(kept.iterdir())) == 5
    images = torch.cat([everything_there.inputs[:], everything_there.test_inputs[:]])
    assert int((images == 0).all(3).all(2).all(1).sum()) == 1


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"cut", b"header"])
def test_a_file_that_is_not_whole_is_made_again(tmp_path: Path, kept: Path, damage: bytes) -> None:
    root = make(tmp_path / "pets")
    expected = source(root).inputs[:]
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    damaged = {b"cut": whole[:-1], b"header": whole.replace(b'"shape": [36', b'"shape": [35')}
    file.write_bytes(damaged.get(damage, damage))
    assert torch.equal(source(root).inputs[:], expected)
    assert file.read_bytes() == whole


def test_a_damaged_image_leaves_no_file(tmp_path: Path, kept: Path) -> None:
    root = make(tmp_path / "pets")
    noise = np.random.default_rng(1).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).save(root / "dog" / "3.jpg")
    content = (root / "dog" / "3.jpg").read_bytes()
    (root / "dog" / "3.jpg").write_bytes(content[:-60])  # its header is whole
    with pytest.raises(DataError, match=r"3\.jpg is not a readable image"):
        source(root)
    assert list(kept.iterdir()) == []


def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv(CACHE_DIR, str(tmp_path / "file" / "below"))
    with pytest.raises(DataError, match=r"choose another folder with --cache-dir, or set dataset\.stream=true"):
        source(make(tmp_path / "pets"))


def test_a_full_disk_is_a_sentence(tmp_path: Path, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(DataError, match=r"No space left on device; 0\.0 GiB are needed"):
        source(make(tmp_path / "pets"))
    assert list(kept.iterdir()) == []


def sum_of(root: Path, results: Any) -> None:
    results.put(int(source(root).inputs[:].long().sum()))


def test_two_processes_that_make_it_at_once_are_both_right(tmp_path: Path, kept: Path) -> None:
    root = make(tmp_path / "pets", n=40)
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=sum_of, args=(root, results)) for _ in range(2)]
    for process in processes:
        process.start()
    sums = {results.get(timeout=60) for _ in processes}
    for process in processes:
        process.join()
    (file,) = kept.iterdir()  # nothing is left beside it
    assert sums == {int(source(root).inputs[:].long().sum())}
    assert file.suffix == ".images"


def hold(path: Path, begun: Any, end: Any) -> None:
    with path.open("xb") as file:
        _holds(file)
        file.write(b"pixels")
        file.flush()
        begun.set()
        end.wait(60)


def test_what_killed_processes_left_is_removed(tmp_path: Path, kept: Path) -> None:
    """Another process holds one of two files of the same age, and is killed then."""
    kept.mkdir()
    held, left = (kept / f".0123.images.{pid}-89abcdef.tmp" for pid in (1, 2))
    new = kept / ".0123.images.3-89abcdef.tmp"
    context = multiprocessing.get_context("spawn")
    begun, end = context.Event(), context.Event()
    process = context.Process(target=hold, args=(held, begun, end))
    process.start()
    assert begun.wait(60)
    for file in (left, new):
        file.write_bytes(b"pixels")
    for file in (left, held):
        os.utime(file, (0, 0))
    forget_sources()
    source(make(tmp_path / "pets"))
    assert held.exists()
    assert not left.exists()
    assert new.exists()
    process.kill()
    process.join()
    forget_sources()
    source(make(tmp_path / "others", n=6))
    assert not held.exists()


@pytest.mark.parametrize("way", ["kept", "stream"])
def test_another_process_gets_what_is_known_of_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    root = make(tmp_path / "pets", parts=("train", "test", "val"))
    monkeypatch.setenv(CACHE_DIR, str(tmp_path / "kept") if way == "kept" else "")
    own = source(root, stream=way == "stream")
    expected = own.inputs.histograms(), own.test_inputs.hashes()  # type: ignore[attr-defined]
    shared = SharedSource(own)
    monkeypatch.setenv(CACHE_DIR, "")
    given = shared.source()
    shared.close()
    for (_, images, targets), (_, same, same_targets) in zip(own.parts(), given.parts(), strict=True):
        assert torch.equal(images[:], same[:])
        assert torch.equal(targets, same_targets)
    with watched_by(heard := Heard()):
        assert torch.equal(given.inputs.histograms(), expected[0])  # type: ignore[attr-defined]
        assert given.test_inputs.hashes() == expected[1]  # type: ignore[attr-defined]
    assert heard.read == [0]  # no pass


def test_a_file_that_is_gone_ends_the_epoch_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = loaded(make(tmp_path / "pets"), "stream", monkeypatch)
    for file in (tmp_path / "pets" / "cat").iterdir():
        file.unlink()
    with pytest.raises(DataError, match="is not a readable image"):
        list(dataset.epoch(1, 4, 0))


def test_an_epoch_that_is_left_stops_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    dataset = loaded(make(tmp_path / "pets"), "stream", monkeypatch)
    before = threading.active_count()
    batches = dataset.epoch(1, 2, 0)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before


def test_one_file_serves_all_runs_of_a_process_without_copies(tmp_path: Path, kept: Path) -> None:
    root = make(tmp_path / "pets", parts=("train", "test"))
    kind = DATASETS.create(f"image-folder:{root}", validation=0.5, augment=("crop", "flip"))
    first, second = (load(kind, seed=seed, data_dir=Path(), device="cpu") for seed in (0, 1))
    assert isinstance(first.train.inputs, LazyImages)
    assert isinstance(first.train.inputs._stored, KeptImages)
    assert first.train.inputs._stored is second.train.inputs._stored


def test_shrink_that_does_not_divide_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="shrink: 2 does not divide images of 12×9 pixels"):
        source(make(tmp_path / "pets"), shrink=2)


def test_sides_that_are_not_equal(tmp_path: Path) -> None:
    root = make(tmp_path / "pets")
    for resize in ("crop", "stretch", "pad"):
        got = source(root, size=6, width=16, resize=resize)
        assert got.inputs.shape[1:] == (6, 16, 3)
        assert got.notes == ("brought to 16×6",)
    assert (source(root, size=6, width=16, resize="pad").inputs[:, :, :4] == 0).all()
    with pytest.raises(ConfigError, match="width: 9 needs the height as well"):
        source(root, width=9)


@pytest.mark.parametrize("way", ["kept", "stream"])
def test_some_of_the_classes_are_chosen_without_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    root = make(tmp_path / "pets", parts=("train", "test", "val"))
    kind = DATASETS.create(f"image-folder:{root}", classes=(2, 0))
    expected, told = of_classes(kind.source(Path()), (2, 0)), contents(kind, Path())
    monkeypatch.setenv(CACHE_DIR, str(tmp_path / "kept") if way == "kept" else "")
    lazy = source(root, stream=way == "stream")
    with watched_by(heard := Heard()):
        some = of_classes(lazy, (2, 0))
    assert heard.read == [0]
    for (_, images, targets), (_, same, same_targets) in zip(expected.parts(), some.parts(), strict=True):
        assert isinstance(same, LazyImages)
        assert torch.equal(same[:], images)
        assert torch.equal(same_targets, targets)
    assert (some.shape, some.reading) == (expected.shape, expected.reading)
    forget_sources()
    assert contents(DATASETS.create(f"image-folder:{root}", classes=(2, 0), stream=way == "stream"), Path()) == told
