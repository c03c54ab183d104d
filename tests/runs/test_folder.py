"""One run's files: what is written comes back, bit for bit."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from samcli.errors import ResultsError
from samcli.metrics import columns
from samcli.runs.folder import RunFolder, find_checkpoints

CLASSIFICATION = columns("accuracy")


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


def test_paths(folder: RunFolder) -> None:
    names = [path.name for path in (folder.config, folder.run, folder.metrics, folder.checkpoint)]
    assert names == ["config.yaml", "run.json", "metrics.csv", "checkpoint.pt"]


def test_status_round_trip(folder: RunFolder) -> None:
    status = {"status": "finished", "seed": 0, "error": None, "git": {"dirty": True}, "name": "ρ-study"}
    folder.write_status(status)
    assert folder.read_status() == status
    assert "ρ-study" in folder.run.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="JSON"):
        folder.write_status({"status": "failed", "loss": math.nan})
    assert folder.read_status() == status


def test_pandas_reads_the_same(folder: RunFolder) -> None:
    rows = [{"epoch": 1, "train_loss": 0.1 + 0.2, "sharpness": -1e-7}, {"epoch": 2, "train_loss": 1.0}]
    folder.write_metrics(rows)
    table = pd.read_csv(folder.metrics)
    assert list(table.columns) == CLASSIFICATION
    assert table["train_loss"].tolist() == pytest.approx([0.1 + 0.2, 1.0], rel=1e-15)  # older pandas: one unit off
    assert table["epoch"].dtype == np.int64
    assert table["test_accuracy"].isna().all()  # not measured is empty, not zero
    assert table["sharpness"].isna().tolist() == [False, True]


def test_numpy_numbers_are_written_as_numbers(folder: RunFolder) -> None:
    folder.write_metrics([{"epoch": 1, "test_r2": np.float64(0.25)}])
    assert folder.metrics.read_text().splitlines()[1].startswith("1,,,,,,0.25,")
    assert folder.read_metrics()[0]["test_r2"] == 0.25


def test_regression_and_empty_headers(folder: RunFolder) -> None:
    folder.write_metrics([{"epoch": 1, "train_r2": 0.5}])
    assert folder.read_table()[0] == columns("r2")
    folder.write_metrics([])
    assert folder.read_table() == (CLASSIFICATION, [])


def test_further_columns_come_last_and_are_empty_where_a_row_lacks_them(folder: RunFolder) -> None:
    rows = [{"epoch": 1}, {"epoch": 2, "trace": 1.5, "sharpness": 0.1, "lambda_max": None}]
    folder.write_metrics(rows)
    header, read = folder.read_table()
    assert header == [*CLASSIFICATION, "trace", "lambda_max"]
    assert [row["trace"] for row in read] == [None, 1.5]
    assert [row["lambda_max"] for row in read] == [None, None]


HEADER = ",".join(CLASSIFICATION)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epoch,loss\n1,2\n",
        f"{HEADER}\n1,0.5\n",  # torn
        f"{HEADER}\n1{',x' * 17}\n",
        f"{HEADER}\n{',' * 17}\n",  # no epoch
        f"{HEADER}\n\n",
    ],
)
def test_garbled_metrics(folder: RunFolder, text: str) -> None:
    folder.metrics.write_text(text)
    with pytest.raises(ResultsError, match=r"metrics\.csv .*train the run again"):
        folder.read_metrics()


@pytest.mark.parametrize("text", ["", "[1, 2]", '{"status": "fini', "null"])
def test_garbled_status(folder: RunFolder, text: str) -> None:
    folder.run.write_text(text)
    with pytest.raises(ResultsError, match=r"run\.json is not a JSON object; restore it"):
        folder.read_status()


@pytest.mark.parametrize("text", ["", "- a\n", "a: [1\n", "!!python/object/apply:os.getcwd []\n"])
def test_garbled_configuration(folder: RunFolder, text: str) -> None:
    folder.config.write_text(text)
    with pytest.raises(ResultsError, match=r"config\.yaml is not a YAML mapping"):
        folder.read_config()


def test_missing_and_binary_files(folder: RunFolder) -> None:
    for read in (folder.read_config, folder.read_status, folder.read_metrics):
        with pytest.raises(ResultsError, match="is missing"):
            read()
    folder.run.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultsError, match="is not text"):
        folder.read_status()


def test_checkpoints_are_found_in_runs_and_in_folders_of_runs(tmp_path: Path) -> None:
    files = [tmp_path / "exp" / name / "checkpoint.pt" for name in ("b", "a")]
    for file in files:
        file.parent.mkdir(parents=True)
        file.touch()
    b, a = files
    for hidden in (tmp_path / "exp" / ".replaced", tmp_path / ".trash"):
        hidden.mkdir()
        (hidden / "checkpoint.pt").touch()
    assert find_checkpoints([tmp_path]) == find_checkpoints([tmp_path / "exp"]) == [a, b]
    assert find_checkpoints([b.parent, tmp_path / "exp", b]) == [b, a]
    assert find_checkpoints([tmp_path / "absent"]) == [tmp_path / "absent"]  # whoever reads it says that it is missing
