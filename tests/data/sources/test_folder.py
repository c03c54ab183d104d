"""Which files of a folder are taken for images of which class, and what is told of the others."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from samcli.data.sources._folder import read_layout
from samcli.errors import DataError


def touch(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(b"not looked into")


def plain(root: Path, parts: Iterable[str] = ("",), classes: Iterable[str] = ("cat", "dog")) -> None:
    touch(root, *(f"{part}/{name}/{i}.png".lstrip("/") for part in parts for name in classes for i in range(2)))


def names(root: Path) -> list[str]:
    return [str(file.relative_to(root)) for file in read_layout(root).files]


CLEAN = ["cat/0.png", "cat/1.png", "dog/0.png", "dog/1.png"]


@pytest.mark.parametrize(
    "hidden",
    [
        "cat/.ipynb_checkpoints/0-checkpoint.png", "cat/.thumbnails/x/0.jpg", "cat/@eaDir/000.png/SYNO_THUMB.jpg",
        "cat/._0.png", "__MACOSX/cat/0.png", "cat/__MACOSX/0.png", "$RECYCLE.BIN/0.png", "cat/Thumbs.db",
        "cat/System Volume Information/0.png", "cat/a/#recycle/0.png", "lost+found/0.png", "cat/DESKTOP.INI",
        ".git/objects/0.png",
    ],
)  # fmt: skip
def test_what_systems_leave_behind_is_no_image(tmp_path: Path, hidden: str) -> None:
    plain(tmp_path)
    touch(tmp_path, hidden)
    assert names(tmp_path) == CLEAN
    assert list(read_layout(tmp_path).notes()) == []


def test_only_regular_files_are_images(tmp_path: Path) -> None:
    plain(tmp_path)
    touch(tmp_path, "cat/folder.png/inside.jpg")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    (tmp_path / "cat" / "broken.png").symlink_to("nowhere.png")
    (tmp_path / "cat" / "linked.png").symlink_to(tmp_path / "dog" / "0.png")
    layout = read_layout(tmp_path)
    assert [f.name for f in layout.parts["all"][1]["cat"]] == ["0.png", "1.png", "inside.jpg", "linked.png"]
    assert layout.passed_over == {"no regular file": 1, "broken link": 1}


def test_what_is_passed_over_is_counted_by_suffix(tmp_path: Path) -> None:
    plain(tmp_path)
    touch(tmp_path, "cat/a.txt", "cat/deep/b.TXT", "dog/README", "notes.txt", "c.png")
    assert list(read_layout(tmp_path).notes()) == ["5 other files passed over (txt: 3, no suffix: 1, png: 1)"]


def test_other_suffixes_of_images_are_known(tmp_path: Path) -> None:
    touch(tmp_path, "a/0.jfif", "a/1.JPE", "a/2.jpeg", "b/0.avif", "b/1.TIFF", "b/2.pnm")
    assert len(read_layout(tmp_path).files) == 6


def test_links_to_folders_are_followed_once(tmp_path: Path) -> None:
    root = tmp_path / "root"
    plain(root)
    touch(tmp_path, "elsewhere/7.png", "elsewhere/deep/8.png")
    (root / "cat" / "more").symlink_to(tmp_path / "elsewhere")
    (root / "cat" / "again").symlink_to(tmp_path / "elsewhere" / "deep")
    (root / "cat" / "up").symlink_to(root)
    (root / "cat" / "self").symlink_to(root / "cat")
    (tmp_path / "elsewhere" / "back").symlink_to(root / "cat")  # in a circle
    layout = read_layout(root)
    assert sorted(f.name for f in layout.parts["all"][1]["cat"]) == ["0.png", "1.png", "7.png", "8.png"]
    assert layout.passed_over == {"link to a folder above": 2}


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [("train", "val", "test"), ("Train", "VALID", "Test"), ("training", "Validation", "TESTING")],
)
def test_parts_are_known_by_their_usual_names(tmp_path: Path, train: str, validation: str, test: str) -> None:
    plain(tmp_path, [train, test])
    assert list(read_layout(tmp_path).parts) == ["train", "test"]
    plain(tmp_path, [validation, "extra"])
    layout = read_layout(tmp_path)
    assert list(layout.parts) == ["train", "validation", "test"]
    assert list(layout.notes()) == [
        "1 other folder passed over (extra)",
        f"{validation}/ is the validation part",
    ]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (["training", "validation"], "and no test/; add that folder, perhaps validation/ under that name"),
        (["Train", "cat"], "has Train/ and no test/; add that folder, or put the class folders into"),
        (["Test"], "has Test/ and no train/; add that folder, or put"),
        (["val"], "has val/ and no train/ and no test/; add them, or put"),
        (["train", "Train", "test"], "has Train/ and train/, which mean the same part; put their images together"),
        (["train", "test", "val", "valid"], "has val/ and valid/, which mean the same part"),
        (["fold1", "fold2"], "hold no images but folders of the same names (cat, dog), so that it is not clear which"),
        (["set A", "set B", "set C"], "lay the images out as"),
    ],
)  # fmt: skip
def test_layouts_that_are_not_clear_are_refused(tmp_path: Path, parts: list[str], sentence: str) -> None:
    plain(tmp_path, parts)
    with pytest.raises(DataError) as caught:
        read_layout(tmp_path)
    assert sentence in str(caught.value)


def test_parts_without_classes_are_refused(tmp_path: Path) -> None:
    touch(tmp_path, "train/0.png", "test/0.png")
    with pytest.raises(DataError, match="train has 0 class folders and two are needed"):
        read_layout(tmp_path)


def test_classes_may_be_called_train_and_hold_folders(tmp_path: Path) -> None:
    touch(tmp_path, "train/0.png", "bus/0.png")
    assert names(tmp_path) == ["bus/0.png", "train/0.png"]
    other = tmp_path / "other"
    plain(other, [""], ["cat/images", "dog/images"])  # as in Tiny ImageNet
    assert list(read_layout(other).parts["all"][1]) == ["cat", "dog"]


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain(tmp_path)

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match=r"cat cannot be read \(Permission denied\); see to its permissions\."):
        read_layout(tmp_path)


@pytest.mark.parametrize("name", ["x" * 5000, "x/" * 3000, "\0"])
def test_names_that_no_folder_can_have(name: str) -> None:
    with pytest.raises(DataError, match=r"^There is no folder"):
        read_layout(Path(name))


def test_the_digest_is_that_of_names_and_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for root in (first, second):
        plain(root)
        touch(root, "cat/notes.txt" if root == first else "cat/.hidden.png")
    digest = read_layout(first).digest()
    assert read_layout(second).digest() == digest  # wherever it lies, and whatever else lies there
    (second / "cat" / "0.png").write_bytes(b"another size")
    changed = read_layout(second).digest()
    (first / "dog" / "1.png").rename(first / "dog" / "2.png")
    renamed = read_layout(first).digest()
    a, b = (first / "cat" / name for name in ("0.png", "1.png"))
    a.write_bytes(b"one thing")
    b.write_bytes(b"the other")
    written = read_layout(first).digest()
    a.write_bytes(b"the other")  # as many bytes
    assert len({digest, changed, renamed, written, read_layout(first).digest()}) == 5
