"""Shards of a WebDataset: the images, classes and parts that they hold, and what is refused."""

import io
import json
import os
import tarfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from samcli.data import DATASETS, Dataset, SharedSource, Source, contents, digest, forget_sources, load
from samcli.data.cache_dir import CACHE_DIR
from samcli.data.lazy import LazyImages
from samcli.errors import DataError

Members = Iterable[tuple[str, bytes]]


def png(seed: int, sides: tuple[int, int] = (6, 8), form: str = "png") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*sides, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def pixels(content: bytes) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(io.BytesIO(content))))


def write(path: Path, members: Members, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", **options) as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def examples(numbers: Iterable[int], classes: int = 3) -> list[tuple[str, bytes]]:
    """Images of these numbers and their classes."""
    return [pair for i in numbers for pair in ((f"{i:04d}.png", png(i)), (f"{i:04d}.cls", b"%d" % (i % classes)))]


def in_parts(root: Path) -> Path:
    write(root / "train-000000.tar", examples(range(9)))
    write(root / "train-000001.tar", examples(range(9, 15)))
    write(root / "test-000000.tar", examples(range(100, 106)))
    return root


def source(root: Path, **options: Any) -> Source:
    return DATASETS.create(f"wds:{root}", **options).source(Path())


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as error:
        source(root)
    return str(error.value)


def test_shards_of_parts(tmp_path: Path) -> None:
    got = source(in_parts(tmp_path))
    assert got.inputs.shape == (15, 6, 8, 3)
    assert got.test_inputs.shape == (6, 6, 8, 3)
    for i in range(15):
        assert torch.equal(got.inputs[i], pixels(png(i)))
    assert got.targets.tolist() == [i % 3 for i in range(15)]
    assert got.test_targets.tolist() == [i % 3 for i in range(100, 106)]
    assert got.class_names == ("0", "1", "2")
    assert got.notes == ()


@pytest.mark.parametrize(
    "names", [("train/0.tar", "TEST/0.tar", "valid/0.tar"), ("x-train-0.tar", "x-testing-0.tar", "x-validation-0.tar")]
)
def test_a_validation_part(tmp_path: Path, names: tuple[str, ...]) -> None:
    for part, name in enumerate(names):
        write(tmp_path / name, examples(range(9 * part, 9 * part + 9)))
    write(tmp_path / "extra.tar", examples(range(500, 503)))
    got = source(tmp_path)
    assert got.validation is not None
    assert torch.equal(got.validation[0][0], pixels(png(18)))
    word = "valid" if "valid/0.tar" in names else "validation"
    assert got.notes == ("1 other shard passed over (extra.tar)", f"{word} is the validation part")


def test_shards_without_parts_are_split_as_a_folder_is(tmp_path: Path) -> None:
    """The same images in the same order, as shards and as a folder of classes."""
    for i in range(30):
        file = tmp_path / "folder" / f"{i // 10}" / f"{i:04d}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(png(i))
    one = [pair for i in range(30) for pair in ((f"{i:04d}.png", png(i)), (f"{i:04d}.cls", b"%d\n" % (i // 10)))]
    write(tmp_path / "shards" / "0.tar", one[:14])
    write(tmp_path / "shards" / "1.tar", one[14:])
    write(tmp_path / "whole.tar", one)
    folder = DATASETS.create(f"image-folder:{tmp_path / 'folder'}", split_seed=3).source(Path())
    for root in (tmp_path / "shards", tmp_path / "whole.tar"):
        got = source(root, split_seed=3)
        for (_, *tensors), (_, *others) in zip(got.parts(), folder.parts(), strict=True):
            assert all(torch.equal(a, b) for a, b in zip(tensors, others, strict=True))
        assert got.class_names == folder.class_names
        assert got.reading == folder.reading


@pytest.mark.parametrize("label", [lambda i: i % 3, lambda i: ("dog", "cat", "eel")[i % 3]])
def test_classes_in_json(tmp_path: Path, label: Callable[[int], object]) -> None:
    members = [
        pair
        for i in range(30)
        for pair in (
            (f"{i}.json", json.dumps({"label": label(i), "url": "x"}).encode()),
            (f"{i}.JPG", png(i, form="jpeg")),
        )
    ]
    got = source(write(tmp_path / "a.tar", members))
    names = sorted({str(label(i)) for i in range(3)})
    assert got.class_names == tuple(names)
    whole = {tuple(pixels(png(i, form="jpeg")).flatten().tolist()): names.index(str(label(i))) for i in range(30)}
    for _, inputs, targets in got.parts():
        for image, target in zip(inputs, targets.tolist(), strict=True):
            assert whole[tuple(image.flatten().tolist())] == target


def test_a_list_of_class_names_stands_beside_the_shards(tmp_path: Path) -> None:
    write(tmp_path / "0.tar", examples(range(30)))
    (tmp_path / "classnames.txt").write_text("crane\ntabby cat\ncrane\nnever seen\n")
    got = source(tmp_path)
    assert got.class_names == ("crane (0)", "tabby cat", "crane (2)", "never seen")
    assert got.notes == ()
    assert "no training example of never seen" in contents(DATASETS.create(f"wds:{tmp_path}"), Path()).summary
    (tmp_path / "classnames.txt").write_text("crane\ntabby cat\n")
    assert f"{tmp_path}/classnames.txt has 2 classes and not 2, which images are of; add a line" in refusal(tmp_path)


def test_what_is_no_example_is_passed_over_and_told(tmp_path: Path) -> None:
    members = examples(range(30))
    members[2:2] = [("0000.txt", b"a caption"), ("0000.json", b"no JSON, and not looked at"), ("README", b"")]
    members += [("._0001.png", b"x"), ("__MACOSX/a.png", b"x"), ("__info__", b"x"), ("only.cls", b"7")]
    write(tmp_path / "0.tar", [])
    with tarfile.open(tmp_path / "0.tar", "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, kind in (("z.png", tarfile.SYMTYPE), ("y.png", tarfile.LNKTYPE), ("dev.png", tarfile.CHRTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        info = tarfile.TarInfo("folder.png")
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    (tmp_path / "nshards.txt").write_text("1")
    got = source(tmp_path)
    assert len(got.inputs) + len(got.test_inputs) == 30
    assert got.notes == (
        "8 other files passed over (link: 2, txt: 2, cls: 1, json: 1, no regular file: 1, no suffix: 1)",
    )


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_format_of_tar_and_long_names(tmp_path: Path, form: int) -> None:
    folders = ("./", "", "x" * 90 + "/" + "y" * 60 + "/", "../../etc/", "/abs/", "caf\u00e9/")
    members = [
        (f"{folders[i % 6]}{i:02d}.{suffix}", content)
        for i in range(30)
        for suffix, content in (("png", png(i)), ("cls", b"%d" % (i % 2)))
    ]
    root = write(tmp_path / "a.tar", members, format=form)
    got = source(root)
    assert sorted(map(str, tmp_path.rglob("*"))) == [str(root)]  # nothing was unpacked
    expected = {tuple(pixels(png(i)).flatten().tolist()): i % 2 for i in range(30)}
    found = {
        tuple(image.flatten().tolist()): target
        for _, inputs, targets in got.parts()
        for image, target in zip(inputs, targets.tolist(), strict=True)
    }
    assert found == expected


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    members = [(name.replace("0", "caf\udce9", 1), content) for name, content in examples(range(30))]
    members += [("0001.\udce9", b"a suffix"), ("caf\udce9x.txt", b"x")]
    got = source(write(tmp_path / "a.tar", members))
    assert got.notes == (r"2 other files passed over (\xe9: 1, txt: 1)",)
    members += [("caf\udce9.png", png(1))]
    assert r"a.tar: caf\xe9.png has no class" in refusal(write(tmp_path / "b" / "a.tar", members))


def test_attributes_for_all_members_and_sizes_in_attributes(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "of all"}) as tar:
        for name, content in examples(range(30)):
            info = tarfile.TarInfo(name)
            info.size, info.pax_headers = len(content), {"size": str(len(content)), "mtime": "1.5"}
            tar.addfile(info, io.BytesIO(content))
    got = source(tmp_path)
    assert len(got.inputs) + len(got.test_inputs) == 30


EVERYTHING = ("crop", "flip", "rand-augment", "random-erasing", "cutout", "cutmix")


def everything(dataset: Dataset) -> list[torch.Tensor]:
    found = [dataset.mean, dataset.std]
    for epoch in (2, 1):
        found += [tensor for batch in dataset.epoch(epoch, 4, 1) for tensor in batch]
    for part in (dataset.train, dataset.validation, dataset.test):
        found += [tensor for batch in part.batches(10) for tensor in batch] if part else []
    return found


@pytest.mark.parametrize("way", ["kept", "stream"])
@pytest.mark.parametrize(
    "options", [{"augment": EVERYTHING}, {"size": 6, "width": 10, "resize": "pad", "label_noise": 0.5}, {"shrink": 2}]
)
def test_every_way_gives_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, options: dict[str, Any]
) -> None:
    root = in_parts(tmp_path / "pets")

    def loaded(one: str) -> Dataset:
        forget_sources()
        monkeypatch.setenv(CACHE_DIR, str(tmp_path / "kept") if one == "kept" else "")
        kind = DATASETS.create(f"wds:{root}", validation=0.2, stream=one == "stream", **options)
        return load(kind, seed=3, data_dir=Path(), device="cpu")

    expected = everything(loaded("memory"))
    for _ in range(2):  # a file that is made, and one that is there
        dataset = loaded(way)
        assert isinstance(dataset.train.inputs, LazyImages)
        assert all(torch.equal(a, b) for a, b in zip(everything(dataset), expected, strict=True))


def _first_batch(shared: SharedSource, results: Any) -> None:
    results.put(shared.source().inputs[:4].sum().item())


def test_processes_read_the_same_shard(tmp_path: Path) -> None:
    import multiprocessing

    got = source(in_parts(tmp_path), stream=True)
    context = multiprocessing.get_context("spawn")
    results, shared = context.Queue(), SharedSource(got)
    workers = [context.Process(target=_first_batch, args=(shared, results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    sums = {results.get(timeout=100) for _ in workers}
    for worker in workers:
        worker.join()
    shared.close()
    assert sums == {got.inputs[:4].sum().item()}


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    """Times, owners and the number of shards are no part of it; order, keys, classes and bytes are."""

    def of(name: str, *shards: list[tuple[str, bytes]], **options: Any) -> str:
        for number, members in enumerate(shards):
            write(tmp_path / name / f"{number}.tar", members, **options)
        return digest(DATASETS.create(f"wds:{tmp_path / name}"), Path())

    whole = examples(range(30))
    known = of("one", whole)
    assert known == of("two", whole[:20], whole[20:]) == of("gnu", whole, format=tarfile.GNU_FORMAT)
    captions = [*whole, ("0029.txt", b"a caption")]
    assert known == of("captions", captions)
    assert known == contents(DATASETS.create(f"wds:{tmp_path / 'one'}", size=4), Path()).digest
    changed = [
        of("order", [*whole[2:], *whole[:2]]),
        of("key", [("x.png", whole[0][1]), ("x.cls", b"0"), *whole[2:]]),
        of("class", [whole[0], ("0000.cls", b"1"), *whole[2:]]),
        of("bytes", [("0000.png", png(77)), *whole[1:]]),
        of("fewer", whole[:-2]),
    ]
    (tmp_path / "names").mkdir()
    (tmp_path / "names" / "classnames.txt").write_text("a\nb\nc\n")
    assert len({known, *changed, of("names", whole)}) == 7


def test_a_changed_shard_is_read_again(tmp_path: Path) -> None:
    kind = DATASETS.create(f"wds:{tmp_path}")
    write(tmp_path / "0.tar", examples(range(30)))
    first = digest(kind, Path())
    write(tmp_path / "0.tar", [("0000.png", png(50)), *examples(range(30))[1:]])
    os.utime(tmp_path / "0.tar", (time.time() + 5,) * 2)
    assert digest(kind, Path()) != first


GOOD = examples(range(30))


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ([*GOOD, ("x.png", png(1))], 'x.png has no class; write its number as x.cls, or as "label" in x.json.'),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"-1")], "x.cls holds '-1' and no class number; write the number from 0"),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"1.0")], "x.cls holds '1.0' and no class number"),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"cat")], "x.cls holds 'cat' and no class number"),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"")], "x.cls holds '' and no class number"),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"1" * 999)], "x.cls has 999 bytes, too many for a class"),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"400")], "reach to 400 and are only 4, so that most classes would have"),
        (
            [*GOOD, ("x.png", png(1)), ("x.jpg", png(1))],
            "has two images of the key x, x.png and x.jpg; give each a key",
        ),
        ([*GOOD, ("x.png", png(1)), ("x.cls", b"1"), ("x.cls", b"1")], "has x.cls twice; write it anew"),
        ([*GOOD, *GOOD[:2]], "has members of the key 0000 in two places, and those of one example must follow each"),
        ([*GOOD, ("x.png", png(1)), ("x.json", b'{"label": 1}')], "x.png has its class under .json and others have"),
        (
            [("a.png", png(1)), ("a.json", b"[")],
            "a.json is no JSON; write it anew, or the class as a number under .cls",
        ),
        ([("a.png", png(1)), ("a.json", b"[" * 99_999)], "a.json is no JSON"),
        ([("a.png", png(1)), ("a.json", b'{"class": 1}')], 'a.json has no "label"; write a class number from 0 there'),
        ([("a.png", png(1)), ("a.json", b'{"label": 0.5}')], 'a.json has 0.5 as "label"; write'),
        ([("a.png", png(1)), ("a.json", b'{"label": true}')], 'a.json has True as "label"; write'),
        ([("a.png", png(1)), ("a.json", b'{"label": -1}')], 'a.json has -1 as "label"; write'),
        ([("a.png", png(1)), ("a.json", b'{"label": "\\ud800"}')], "a.json has '\\ud800' as \"label\"; write"),
        (
            [
                *(("a.png", png(1)), ("a.json", b'{"label": "cat"}')),
                *(("b.png", png(1)), ("b.json", b'{"label": 1}')),
            ],
            "are numbers, as 1, and names, as cat; write all alike.",
        ),
        (examples(range(9), classes=1), "are of one class, 0; two classes are needed."),
        (examples(range(9)), "has 9 images, too few to split off a test part; add more, or name the shards"),
        ([("a.heic", b"x"), ("a.cls", b"1")], "has no images in its shards; an image is a member KEY.jpg"),
        ([("a.1.png", png(1)), ("a.cls", b"1")], "and KEY ends at the first dot."),
        ([], "has no images in its shards"),
        (
            [*GOOD, ("x.png", b"damaged"), ("x.cls", b"1")],
            "x.png is not a readable image (Pillow knows no such format); repair it or take it out of the shard.",
        ),
        (
            [*GOOD, ("x.png", png(1)[:-40]), ("x.cls", b"1")],
            "a.tar: x.png is not a readable image (",
        ),
    ],
)
def test_examples_that_are_refused(tmp_path: Path, members: Members, sentence: str) -> None:
    told = refusal(write(tmp_path / "a.tar", members))
    assert sentence in told
    assert str(tmp_path) in told


