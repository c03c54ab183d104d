"""Texts as windows of tokens: which files are read, what is tested on, and what is refused."""

import os
import shutil
import sysconfig
from pathlib import Path

import numpy as np
import pytest
import torch

from samcli.data import DATASETS, Source, contents, digest, load
from samcli.data.sources import _text
from samcli.data.sources._text import Texts, Tokens, decoded, find_texts, mean_lengths
from samcli.data.sources.text import Text
from samcli.errors import ConfigError, DataError


def text(path: Path | str, **options: object) -> Text:
    kind = DATASETS.create(f"text:{path}", **{"context": 4, **options})
    assert isinstance(kind, Text)
    return kind


def source(path: Path | str, **options: object) -> Source:
    return text(path, **options).source(Path())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty files of 40 bytes, each all one letter."""
    for i in range(20):
        below = tmp_path / "texts" / ("b" if i % 2 else "a")
        below.mkdir(parents=True, exist_ok=True)
        (below / f"{i:02}.txt").write_text(chr(ord("a") + i) * 40)
    return tmp_path / "texts"


def letters(windows: torch.Tensor) -> set[str]:
    return {chr(number) for number in windows.unique().tolist()}


def test_targets_are_the_tokens_that_follow_and_windows_do_not_overlap(tmp_path: Path) -> None:
    content = bytes(range(1, 201))
    (tmp_path / "a.txt").write_bytes(content)
    found = source(tmp_path / "a.txt")
    assert found.inputs.dtype == torch.int32
    assert found.targets.dtype == torch.int64
    assert bytes(found.inputs.flatten().tolist()) == content[:156]  # 160 of 200 bytes; the last window has no target
    assert bytes(found.targets.flatten().tolist()) == content[1:157]
    assert found.validation is not None
    assert bytes(found.validation[0].flatten().tolist()) == content[160:176]
    assert bytes(found.test_inputs.flatten().tolist()) == content[180:196]
    assert bytes(found.test_targets.flatten().tolist()) == content[181:197]
    assert (found.vocabulary, found.task.outputs, found.shape) == (256, 256, (4,))
    assert found.reading == {"kind": "text", "tokenizer": "bytes", "context": 4}


def test_inputs_and_targets_are_views_and_stay_so_in_a_run(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(bytes(range(1, 201)))
    found = source(tmp_path / "a.txt")
    assert found.targets.storage_offset() == 1
    data = load(text(tmp_path / "a.txt"), seed=0, data_dir=Path(), device="cpu")
    again = load(text(tmp_path / "a.txt", label_noise=0.0), seed=1, data_dir=Path(), device="cpu")
    assert data.train.targets.data_ptr() == again.train.targets.data_ptr()
    assert data.train.inputs.data_ptr() == again.train.inputs.data_ptr()


def test_parts_are_of_different_files_drawn_by_a_seed(folder: Path) -> None:
    found = source(folder)
    assert found.validation is not None
    parts = [letters(inputs) for inputs in (found.inputs, found.validation[0], found.test_inputs)]
    assert [len(part) for part in parts] == [16, 2, 2]
    assert len(set.union(*parts)) == 20
    again, other = source(folder), source(folder, split_seed=1)
    assert torch.equal(again.inputs, found.inputs)
    assert letters(other.test_inputs) != parts[2]


def test_a_prefix_of_the_training_text_is_one_of_any_longer_one(folder: Path) -> None:
    whole, some = source(folder), source(folder, train_tokens=100)
    assert some.inputs.numel() == 100
    assert torch.equal(some.inputs, whole.inputs[:25])
    assert torch.equal(some.targets, whole.targets[:25])
    assert torch.equal(some.test_inputs, whole.test_inputs)


def test_fewer_windows_are_tested_on_from_all_over_the_part(folder: Path) -> None:
    whole, some = source(folder), source(folder, test_tokens=16)
    assert some.validation is not None
    assert (len(some.test_inputs), len(some.validation[0]), len(some.inputs)) == (4, 4, len(whole.inputs))
    assert letters(some.test_inputs) == letters(whole.test_inputs)
    assert len(source(folder, test_tokens=10**6).test_inputs) == len(whole.test_inputs)


def test_what_is_no_text_is_passed_over(folder: Path) -> None:
    (folder / ".hidden.txt").write_text("x" * 40)
    (folder / ".git").mkdir()
    (folder / ".git" / "config.txt").write_text("x" * 40)
    (folder / "empty.md").write_text("")
    (folder / "picture.png").write_bytes(b"\0")
    os.mkfifo(folder / "pipe.txt")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    found = find_texts(str(folder))
    assert len(found.files) == 20
    assert ", ".join(found.notes()) == (
        "20 files, 3 other files passed over (link to a folder above: 1, no regular file: 1, png: 1)"
    )
    assert [file.name for file in found.files] == [
        *[f"{i:02}.txt" for i in range(0, 20, 2)],
        *[f"{i:02}.txt" for i in range(1, 20, 2)],
    ]


def test_the_summary_and_the_digest(folder: Path) -> None:
    kind = text(folder)
    before = digest(kind, Path())
    assert contents(kind, Path()).summary == "texts: 197 windows, 4 of 256 tokens in each, 20 files"
    assert contents(kind, Path()).digest == before == digest(text(folder, context=8), Path())
    (folder / "a" / "00.txt").write_text("b" * 40)
    changed = digest(kind, Path())
    (folder / "a" / "00.txt").rename(folder / "a" / "zero.txt")
    assert len({before, changed, digest(kind, Path())}) == 3


def test_python_is_its_own_sources_without_tests() -> None:
    found = find_texts("python")
    names = [file.relative_to(found.root).parts for file in found.files]
    assert found.root == Path(sysconfig.get_paths()["stdlib"])
    assert ("json", "decoder.py") in names
    assert names == sorted(names)
    unwanted = {"test", "tests", "idle_test", "site-packages", "encodings", "__pycache__"}
    assert not any(unwanted & set(parts) for parts in names)
    assert all(parts[-1].endswith(".py") for parts in names)


def test_python_tells_its_version(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr("samcli.data.sources.text.find_texts", lambda _: Texts(folder, find_texts(str(folder)).files))
    monkeypatch.setattr("platform.python_version", lambda: "3.99.1")
    notes = source("python").notes
    assert notes[0] == "the standard library of Python 3.99.1"
    assert notes[1] == f"SHA-256 {find_texts(str(folder)).digest()[:12]}..."


def test_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert DATASETS.canonical("text:python") == "text:python"
    assert DATASETS.canonical("text:./python") == f"text:{folder.parent}/python"
    assert DATASETS.canonical("text:texts") == f"text:{folder}"
    with pytest.raises(ConfigError, match=r"did you mean text:texts/a/00\.txt\?"):
        DATASETS.kind("texts/a/00.txt")
    assert text(folder).label == "texts"
    assert text("python").metric == text(folder).source(Path()).task.metric == "bits_per_byte"


def test_bad_texts_are_refused(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "short.txt").write_text("a short one")
    (tmp_path / "binary.txt").write_bytes(b"PNG\0" * 50)
    (tmp_path / "none").mkdir()
    (tmp_path / "none" / "a.png").write_text("x")
    os.mkfifo(tmp_path / "pipe")
    for name, sentence in {
        "missing": r"There is no .*missing; give a file or a folder as text:PATH, or text:python\.",
        "empty": r"empty is empty; give another",
        "short.txt": r"The validation part of short\.txt has 1 token, fewer than a window of 4 and the token after",
        "binary.txt": r"is no text, or one in UTF-16: it holds zero bytes\. Take it out or write it in UTF-8; for",
        "none": r"none has no files of text \(txt, text, md, .*\); give another",
        "pipe": r"pipe is neither a file nor a folder; give",
    }.items():
        with pytest.raises(DataError, match=sentence):
            source(tmp_path / name)
    with pytest.raises(DataError, match=r"train_tokens: 4,000 and the one after them are more than the 640 training t"):
        source(folder, train_tokens=4000)
    assert source(tmp_path / "binary.txt", binary=True).inputs.shape == (39, 4)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_named(folder: Path) -> None:
    (folder / "a" / "04.txt").chmod(0)
    with pytest.raises(DataError, match=r"04\.txt cannot be read \(Permission denied\)"):
        source(folder)


def test_a_file_that_goes_away_is_named(folder: Path) -> None:
    texts = find_texts(str(folder))
    shutil.rmtree(folder / "a")
    with pytest.raises(DataError, match=r"00\.txt cannot be read \(No such file or directory\)"):
        texts.digest()
    with pytest.raises(DataError, match=r"00\.txt cannot be read \(No such file or directory\)"):
        _text.read_content(texts.files[0])


def test_more_text_than_memory_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samcli.data.sources.text.memory", lambda: 1000.0)
    with pytest.raises(DataError, match=r"take more memory than this machine has; set dataset\.train_tokens\."):
        source(folder)


def test_options_that_a_language_model_does_not_have() -> None:
    with pytest.raises(ConfigError, match="label_noise draws classes and the text has none"):
        text("python", label_noise=0.1)
    with pytest.raises(ConfigError, match="augment is for images and the text has none"):
        text("python", augment=("crop",))
    with pytest.raises(ConfigError, match="binary is for models of bytes, and a tokenizer reads UTF-8"):
        text("python", binary=True, tokenizer="tokenizer.json")


def test_a_hold_out_is_refused_for_there_is_a_part(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"texts has a validation part of its own; leave it out\."):
        load(text(folder, validation=0.1), seed=0, data_dir=Path(), device="cpu")


def test_a_subset_of_windows_is_the_same_for_every_seed(folder: Path) -> None:
    first, second = (load(text(folder, train_examples=7), seed=s, data_dir=Path(), device="cpu") for s in (0, 1))
    assert len(first.train) == 7
    assert torch.equal(first.train.inputs, second.train.inputs)


def test_mixup_is_refused(folder: Path) -> None:
    data = load(text(folder), seed=0, data_dir=Path(), device="cpu")
    with pytest.raises(ConfigError, match="mixup averages inputs, and the tokens of a text have no average"):
        next(data.epoch(1, 2, seed=0, mixup=0.2))


def test_other_encodings_are_told() -> None:
    assert decoded("\ufeffa".encode(), Path("a.txt")) == "a"
    with pytest.raises(DataError, match=r"a\.txt is not in UTF-8 \(byte 3\), which a tokenizer reads; write it in"):
        decoded("naïve".encode("latin-1"), Path("a.txt"))


def test_mean_lengths_keep_the_number_of_bytes() -> None:
    generator = np.random.default_rng(0)
    parts = [Tokens(generator.integers(5, size=n).astype(np.int32), generator.integers(1, 9, size=n)) for n in (7, 30)]
    found = np.array(mean_lengths(parts, 6))
    assert sum(found[part.numbers].sum() for part in parts) == pytest.approx(
        sum(part.lengths.sum() for part in parts if part.lengths is not None)
    )
    assert found[5] == 0
