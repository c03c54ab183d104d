"""Tables and texts whose readings other rooms know."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from samcli.errors import ConfigError, DataError
from samcli.home.known import Known
from samcli.home.network import Network
from samcli.home.predicted import predict_files
from samcli.home.program import Preprocessing, Program
from samcli.home.raw import columns_of, frame_of, raw_inputs, surprises_of
from samcli.shape import InputShape
from samcli.tasks import Binary

COLUMNS = [
    {"name": name, "kind": "number", "median": median, "centre": 0.0, "indicator": False}
    for name, median in (("age", 40.0), ("size", 1.0))
]
TABLE = Known("table", InputShape((2,)), Binary(), ("no", "yes"), torch.zeros(2), torch.ones(2),
              {"columns": COLUMNS, "target": "y"})  # fmt: skip
TEXT = Known("tokens", InputShape((3,), vocabulary=5), Binary(), ("no", "yes"), torch.zeros(0), torch.zeros(0),
             {"tokenizer": {"kind": "words", "document": "film\nbad\ngood"}, "length": 3, "text": None})  # fmt: skip


def test_a_table_is_read_as_its_data_set_says() -> None:
    assert columns_of(TABLE) == ("age", "size")
    frame = pd.DataFrame({"size": [2.0, None], "other": ["x", "y"], "age": [30.0, None]})
    assert raw_inputs(frame, TABLE).tolist() == [[30.0, 2.0], [40.0, 1.0]]
    assert raw_inputs({"age": 3.0, "size": 5.0}, TABLE).tolist() == [[3.0, 5.0]]


def test_what_the_training_part_had_not_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age,size\n,2\n3,5\n")
    model = nn.Linear(2, 1)
    network = Network(model, None, 1, TABLE, Program(Preprocessing(TABLE), model, TABLE.task))  # type: ignore[arg-type]
    told: list[str] = []
    found = list(predict_files(network, [tmp_path / "a.csv"], pytest.fail, told.append))
    assert [one.row for one in found] == [1, 2]
    assert told == [f"{tmp_path / 'a.csv'}: age: 1 value missing (40, the training median, stands for it)."]
    assert surprises_of(pd.DataFrame(), replace(TABLE, reading={"features": ["age"]})) == []


def test_a_strangers_reading_ends_in_a_sentence() -> None:
    stranger = replace(TABLE, reading={"columns": [{"median": 3}]})
    with pytest.raises(DataError, match=r"is not sound \(KeyError: 'name'\)"):
        raw_inputs({"age": 3.0, "size": 5.0}, stranger)
    with pytest.raises(DataError, match="The network takes arrays of N × 2, not 1 × 1"):
        raw_inputs({"age": 3.0}, replace(TABLE, reading={"features": 7}))


def test_texts_become_tokens() -> None:
    assert raw_inputs("Good film", TEXT).tolist() == [[4, 2, 0]]
    assert raw_inputs(["bad", "a good bad film"], TEXT).dtype == torch.int64
    assert raw_inputs(torch.zeros(2, 3, dtype=torch.int32), TEXT).shape == (2, 3)
    with pytest.raises(ConfigError, match="takes texts, not a float"):
        raw_inputs([3.5], TEXT)
    with pytest.raises(DataError, match="Tokens are whole numbers from 0 to 4"):
        raw_inputs(torch.full((1, 3), 5), TEXT)


def test_numbers_of_a_file_are_read_whatever_their_form(tmp_path: Path) -> None:
    plain = replace(TABLE, reading={"features": ["age", "size"]})
    (tmp_path / "a.csv").write_text("size;age\n2,5;30\n1,0;4\n")
    assert raw_inputs(tmp_path / "a.csv", plain).tolist() == [[30.0, 2.5], [4.0, 1.0]]
    (tmp_path / "a.csv").write_text("size,age\n2.5,old\n1.0,4\n")
    with pytest.raises(DataError, match="'age' must hold numbers, and holds 'old'"):
        raw_inputs(tmp_path / "a.csv", plain)


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*a\.csv"):
        frame_of(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(DataError, match=r"a\.csv is"):
        frame_of(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="takes rows of a table, not a float"):
        frame_of(3.5)