def header(name: bytes, size: bytes, kind: bytes = b"0") -> bytes:
    """A header with a right sum over whatever it says."""
    block = bytearray(512)
    block[: len(name)], block[124 : 124 + len(size)], block[156:157] = name, size, kind
    block[257:265], block[148:156] = b"ustar\x0000", b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _gzip(content: bytes) -> bytes:
    import gzip

    return gzip.compress(content)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda tar: b"", "is empty; copy the archive again, or take it away."),
        (lambda tar: b"no archive at all" * 99, "is no tar archive; give a folder of .tar files as wds:PATH."),
        (lambda tar: b"PK\x03\x04" + bytes(999), "is no tar archive"),
        (_gzip, "is compressed (gzip), and only a plain tar can be read from the middle; uncompress it"),
        (lambda tar: tar[:700], "is cut off: 0000.png ends beyond its 700 bytes; copy it again, or write it anew."),
        (lambda tar: tar[: 4 * 512], "lacks the zeros that end an archive, so that it may be cut off"),
        (lambda tar: tar + tar, "goes on behind its end, as where archives were joined by cat"),
        (lambda tar: tar[:512] + tar[1024:], "is damaged: there is no header of a file at byte 1,024;"),
        (lambda tar: header(b"a.png", b"77777777777") + tar, "is cut off: a.png ends beyond its"),
        (lambda tar: header(b"a.png", b"\xff" * 12) + tar, "is damaged: there is no header of a file at byte 0;"),
        (lambda tar: header(b"a.png", b"-0000000777") + tar, "is damaged: there is no header of a file at byte 0;"),
        (lambda tar: header(b"a.png", b"00000009999") + tar, "is no tar archive"),
        (lambda tar: header(b"././@LongLink", b"77777777777", b"L") + tar, "is damaged"),
        (lambda tar: header(b"././@LongLink", b"00000000000", b"L") * 3000 + tar, "is damaged"),
        (
            lambda tar: header(b"a", b"00000000013", b"x") + b"11 size=-9\n" + bytes(501) + tar,
            "is damaged",
        ),
    ],
)
def test_archives_that_are_refused(tmp_path: Path, content: Callable[[bytes], bytes], sentence: str) -> None:
    whole = write(tmp_path / "whole", GOOD).read_bytes()
    (tmp_path / "a.tar").write_bytes(content(whole))
    assert sentence in refusal(tmp_path)
    assert sentence in refusal(tmp_path / "a.tar")


