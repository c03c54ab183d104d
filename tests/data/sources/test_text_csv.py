"""A table of texts and their classes: what becomes of them, and what is said."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from samcli.data import DATASETS, Source, contents, digest, raw_source
from samcli.data.table_file import read_table
from samcli.data.texts import inputs_of, texts_in
from samcli.errors import ConfigError, DataError
from samcli.tasks import Binary, Classification

ROWS = [(f"film number{i} was {'good' if i % 2 else 'bad'}", "up" if i % 2 else "down") for i in range(20)]


def write(
    folder: Path,
    rows: Sequence[Sequence[str]] = ROWS,
    header: Sequence[str] = ("text", "label"),
    name: str = "t.csv",
    encoding: str = "utf-8",
    **form: Any,
) -> Path:
    with (folder / name).open("w", newline="", encoding=encoding) as file:
        csv.writer(file, **form).writerows([header, *rows])
    return folder / name


def source(file: Path, **options: Any) -> Source:
    return raw_source(DATASETS.create(f"text-csv:{file}", **options), file.parent)


def test_texts_become_tokens_and_classes(tmp_path: Path) -> None:
    got = source(write(tmp_path), length=6)
    assert (got.inputs.shape, got.inputs.dtype, got.targets.dtype) == ((16, 6), torch.int32, torch.int64)
    assert (got.task, got.class_names, got.vocabulary) == (Binary(), ("down", "up"), 6)
    words = got.reading["tokenizer"]["document"].split("\n")
    assert words == ["film", "was", "bad", "good"]
    for row, target in zip(torch.cat([got.inputs, got.test_inputs]), torch.cat([got.targets, got.test_targets]),
                           strict=True):  # fmt: skip
        assert row.tolist() == [2, 1, 3, 4 + int(target), 0, 0]
    assert len(got.test_targets) == 4
    assert got.test_targets.sum() == 2
    assert got.notes == (
        "texts from text and classes from label",
        "the 4 words of two training texts or more",
        "25 % of the tokens unknown words",
    )


def test_the_line_says_how_long_texts_are(tmp_path: Path) -> None:
    kind = DATASETS.create(f"text-csv:{write(tmp_path)}", length=6)
    assert contents(kind, tmp_path).summary.startswith(
        "t.csv: 20 examples, 2 classes, up to 6 of 6 tokens in each, texts from text and classes from label"
    )


def test_words_are_those_of_the_training_part(tmp_path: Path) -> None:
    test = write(tmp_path, [("film nobody knows", "up"), ("nobody knows", "down")], name="test.csv")
    got = source(write(tmp_path), test=str(test), length=4)
    assert got.test_inputs.tolist() == [[2, 1, 1, 0], [1, 1, 0, 0]]
    assert len(got.inputs) == 20


@pytest.mark.parametrize(
    ("header", "row", "text", "target"),
    [
        (("label", "id", "comment"), ("up", "1", "a longer text"), "comment", "label"),
        (("id", "comment", "kind"), ("1", "a longer text", "up"), "comment", "kind"),
        (("Class", "said", "rest"), ("up", "a longer text", "x"), "said", "Class"),
    ],
)
def test_columns_are_guessed_and_said(
    tmp_path: Path, header: Sequence[str], row: Sequence[str], text: str, target: str
) -> None:
    other = ["down" if value == "up" else "another text, longer" if "text" in value else value for value in row]
    got = source(write(tmp_path, [row, other] * 5, header))
    assert got.notes[0] == f"texts from {text} and classes from {target}"
    assert got.reading["text"] == text
    assert got.class_names == ("down", "up")
    named = source(write(tmp_path, [row, other] * 5, header), text=text, target=target)
    assert named.notes[0].startswith("the ")
    assert source(tmp_path / "t.csv", target=target).notes[0] == f"texts from {text}"


def test_numbers_and_three_classes(tmp_path: Path) -> None:
    rows = [(text, str(i % 3)) for i, (text, _) in enumerate(ROWS)]
    got = source(write(tmp_path, rows))
    assert (got.task, got.class_names) == (Classification(3), ("0", "1", "2"))


@pytest.mark.parametrize(
    ("encoding", "form", "notes"),
    [
        ("utf-8-sig", {}, []),
        ("utf-16", {}, ["read as utf-16"]),
        ("cp1252", {}, ["read as cp1252"]),
        ("utf-8", {"delimiter": ";"}, ["separated by semicolons"]),
        ("utf-8", {"delimiter": "\t"}, ["separated by tabs"]),
    ],
)
def test_files_are_read_as_tables_are(tmp_path: Path, encoding: str, form: Any, notes: list[str]) -> None:
    rows = [(f"Très, très {text}", label) for text, label in ROWS]
    got = source(write(tmp_path, rows, encoding=encoding, **form), length=8)
    assert list(got.notes[1 : 1 + len(notes)]) == notes
    assert set(got.reading["tokenizer"]["document"].split("\n")[:3]) == {",", "tres", "film"}


def test_what_is_left_out_and_cut_is_counted(tmp_path: Path) -> None:
    rows = [*ROWS, ("", "up"), ("  ", "down"), ("no class", ""), (ROWS[0][0], "down")]
    notes = source(write(tmp_path, rows), length=4, split_seed=3).notes
    assert "1 row without label left out" in notes
    assert "2 empty texts left out" in notes
    file = write(tmp_path, [("film was bad and long", "up"), ("film was", "down")] * 10)
    got = source(file, length=4)
    assert "10 of 20 texts cut at 4 tokens" in got.notes
    assert "4 of 4 test texts are training texts too" in got.notes


def test_new_texts_become_what_those_of_training_did(tmp_path: Path) -> None:
    got = source(write(tmp_path), length=6)
    read = [text for _, text in texts_in(tmp_path / "t.csv", got.reading)]
    rows = sorted(inputs_of(read, got.reading).tolist())
    assert rows == sorted(torch.cat([got.inputs, got.test_inputs]).tolist())
    (tmp_path / "a.txt").write_bytes("film was gut für dich".encode("cp1252"))
    assert texts_in(tmp_path / "a.txt", got.reading) == [(None, "film was gut für dich")]
    with pytest.raises(DataError, match=r"has no column 'text' of texts; did you mean texts\?"):
        texts_in(write(tmp_path, [("a", "b")], ("texts", "x"), "other.csv"), got.reading)
    assert texts_in(tmp_path / "other.csv", {"text": None}) == [(1, "a")]


def test_the_digest_is_of_files_and_tokenizer(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm\ngood\nbad\nwas")
    file, test = write(tmp_path), write(tmp_path, name="test.csv")

    def of(**options: Any) -> str:
        return digest(DATASETS.create(f"text-csv:{file}", **options), tmp_path)

    vocabulary = str(tmp_path / "vocab.txt")
    three = {of(), of(test=str(test)), of(tokenizer=vocabulary)}
    assert len(three) == 3
    assert of(length=9) == of()
    before = of(tokenizer=vocabulary)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nfilm")
    assert of(tokenizer=vocabulary) != before
    assert read_table(file).digest == of()


@pytest.mark.parametrize(
    ("rows", "options", "sentence"),
    [
        (ROWS, {"text": "txt"}, r"no column 'txt', which text names; did you mean text\?"),
        (ROWS, {"target": "lable"}, r"no column 'lable', which target names; did you mean label\?"),
        (ROWS, {"text": "label", "target": "label"}, "needs a column of texts and another one of classes"),
        ([(text, "up") for text, _ in ROWS], {}, "The target 'label' is 'up' in every row; two classes are needed"),
        ([(text, "") for text, _ in ROWS], {}, "has no class in any row of 'label'"),
        ([*ROWS, ("", "odd")], {}, "The class 'odd' of t.csv has no text that is not empty"),
        ([("", label) for _, label in ROWS], {"text": "text"}, "The class 'down' of t.csv has no text"),
        (ROWS[:3], {}, "has 3 texts with a class, too few to split off a test part"),
        ([("a\x01b", "up"), ("b", "down")], {}, "is no text, for it holds control characters"),
        (ROWS, {"tokenizer": "absent.json"}, "There is no tokenizer absent.json"),
    ],
)
def test_what_cannot_be_learnt_is_refused(
    tmp_path: Path, rows: Sequence[Sequence[str]], options: Any, sentence: str
) -> None:
    with pytest.raises((DataError, ConfigError), match=sentence):
        source(write(tmp_path, rows), **options)


def test_a_test_file_needs_the_same_columns_and_classes(tmp_path: Path) -> None:
    file = write(tmp_path)
    other = write(tmp_path, ROWS, ("texts", "label"), "other.csv")
    with pytest.raises(DataError, match=r"other.csv has no column 'text', as .*t.csv has; did you mean texts"):
        source(file, test=str(other))
    new = write(tmp_path, [("a film", "sideways")], name="new.csv")
    with pytest.raises(DataError, match="The test part has 1 example of the class sideways"):
        source(file, test=str(new))
