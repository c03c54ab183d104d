"""Tables and texts whose readings other rooms know."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from samcli.errors import ConfigError, DataError
from samcli.home.known import Known
from samcli.home.network import Network
from samcli.home.predicted import predict_files
from samcli.home.program import Preprocessing, Program
from samcli.home.raw import columns_of, frame_of, raw_inputs, surprises_of
from samcli.shape import InputShape
from samcli.tasks import Binary

TABLE = Known("table", InputShape((2,)), Binary(), ("no", "yes"), torch.zeros(2), torch.ones(2),
              {"columns": [{"name": "age", "median": 40.0}, {"name": "size", "median": 1.0}]})  # fmt: skip
TEXT = Known("tokens", InputShape((3,), vocabulary=256), Binary(), ("no", "yes"), torch.zeros(0), torch.zeros(0),
             {"length": 3})  # fmt: skip


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the modules that know such readings."""

    def rows(frame: pd.DataFrame, reading: dict[str, Any]) -> Tensor:
        columns = [frame[one["name"]].fillna(one["median"]).to_numpy() for one in reading["columns"]]
        return torch.stack([torch.tensor(column, dtype=torch.float32) for column in columns], 1)

    def tokens(texts: Sequence[str], reading: dict[str, Any]) -> Tensor:
        return torch.tensor([list(text.encode()[: reading["length"]]) for text in texts])

    for name, function in (("samcli.data.tables", rows), ("samcli.data.texts", tokens)):
        module = ModuleType(name)
        module.inputs_of = function  # type: ignore[attr-defined]
        module.surprises = lambda frame, reading: ["age: 1 value missing"]  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)


def test_a_table_is_read_as_its_data_set_says(readers: None) -> None:
    assert columns_of(TABLE) == ("age", "size")
    frame = pd.DataFrame({"size": [2.0, None], "other": ["x", "y"], "age": [30.0, None]})
    assert raw_inputs(frame, TABLE).tolist() == [[30.0, 2.0], [40.0, 1.0]]
    assert raw_inputs({"age": 3.0, "size": 5.0}, TABLE).tolist() == [[3.0, 5.0]]


def test_what_the_training_part_had_not_is_told(readers: None, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age,size\n,2\n3,5\n")
    model = nn.Linear(2, 1)
    network = Network(model, None, 1, TABLE, Program(Preprocessing(TABLE), model, TABLE.task))  # type: ignore[arg-type]
    told: list[str] = []
    found = list(predict_files(network, [tmp_path / "a.csv"], pytest.fail, told.append))
    assert [one.row for one in found] == [1, 2]
    assert told == [f"{tmp_path / 'a.csv'}: age: 1 value missing."]
    assert surprises_of(pd.DataFrame(), replace(TABLE, reading={"features": ["age"]})) == []


def test_a_strangers_reading_ends_in_a_sentence(readers: None) -> None:
    stranger = replace(TABLE, reading={"columns": [{"median": 3}]})
    with pytest.raises(DataError, match=r"is not sound \(KeyError: 'name'\)"):
        raw_inputs({"age": 3.0, "size": 5.0}, stranger)
    with pytest.raises(DataError, match="The network takes arrays of N × 2, not 1 × 1"):
        raw_inputs({"age": 3.0}, replace(TABLE, reading={"features": 7}))


def test_texts_become_tokens(readers: None) -> None:
    assert raw_inputs("abcd", TEXT).tolist() == [[97, 98, 99]]
    assert raw_inputs(["abc", "xyz"], TEXT).dtype == torch.int64
    assert raw_inputs(torch.zeros(2, 3, dtype=torch.int32), TEXT).shape == (2, 3)
    with pytest.raises(ConfigError, match="takes texts, not a float"):
        raw_inputs([3.5], TEXT)
    with pytest.raises(DataError, match="Tokens are whole numbers from 0 to 255"):
        raw_inputs(torch.full((1, 3), 256), TEXT)


def test_a_reading_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "samcli.data.texts", None)
    with pytest.raises(DataError, match="This version of samcli does not read such files"):
        raw_inputs("abc", TEXT)


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no file .*a\.csv"):
        frame_of(tmp_path / "a.csv")
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(DataError, match=r"a\.csv is"):
        frame_of(tmp_path / "a.csv")
    with pytest.raises(ConfigError, match="takes rows of a table, not a float"):
        frame_of(3.5)