def test_an_archive_with_holes_is_refused(tmp_path: Path) -> None:
    content = b"22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n21 GNU.sparse.name=a\n27 GNU.sparse.realsize=10\n"
    holes = header(b"x", b"%011o" % len(content), b"x") + content.ljust(512, b"\0")
    holes += header(b"a.png", b"%011o" % 512) + b"1\n0\n0\n".ljust(512, b"\0")
    whole = write(tmp_path / "whole", GOOD).read_bytes()
    (tmp_path / "a.tar").write_bytes(holes + whole)
    assert "is stored with holes; write the shard without --sparse." in refusal(tmp_path)


@pytest.mark.parametrize(
    ("shards", "sentence"),
    [
        (("train-0.tar",), "has shards of train and none of test; add them, or give all shards names without such"),
        (("val-0.tar",), "has shards of val and none of train and none of test"),
        (("train-0.tar", "training-1.tar"), "has shards of train and of training, which mean the same part"),
        (("train-test-0.tar",), "It is not clear of which part train-test-0.tar is, by its name: train or test"),
        (("0.tar", "1.tar.gz"), "1.tar.gz is compressed, and only a plain tar can be read from the middle"),
        (("0.tar", "deep/1.TGZ"), "1.TGZ is compressed"),
        (("0.tar", "1.tar"), "0.tar and {}/1.tar both have the key 0000; if one is a copy take it away"),
        (("notes.txt",), "has no .tar file; give the folder of shards, or a folder of images as image-folder:PATH."),
    ],
)
def test_folders_that_are_refused(tmp_path: Path, shards: Iterable[str], sentence: str) -> None:
    for shard in shards:
        write(tmp_path / shard, GOOD)
    assert sentence.format(tmp_path) in refusal(tmp_path)


def test_other_refusals_between_shards(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent").startswith(f"There is no folder or file {tmp_path}/absent; give the folder of")
    assert "cannot be read (File name too long)" in refusal(tmp_path / ("x" * 5000))
    write(tmp_path / "train-0.tar", GOOD)
    write(tmp_path / "test-0.tar", [("a.txt", b"x")])
    assert refusal(tmp_path).startswith(f"The test part of {tmp_path} has no images in its shards;")
    write(tmp_path / "test-0.tar", [("a.png", png(1)), ("a.json", b'{"label": 1}')])
    assert f"The classes lie in {tmp_path}/train-0.tar under .cls and {tmp_path}/test-0.tar under .json" in refusal(
        tmp_path
    )
    write(tmp_path / "test-0.tar", GOOD[:2])  # parts may use the same keys
    assert len(source(tmp_path).test_inputs) == 1
