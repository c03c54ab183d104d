"""A folder of texts, one subfolder a class."""

from pathlib import Path
from typing import Any

import pytest
import torch

from samcli.data import DATASETS, Source, digest, raw_source
from samcli.errors import DataError


def write(root: Path, *parts: str, per_class: int = 10) -> Path:
    for part in parts or ("",):
        for name, word in (("up", "good"), ("down", "bad")):
            folder = root / part / name
            folder.mkdir(parents=True)
            for i in range(per_class):
                (folder / f"{i:02}.txt").write_text(f"{word} film {part or name}{i}")
    return root


def source(root: Path, **options: Any) -> Source:
    return raw_source(DATASETS.create(f"text-folder:{root}", **options), root)


def test_folders_are_classes_and_a_fifth_is_tested_on(tmp_path: Path) -> None:
    got = source(write(tmp_path / "films"), length=4)
    assert got.class_names == ("down", "up")
    assert (len(got.targets), len(got.test_targets), int(got.test_targets.sum())) == (16, 4, 2)
    words = got.reading["tokenizer"]["document"].split("\n")
    assert words == ["film", "bad", "good"]
    for row, target in zip(got.inputs, got.targets, strict=True):
        assert row.tolist() == [3 + int(target), 2, 1, 0]
    assert got.reading["text"] is None


def test_parts_have_folders_of_their_own(tmp_path: Path) -> None:
    got = source(write(tmp_path / "films", "train", "test", "val"), length=4)
    assert got.validation is not None
    assert [len(part[0]) for part in ((got.inputs,), (got.test_inputs,), got.validation)] == [20, 20, 20]
    assert torch.equal(got.targets, torch.arange(2).repeat_interleave(10))
    assert "val/ is the validation part" in got.notes


def test_what_was_done_is_said(tmp_path: Path) -> None:
    root = write(tmp_path / "films")
    (root / "up/00.txt").write_bytes("good film déjà vu, and more".encode("cp1252"))
    (root / "up/01.txt").write_bytes(b"\xef\xbb\xbfgood film")
    (root / "up/02.txt").write_text(" \n")
    (root / "up/03.txt").write_text("")
    (root / "up/table.csv").write_text("a,b")
    notes = source(root, length=4).notes
    assert notes[:4] == (
        "1 text read as cp1252",
        "1 other file passed over (csv: 1)",
        "2 empty texts left out",
        "the 3 words of two training texts or more",
    )
    assert "1 of 18 texts cut at 4 tokens" in notes


def test_the_digest_is_of_names_and_contents(tmp_path: Path) -> None:
    root = write(tmp_path / "films")
    kind = DATASETS.create(f"text-folder:{root}")
    before = digest(kind, tmp_path)
    (root / "up/00.txt").write_text("good film again, longer")
    assert digest(kind, tmp_path) != before
    assert raw_source(kind, tmp_path).digest == digest(kind, tmp_path)


def test_what_cannot_be_learnt_is_refused(tmp_path: Path) -> None:
    root = write(tmp_path / "films", per_class=3)
    (root / "empty").mkdir()
    with pytest.raises(DataError, match=r"class folder .*empty has no texts; add some \(txt, text, md"):
        source(root)
    (root / "empty/a.txt").write_text("\n")
    with pytest.raises(DataError, match="The class 'empty' of films has no text that is not empty; add some"):
        source(root)
    (root / "empty/a.txt").write_bytes(b"\x7fELF\x00\x01\x02")
    with pytest.raises(DataError, match=r"a.txt is no text, for it holds control characters; name a file of text\."):
        source(root)
    with pytest.raises(DataError, match=r"There is no folder .*absent; give the folder of texts as text-folder:PATH"):
        source(tmp_path / "absent")
    (tmp_path / "one/up").mkdir(parents=True)
    with pytest.raises(
        DataError, match=r"has 1 class folder and two are needed; lay the texts out as .*/CLASS/\*\.txt"
    ):
        source(tmp_path / "one")
