"""Tables as people and programs write them: a right value, or a sentence."""

import io
import os
from pathlib import Path

import pytest

from samcli.data.table_file import TableFile, file_digest, read_table
from samcli.errors import DataError

PLAIN = "age,city\n31,Bonn\n28,Rome\n"
VALUES = {"age": ["31", "28"], "city": ["Bonn", "Rome"]}


def read(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> TableFile:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path)


def values(tmp_path: Path, content: str | bytes, name: str = "t.csv") -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = read(tmp_path, content, name).frame.to_dict("list")
    return found


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends(tmp_path: Path, separator: str, ending: str) -> None:
    table = read(tmp_path, PLAIN.replace(",", separator).replace("\n", ending))
    assert table.frame.to_dict("list") == VALUES
    words = {",": [], ";": ["separated by semicolons"], "\t": ["separated by tabs"], "|": ["separated by bars"]}
    assert list(table.notes) == words[separator]
    assert table.form["separator"] == separator


def test_a_tsv_has_tabs_whatever_its_fields_hold(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b\tc,d\n1,2\t3,4\n", "t.tsv")
    assert table.frame.to_dict("list") == {"a,b": ["1.2"], "c,d": ["3.4"]}
    assert table.notes == ("with decimal commas",)


def test_the_separator_is_the_one_that_rows_agree_on(tmp_path: Path) -> None:
    text = 'name;"size, in m";text\nx;1,5;a,b\ny;2,5;c\nz;12,25;"d;e"\n'
    assert values(tmp_path, text) == {"name": ["x", "y", "z"], "size, in m": ["1.5", "2.5", "12.25"],
                                      "text": ["a,b", "c", "d;e"]}  # fmt: skip


def test_expected_names_tell_the_separator_of_a_few_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,x;b\n1,5;2\n")
    assert list(read_table(tmp_path / "t.csv", expected=("a,x", "b")).frame.columns) == ["a,x", "b"]


def test_a_line_for_excel_names_the_separator(tmp_path: Path) -> None:
    assert values(tmp_path, "sep=;\r\nage;city\r\n31;Bonn\r\n28;Rome\r\n") == VALUES


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    table = read(tmp_path, "größe,ort\n1,Zürich\n2,Orléans\n".encode(encoding))
    assert table.frame.to_dict("list") == {"größe": ["1", "2"], "ort": ["Zürich", "Orléans"]}
    said = [] if encoding.startswith("utf-8") else [f"read as {encoding}"]
    assert list(table.notes) == said


def test_bytes_that_windows_has_no_letters_for_are_latin_1(tmp_path: Path) -> None:
    assert read(tmp_path, b"a,b\n1,\xe9\x81\n").notes == ("read as latin-1",)


def test_quoted_fields_hold_separators_quotes_and_line_breaks(tmp_path: Path) -> None:
    text = 'a, b\n"x, ""y""\nz",1\n"second\r\n\r\nline", "2"\n'
    assert values(tmp_path, text) == {"a": ['x, "y"\nz', "second\r\n\r\nline"], "b": ["1", "2"]}


def test_empty_lines_and_rows_are_passed_over(tmp_path: Path) -> None:
    assert values(tmp_path, "\n  \nage,city\n\n31,Bonn\n , \n,\n28,Rome\n\n\n") == VALUES
    assert values(tmp_path, PLAIN + "\x1a") == VALUES  # how DOS ended files


def test_spaces_around_names_and_fields_do_not_count(tmp_path: Path) -> None:
    assert values(tmp_path, " age , city \n 31 , Bonn \n28, Rome\n") == VALUES


@pytest.mark.parametrize("text", ["", "?", "NA", "n/a", "NaN", "null", "None", " NA "])
def test_what_stands_for_nothing(tmp_path: Path, text: str) -> None:
    assert values(tmp_path, f"a,b\n{text},1\nx,{text}\n") == {"a": [None, "x"], "b": ["1", None]}


def test_a_separator_at_the_end_of_every_line(tmp_path: Path) -> None:
    assert values(tmp_path, "age,city,\n31,Bonn,\n28,Rome,\n") == VALUES
    assert values(tmp_path, "age,city\n31,Bonn,\n28,Rome,\n") == VALUES


def test_the_names_of_rows_that_r_writes(tmp_path: Path) -> None:
    table = read(tmp_path, '"age","city"\n"1",31,"Bonn"\n"2",28,"Rome"\n')
    assert table.frame.to_dict("list") == VALUES
    assert table.notes == ("its first column, which has no name, left out",)


def test_a_column_without_a_name(tmp_path: Path) -> None:
    assert list(values(tmp_path, ",age\n0,31\n1,28\n")) == ["column 1", "age"]


@pytest.mark.parametrize(
    ("text", "column", "note"),
    [
        ("a;b\n1,5;x\n2,25;y\n", ["1.5", "2.25"], "with decimal commas"),
        ("a;b\n1.234,5;x\n-12;y\n", ["1234.5", "-12"], "with decimal commas"),
        ("a;b;c\n1.234;x;0,5\n12.000;y;1,25\n", ["1234", "12000"], "with decimal commas"),
        ('a,b\n"1,234",x\n"12,000,000",y\n', ["1234", "12000000"], None),
        ('a,b\n"1,234.5",x\n7,y\n', ["1234.5", "7"], None),
        ("a,b\n12 000,x\n1'234'567,y\n", ["12000", "1234567"], None),
        ("a,b\n\u22125,x\n1e-3,y\n", ["-5", "1e-3"], None),
        ("a;b\n1,234;x\n2,345;y\n", ["1.234", "2.345"], "with decimal commas"),
        ('a,b\n"1,234",x\n"2,345",y\n', ["1234", "2345"], None),
        ("a;b\n1.5;x\n2.25;y\n", ["1.5", "2.25"], "separated by semicolons"),
    ],
)
def test_numbers(tmp_path: Path, text: str, column: list[str], note: str | None) -> None:
    table = read(tmp_path, text)
    assert list(table.frame["a"]) == column
    assert note in (table.notes or [None])


def test_texts_that_look_like_numbers_stay_among_texts(tmp_path: Path) -> None:
    assert values(tmp_path, "a;b\n1,5;1,5\nx;2,5\ny;3,5\n")["a"] == ["1,5", "x", "y"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "t.csv is empty; a table has a line with the names of its columns, and a line for each row."),
        (b"\n \n", "t.csv is empty;"),
        (b"a,b\n", "has a line with the names of columns, and no rows below it; add some."),
        (b"a,b,a\n1,2,3\n", "has two columns named 'a', the 1. and the 3.; rename one of them."),
        (b"a,b\n1,2\n1\n3,4\n5\n", "line 3: the row has 1 field, and the table 2 columns, and 1 other row neither;"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: the row has 3 fields, and the table 2 columns;"),
        (b"5.1,3.5,x\n4.9,3.0,y\n", r"looks like data \(5.1, 3.5, x\); put a line with the names of the columns"),
        (b"PK\x03\x04aaaa", "is a zip archive, as Excel files are; save the sheet as CSV and name that."),
        (b"\x1f\x8b\x08aaaa", "is compressed; unpack it and name that."),
        (b"PAR1aaaa", "is Parquet; let its name end in .parquet and name that."),
        (bytes(range(256)) * 8, "is no text, for it holds control characters; name a table of text, such as CSV."),
        (b'a,b\n1,"x' + b"y,z\n" * 40_000, "field larger than field limit .* a quotation mark before it is never"),
        (b'a,b\n1,2\n3,"x\n', "has quotation marks that are not closed, or can be read in two ways; write it anew"),
        (b"a;b;c\n1,5;0.5;x\n2,5;1.5;y\n", "has decimal points in the column 'b' and decimal commas in 'a'; write"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        read(tmp_path, content)


def test_pixels_may_be_named_by_their_numbers(tmp_path: Path) -> None:
    assert list(values(tmp_path, "0,1,2,label\n5,6,7,x\n")) == ["0", "1", "2", "label"]


def test_no_plain_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")  # it would be waited for
    for act in (read_table, file_digest):
        with pytest.raises(DataError, match=r"pipe.csv is no plain file; give a table as csv:FILE."):
            act(tmp_path / "pipe.csv")
        with pytest.raises(DataError, match=r"is a folder; give a table as csv:FILE."):
            act(tmp_path)
        with pytest.raises(DataError, match=r"There is no file .*absent.csv; name a table that is there."):
            act(tmp_path / "absent.csv")
        with pytest.raises(DataError, match="cannot be read"):
            act(tmp_path / ("x" * 300))
        with pytest.raises(DataError, match=r"cannot be read \(.*null"):
            act(Path("a\0b"))


def test_the_digest_is_that_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "t.csv"
    for text in (PLAIN, PLAIN + "5,Oslo\n"):
        path.write_text(text)
        assert file_digest(path) == read_table(path).digest == hashlib.sha256(text.encode()).hexdigest()


def test_parquet_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"is Parquet, which needs pyarrow; install it with: pip install 'samcli\[par"):
        read(tmp_path, b"PAR1", "t.parquet")


def test_a_damaged_parquet_file(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; make test-extras installs it")
    with pytest.raises(DataError, match="is no readable Parquet file"):
        read(tmp_path, b"PAR1 and no more", "t.parquet")


def test_a_large_table_is_read_in_seconds(tmp_path: Path) -> None:
    """What occurs often is looked at once, and numbers are not looked at one by one."""
    import time

    import numpy as np
    import pandas as pd

    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20_000, 10))).add_prefix("x")
    buffer = io.StringIO()
    frame.to_csv(buffer, index=False)
    start = time.perf_counter()
    table = read(tmp_path, buffer.getvalue())
    assert time.perf_counter() - start < 30
    assert table.frame.astype(float).equals(frame)
