"""A user's own table: what is predicted, what it is predicted from, and what is said of both."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from samcli.config import Draft, parse
from samcli.data import DATASETS, Source, contents, digest, load, raw_source
from samcli.data.table_file import read_table
from samcli.data.tables import inputs_of
from samcli.errors import ConfigError, DataError
from samcli.tasks import Binary, Classification, Regression
from samcli.train import CATALOGUE

Table = Mapping[str, Sequence[object]]
SEXES = ["f", "m"] * 10
AGES = [20 + (7 * i) % 40 for i in range(20)]


def write(tmp_path: Path, columns: Table, name: str = "t.csv") -> Path:
    pd.DataFrame(dict(columns)).to_csv(tmp_path / name, index=False)
    return tmp_path / name


def source(tmp_path: Path, table: Table, **options: Any) -> Source:
    return raw_source(DATASETS.create(f"csv:{write(tmp_path, table)}", **options), tmp_path)


def both(got: Source) -> torch.Tensor:
    return torch.cat([got.inputs, got.test_inputs])


def test_texts_are_classes_and_categories(tmp_path: Path) -> None:
    got = source(tmp_path, {"age": AGES, "sex": SEXES, "kind": ["b", "a", "c", "a"] * 5})
    assert got.class_names == ("a", "b", "c")
    assert got.task == Classification(3)
    assert got.categories == (0, 3)
    assert (len(got.targets), len(got.test_targets)) == (16, 4)
    assert got.notes == ("predicts kind, the last column, as classes (its values are texts)",)
    place = {age: i for i, age in enumerate(AGES)}
    for row, target in zip(both(got), torch.cat([got.targets, got.test_targets]), strict=True):
        i = place[int(row[0])]
        assert row[1] == 1 + "fm".index(SEXES[i])
        assert target == "abc".index("baca"[i % 4])
    assert got.reading["target"] == "kind"
    assert got.reading["columns"][1]["categories"] == ["f", "m"]


@pytest.mark.parametrize(
    ("values", "task", "names", "guess"),
    [
        ([True, False] * 10, Binary(), ("False", "True"), "its values are texts"),
        ([3, 10] * 10, Binary(), ("3", "10"), "it holds 2 whole numbers"),
        ([" yes", "no "] * 10, Binary(), ("no", "yes"), "its values are texts"),
        (["1.0", "2"] * 10, Binary(), ("1", "2"), "it holds 2 whole numbers"),
        ([0, 1, "x", "y"] * 5, Classification(4), ("0", "1", "x", "y"), "its values are texts"),
        ([0, 1, 2, 3] * 5, Classification(4), ("0", "1", "2", "3"), "it holds 4 whole numbers"),
    ],
)
def test_what_is_taken_for_classes(
    tmp_path: Path, values: list[object], task: object, names: tuple[str, ...], guess: str
) -> None:
    got = source(tmp_path, {"age": AGES, "y": values})
    assert (got.task, got.class_names) == (task, names)
    assert got.notes == (f"predicts y, the last column, as classes ({guess})",)


@pytest.mark.parametrize("values", [[0.5 * i for i in range(20)], list(range(100, 121))[:20], [1.5, 2.0] * 10])
def test_what_is_taken_for_a_number(tmp_path: Path, values: list[float]) -> None:
    if len(set(values)) == 20 and all(v == int(v) for v in values):
        values = [*values, 200]  # 21 whole numbers are too many for classes
    ages = [*AGES, 90][: len(values)]
    got = source(tmp_path, {"age": ages, "y": values})
    assert isinstance(got.task, Regression)
    by_age = dict(zip(ages, values, strict=True))
    train = np.array([by_age[int(row[0])] for row in got.inputs])
    assert got.task == Regression(mean=train.mean(), std=train.std())
    np.testing.assert_allclose(got.targets, (train - train.mean()) / train.std(), atol=1e-6)
    test = np.array([by_age[int(row[0])] for row in got.test_inputs])
    np.testing.assert_allclose(got.test_targets, (test - train.mean()) / train.std(), atol=1e-6)


def test_the_task_may_be_said(tmp_path: Path) -> None:
    table = {"age": AGES, "y": [0, 1, 2, 3] * 5, "sex": SEXES}
    got = source(tmp_path, table, target="y", task="regression")
    assert isinstance(got.task, Regression)
    assert got.notes == ()
    assert source(tmp_path, table, target="y", task="classification").task == Classification(4)


@pytest.mark.parametrize(
    ("values", "options", "sentence"),
    [
        (["a"] * 20, {}, "The target 'y' is 'a' in every row; two classes are needed."),
        ([2.5] * 20, {}, "The target 'y' is 2.5 in every row; there is nothing to predict."),
        ([""] * 20, {}, "The target 'y' is missing in every row; name another with dataset.target."),
        ([1e19, *AGES[1:]], {"task": "regression"}, "The target 'y' holds 1e.19, and numbers beyond 1e.18 have no"),
        ([*range(30, 49), "x"], {"task": "regression"}, "The target 'y' holds 'x', which no regression can predict"),
        (AGES, {"target": "agee"}, r"has no column 'agee', which target names; did you mean age\?"),
        (AGES, {"drop": ("z",)}, "has no column 'z', which drop names; known are: age, y."),
        (AGES, {"columns": ("age",), "target": "age"}, "columns names 'age', which is the target"),
        (AGES, {"drop": ("age",)}, "has no column to predict 'y' from"),
    ],
)
def test_targets_that_cannot_be(tmp_path: Path, values: list[object], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        source(tmp_path, {"age": AGES, "y": values}, **options)


def test_a_number_among_many_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="The target 'y' holds numbers, and 'oops'; mend that row for a regression"):
        source(tmp_path, {"age": range(40), "y": [*range(39), "oops"], "x": [1, 2] * 20}, target="y")


def test_more_than_a_thousand_classes_are_an_identifier_or_a_number(tmp_path: Path) -> None:
    table = {"x": [1.5, 2.5] * 50_000, "y": [f"id{i}" for i in range(100_000)]}
    with pytest.raises(DataError, match=r"has 100,000 different values in 100,000 rows, too many for classes"):
        source(tmp_path, table)


def test_rows_without_a_target_are_left_out(tmp_path: Path) -> None:
    got = source(tmp_path, {"age": AGES, "y": [None, "a", "b", "NA", "?"] * 4})
    assert len(both(got)) == 8
    assert "12 rows without y left out" in got.notes


def test_what_is_missing_is_the_median_and_told(tmp_path: Path) -> None:
    ages = [None, *[float(i) for i in range(1, 38)], "unknown", "inf"]
    got = source(tmp_path, {"age": ages, "city": ["a", "b", None, "a"] * 10, "y": ["u", "v"] * 20}, split_seed=3)
    age, city = got.reading["columns"]
    missing = both(got)[:, 2]
    assert missing.sum() == 3
    train = got.inputs[got.inputs[:, 2] == 0, 0]
    assert age["median"] == np.median(train.numpy())
    assert (both(got)[missing == 1, 0] == age["median"]).all()
    assert city["categories"] == ["a", "b"]
    assert (both(got)[:, 1] == 0).sum() == 10
    told = " ".join(got.notes)
    assert f"the median {age['median']:g} and a column of 0 and 1 for it" in told
    assert "a category of their own with all unknown ones" in told
    assert got.categories == (0, 3, 0)


def test_statistics_are_those_of_the_training_part_alone(tmp_path: Path) -> None:
    """A test file of other values changes nothing in what is made of the rows that are trained on."""
    train = write(tmp_path, {"age": [*AGES[1:], None], "city": ["a", "b"] * 10, "y": ["u", "u", "v", "v"] * 5})
    made = []
    for number, cities in enumerate((["a", "b"] * 5, ["z", None] * 5)):
        ages = [1000.0 * number] * 9 + [5]
        test = write(tmp_path, {"y": ["u", "v"] * 5, "city": cities, "age": ages}, f"test{number}.csv")
        made.append(raw_source(DATASETS.create(f"csv:{train}", test=str(test)), tmp_path))
    one, other = made
    assert one.reading == other.reading
    assert torch.equal(one.inputs, other.inputs)
    assert other.test_inputs[:, 0].tolist() == [1000.0] * 9 + [5.0]
    assert other.test_inputs[:, 1].tolist() == [0.0] * 10
    assert "in the test part city: 5 values of no training category ('z')" in other.notes
    both_files = "\n".join(
        hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in ("t.csv", "test1.csv")
    )
    assert other.digest == hashlib.sha256(both_files.encode()).hexdigest()


def test_new_rows_become_what_trained_ones_are(tmp_path: Path) -> None:
    """The file itself, read anew by what a checkpoint would hold, gives the inputs of all parts."""
    table = {"age": [*AGES[1:], None], "city": ["a", "b", "a", "c"] * 5, "y": ["u", "v"] * 10}
    got = source(tmp_path, table)
    again = inputs_of(read_table(tmp_path / "t.csv").frame, got.reading)
    assert sorted(map(tuple, again.tolist())) == sorted(map(tuple, both(got).tolist()))
    typed = inputs_of(pd.read_csv(tmp_path / "t.csv"), got.reading)
    assert torch.equal(again, typed)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        ([7] * 20, "the same in every row"),
        (["x"] * 20, "the same in every row"),
        ([None] * 20, "empty"),
        ([f"p{i}" for i in range(20)], "another in every row, as an identifier"),
        ([2**60 + i for i in range(20)], "another in every row, as an identifier"),
        (range(20), "counts the rows"),
        (range(1, 21), "counts the rows"),
        ([f"2024-01-{i + 1:02}" for i in range(20)], "dates, which are no numbers"),
        ([f"{i + 1}.3.2024 12:30" for i in range(20)], "dates, which are no numbers"),
        ([20240101 + i % 7 for i in range(20)], "dates, which are no numbers"),
        (["inf"] * 20, "no finite number"),
    ],
)
def test_columns_that_are_left_out(tmp_path: Path, column: Sequence[object], reason: str) -> None:
    got = source(tmp_path, {"odd": column, "age": AGES, "y": ["u", "v"] * 10})
    assert got.inputs.shape[1] == 1
    assert f"odd left out ({reason})" in got.notes


def test_more_than_ten_thousand_categories_are_left_out(tmp_path: Path) -> None:
    many = [f"c{i % 13_000}" for i in range(30_000)]
    got = source(tmp_path, {"many": many, "x": [1.5, 2.5, 3.5] * 10_000, "y": ["u", "v"] * 15_000})
    assert "many left out (more than 10,000 categories)" in got.notes


def test_a_column_that_counts_rows_is_used_if_it_is_named(tmp_path: Path) -> None:
    got = source(tmp_path, {"day": range(20), "age": AGES, "y": ["u", "v"] * 10}, columns=("day",))
    assert [column["name"] for column in got.reading["columns"]] == ["day"]


def test_numbers_too_large_for_floats_are_texts(tmp_path: Path) -> None:
    got = source(tmp_path, {"id": [2**53 + 1, 2**53 + 3] * 10, "y": ["u", "v", "v", "u"] * 5})
    assert got.reading["columns"][0]["categories"] == [str(2**53 + 1), str(2**53 + 3)]
    assert any("too large for exact numbers" in note for note in got.notes)


def test_numbers_among_texts_are_categories(tmp_path: Path) -> None:
    got = source(tmp_path, {"odd": ["1", "2", "x", "y"] * 5, "y": ["u", "v", "v", "u"] * 5})
    assert got.reading["columns"][0]["categories"] == ["1", "2", "x", "y"]
    assert "odd: numbers among texts are categories too" in got.notes


def test_numbers_may_be_categories(tmp_path: Path) -> None:
    table = {"zip": [53111, 7, 10, 7] * 5, "age": AGES, "y": ["u", "v"] * 10}
    assert source(tmp_path, table).categories == (0, 0)
    got = source(tmp_path, table, categorical=("zip",))
    assert got.categories == (4, 0)
    assert got.reading["columns"][0]["categories"] == ["7", "10", "53111"]


def test_numbers_that_differ_beyond_seven_digits_are_kept_apart(tmp_path: Path) -> None:
    seconds = [1_700_000_000 + 3 * i for i in range(20)]
    got = source(tmp_path, {"when": seconds, "y": ["u", "v"] * 10})
    assert len(both(got)[:, 0].unique()) == 20
    assert (both(got)[:, 0] + got.reading["columns"][0]["centre"]).min() == pytest.approx(1_700_000_000)


def test_numbers_without_a_square_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"The column 'x' holds 1e.19, and numbers beyond 1e.18 have no square"):
        source(tmp_path, {"x": [1e19, *AGES[1:]], "y": ["u", "v"] * 10})


def test_one_row_of_a_class_is_trained_on(tmp_path: Path) -> None:
    got = source(tmp_path, {"age": AGES, "y": ["u"] * 10 + ["v"] * 9 + ["w"]})
    assert got.targets.bincount().tolist() == [8, 7, 1]


def test_groups_stay_together(tmp_path: Path) -> None:
    table = {"who": [f"p{i // 4}" for i in range(80)], "x": [i + 0.5 for i in range(80)], "y": ["u", "v"] * 40}
    for seed in range(3):
        got = source(tmp_path, table, group="who", split_seed=seed)
        train, test = ({int(x) // 4 for x in part[:, 0]} for part in (got.inputs, got.test_inputs))
        assert not train & test
        assert (len(train), len(test)) == (16, 4)
        assert "4 of 20 groups by who tested on" in got.notes
        assert got.inputs.shape[1] == 1  # it is no input itself
        data = load(
            DATASETS.create(f"csv:{tmp_path}/t.csv", group="who", split_seed=seed, validation=0.25),
            seed=seed,
            data_dir=tmp_path,
            device="cpu",
        )
        assert data.validation is not None
        raw = [part.inputs[:, 0] * data.std[0] + data.mean[0] for part in (data.train, data.validation)]
        trained, held = ({int(x + 0.01) // 4 for x in part} for part in raw)
        assert not trained & held
        assert (len(trained), len(held)) == (12, 4)


def test_the_latest_are_tested_on_and_held_out(tmp_path: Path) -> None:
    days = [f"2024-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(50)]
    order = np.random.default_rng(0).permutation(50)
    table = {"day": [days[i] for i in order], "x": order.astype(float), "y": ["u", "v"] * 25}
    got = source(tmp_path, table, time="day")
    assert sorted(got.test_inputs[:, 0].tolist()) == list(range(40, 50))
    assert "the latest 10 rows by day tested on" in got.notes
    data = load(
        DATASETS.create(f"csv:{tmp_path}/t.csv", time="day", validation=0.25), seed=1, data_dir=tmp_path, device="cpu"
    )
    assert data.validation is not None
    held = data.validation.inputs[:, 0] * data.std[0] + data.mean[0]
    assert sorted(held.round().tolist()) == list(range(30, 40))


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([5, 1, 9, 9, 2, 3], [2, 3]),  # one time stays on one side
        (["31.1.2024", "1.2.2024", "3.1.2024", "4.1.2024", "5.1.2024"], [1]),
        (["1/31/2024", "2/1/2024", "1/3/2024", "1/4/2024", "1/5/2024"], [1]),
        (["31/1/2024", "1/2/2024", "3/1/2024", "4/1/2024", "5/1/2024"], [1]),
        (["2024-01-31T10:00:00+01:00", "2024-01-31T10:00:00+00:00", "2023-01-01", "2022-01-01", "2021-01-01"], [1]),
    ],
)
def test_times(tmp_path: Path, times: list[object], expected: list[int]) -> None:
    n = len(times)
    table = {"t": times, "x": [float(i) + 0.5 for i in range(n)], "y": [1.5 * i for i in range(n)]}
    kind = DATASETS.create(f"csv:{write(tmp_path, table)}", time="t", target="y", task="regression")
    got = kind.source(tmp_path)  # of so few rows that no R² is defined
    assert [int(x) for x in got.test_inputs[:, 0].tolist()] == expected


@pytest.mark.parametrize(
    ("column", "options", "sentence"),
    [
        (["1/2/2024", "2/2/2024"] * 10, {"time": "c"}, "it cannot be told whether the day or the month comes first"),
        (["spring", "summer"] * 10, {"time": "c"}, "no number and no date, such as 'spring'; write dates as in 2024-"),
        (
            ["2024-02-29"] * 19 + ["soon"],
            {"time": "c"},
            "no number and no date, such as 'soon'; write dates as in 2024-",
        ),
        (["13/01/2024", "2024-02-03"] * 10, {"time": "c"}, "written as '2024-02-03' and others as '13/01/2024'; write"),
        ([None, *range(19)], {"time": "c"}, "1 row without 'c', by which the table is to be split; fill in"),
        ([3] * 20, {"time": "c"}, "All rows have the same 'c'; a split by time needs two."),
        (["a"] * 20, {"group": "c"}, "All rows have the same 'c'; a split by groups needs two of them."),
    ],
)
def test_splits_that_cannot_be(
    tmp_path: Path, column: Sequence[object], options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(DataError, match=sentence):
        source(tmp_path, {"c": column, "age": AGES, "y": ["u", "v"] * 10}, **options)


def test_a_hold_out_of_one_group_is_a_sentence(tmp_path: Path) -> None:
    table = {"who": ["a"] * 16 + ["b"] * 4, "x": AGES, "y": ["u", "v"] * 10}
    kind = DATASETS.create(f"csv:{write(tmp_path, table)}", group="who", validation=0.2)
    with pytest.raises(ConfigError, match=r"validation: 0.2 cannot be held out of t.csv, whose training"):
        load(kind, seed=0, data_dir=tmp_path, device="cpu")


def test_files_that_share_a_group_are_refused(tmp_path: Path) -> None:
    train = write(tmp_path, {"who": ["a", "b"] * 10, "x": AGES, "y": ["u", "v"] * 10})
    test = write(tmp_path, {"who": ["c", "b"], "x": [1, 2], "y": ["u", "v"]}, "test.csv")
    with pytest.raises(DataError, match=r"1 row of .*test.csv .* a 'who' that .*t.csv has, too"):
        raw_source(DATASETS.create(f"csv:{train}", test=str(test), group="who"), tmp_path)


def test_a_test_file_has_the_columns_of_the_other(tmp_path: Path) -> None:
    train = write(tmp_path, {"age": AGES, "y": ["u", "v"] * 10})
    for columns, sentence in (
        ({"agee": [1, 2], "y": ["u", "v"]}, r"test.csv has no column 'age', as .*t.csv has; did you mean agee\?"),
        ({"age": [1, 2], "z": ["u", "v"]}, "The test file has no column 'y'"),
        ({"age": [1, 2], "y": ["u", "w"]}, "1 example of the class w, of which the training part has none"),
    ):
        test = write(tmp_path, columns, "test.csv")
        with pytest.raises(DataError, match=sentence):
            raw_source(DATASETS.create(f"csv:{train}", test=str(test)), tmp_path)


def test_options_that_exclude_each_other() -> None:
    for options, sentence in (
        ({"group": "a", "time": "b"}, "split by group or by time, not by both"),
        ({"columns": ("a",), "drop": ("b",)}, "so there is nothing to drop"),
        ({"task": "regression", "label_noise": 0.1}, "a regression has none; leave label_noise out"),
        ({"augment": ("flip",)}, "augment is for images and the table has none"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            DATASETS.create("csv:t.csv", **options)


def test_noise_of_a_regression_that_is_known_late(tmp_path: Path) -> None:
    path = write(tmp_path, {"age": AGES, "y": [0.5 * i for i in range(20)]})
    with pytest.raises(ConfigError, match=r"label_noise draws classes and t.csv has none"):
        load(DATASETS.create(f"csv:{path}", label_noise=0.1), seed=0, data_dir=tmp_path, device="cpu")


def test_too_few_rows(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has 4 rows with a target, too few to split off a test part; add more."):
        source(tmp_path, {"x": [1.5, 2.5, 3.5, 4.5], "y": ["u", "v", "u", "v"]})


def test_the_line_and_the_digest(tmp_path: Path) -> None:
    path = write(tmp_path, {"age": AGES, "city": ["a", "b"] * 10, "y": ["u", "v"] * 10})
    kind = DATASETS.create(f"csv:{path}")
    assert contents(kind, tmp_path).summary == (
        "t.csv: 20 examples, 2 classes, 2 columns, predicts y, the last column, as classes (its values are texts)"
    )
    assert digest(kind, tmp_path) == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text() + "5,a,u\n")
    assert digest(kind, tmp_path) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert contents(kind, tmp_path).examples == 21


def test_a_table_has_one_name_from_wherever_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, {"age": AGES, "y": ["u", "v"] * 10})
    monkeypatch.chdir(tmp_path)
    assert DATASETS.canonical("csv:t.csv") == DATASETS.canonical(f"csv:{path}") == f"csv:{path}"
    (run,) = Draft.of(parse("{dataset: {name: 'csv:t.csv', test: t.csv}, optimizer: sgd}", "x"), CATALOGUE).expand()
    assert (run.dataset["name"], run.dataset["test"]) == (f"csv:{path}", str(path))
    with pytest.raises(ConfigError, match=r"did you mean csv:t.csv\?"):
        DATASETS.kind("t.csv")
    with pytest.raises(ConfigError, match="names no file"):
        DATASETS.canonical("csv:a\0b")


def test_parquet_is_the_same_table(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is not installed; make test-extras installs it")
    frame = pd.DataFrame(
        {
            "age": [*AGES[1:], None],
            "city": ["a", "b", None, "c"] * 5,
            "flag": [True, False, False, True] * 5,
            "when": pd.date_range("2024-01-01", periods=20),
            "y": ["u", "v"] * 10,
        }
    )
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    one, other = (raw_source(DATASETS.create(f"csv:{tmp_path}/t.{end}"), tmp_path) for end in ("csv", "parquet"))
    assert torch.equal(one.inputs, other.inputs)
    assert torch.equal(one.test_inputs, other.test_inputs)
    assert one.reading["columns"] == other.reading["columns"]
    assert one.notes == other.notes
    timed = raw_source(DATASETS.create(f"csv:{tmp_path}/t.parquet", time="when"), tmp_path)
    assert torch.equal(timed.test_targets, torch.tensor([0, 1, 0, 1]))
