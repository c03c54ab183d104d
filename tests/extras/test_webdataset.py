"""Shards that the library webdataset writes, and what it reads of any: the same examples in the same order."""

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcli.data import DATASETS, Source

wds = pytest.importorskip("webdataset")
pytestmark = [  # it leaves shards open that it has read
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

N = 50


def image(i: int) -> Any:
    return np.random.default_rng(i).integers(0, 256, (7, 9, 3), dtype=np.uint8)


def by_the_library(*shards: Path, suffixes: tuple[str, str] = ("png", "cls")) -> Iterator[tuple[Any, Any]]:
    reader = wds.WebDataset([str(shard) for shard in shards], shardshuffle=False, empty_check=False)
    yield from reader.decode("rgb8").to_tuple(*suffixes)


def assert_same(got: Source, part: str, expected: list[tuple[Any, int]]) -> None:
    inputs, targets = {name: (images, classes) for name, images, classes in got.parts()}[part]
    assert len(inputs) == len(expected)
    for mine, target, (theirs, label) in zip(inputs, targets.tolist(), expected, strict=True):
        assert torch.equal(mine, torch.from_numpy(np.array(theirs)))
        assert target == label


@pytest.mark.parametrize("form", ["USTAR_FORMAT", "GNU_FORMAT", "PAX_FORMAT"])
def test_what_its_writer_writes(tmp_path: Path, form: str) -> None:
    for part, first in (("train", 0), ("test", N), ("val", 2 * N)):
        pattern = str(tmp_path / f"{part}-%06d.tar")
        with wds.ShardWriter(pattern, maxcount=20, verbose=0, format=form) as writer:
            for i in range(first, first + N):
                writer.write(
                    {
                        "__key__": f"{'deep/' * (i % 30)}sample{i:06d}",
                        "png": image(i),
                        "cls": i % 4,
                        "json": {"label": 99, "caption": "not read beside the other"},
                        "seg.png": image(i + 7),
                    }
                )
    got = DATASETS.create(f"wds:{tmp_path}").source(Path())
    for name, word in (("training", "train"), ("test", "test"), ("validation", "val")):
        shards = sorted(tmp_path.glob(f"{word}-*.tar"))
        assert len(shards) == 3
        assert_same(got, name, list(by_the_library(*shards)))
    assert "seg.png: 150" in got.notes[0]


def test_classes_that_are_named(tmp_path: Path) -> None:
    names = ("dog", "cat")
    for part in ("train", "test"):
        with wds.TarWriter(str(tmp_path / f"{part}.tar")) as writer:
            for i in range(N):
                writer.write({"__key__": f"{part}{i}", "png": image(i), "json": {"label": names[i % 2]}})
    got = DATASETS.create(f"wds:{tmp_path}").source(Path())
    read = by_the_library(tmp_path / "train.tar", suffixes=("png", "json"))
    assert_same(got, "training", [(pixels, sorted(names).index(document["label"])) for pixels, document in read])


def test_the_keys_of_names_with_dots_and_folders_are_its_keys(tmp_path: Path) -> None:
    """A tar as other programs write it: what the library finds no example in, `wds:` passes over as well."""
    stems = ["a", "./b", "x.y/c", "deep/er/d", "UPPER", "sp ace", "caf\u00e9", "__e", "f-g_h"]
    for part in ("train", "test"):
        with tarfile.open(tmp_path / f"{part}.tar", "w") as tar:
            for i, stem in enumerate(stems):
                file = io.BytesIO()
                Image.fromarray(image(i)).save(file, "png")
                other = (".hidden.png", b"x"), ("none", b"x"), ("__info__/x.json", json.dumps({"label": 1}).encode())
                for name, content in (
                    (f"{stem}.PNG", file.getvalue()),
                    (f"{stem}.cls", b"%d" % (i % 2)),
                    (f"{stem}.0.png", b"another"),
                    *other[: 3 * (i == 4)],
                ):
                    info = tarfile.TarInfo(name)
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
    got = DATASETS.create(f"wds:{tmp_path}").source(Path())
    reader = wds.WebDataset(str(tmp_path / "train.tar"), shardshuffle=False, empty_check=False)
    kept = [sample for sample in reader if "png" in sample]
    assert len(kept) == len(stems)
    expected = [(np.array(Image.open(io.BytesIO(sample["png"]))), int(sample["cls"])) for sample in kept]
    assert_same(got, "training", expected)
