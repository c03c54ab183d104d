"""samcli.runs.load: a row for each run and epoch."""

import csv
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from run_folders import SAM, SGD, Results

from samcli.errors import NothingToCompare, ResultsError
from samcli.runs import load


@pytest.fixture
def results(tmp_path: Path) -> Path:
    made = Results(tmp_path)
    made.add(SGD, 0, [0.5, 0.75, 0.8], sharpness=None)
    made.add({**SAM, "rho": 0.2}, 1, [0.25], status={"status": "diverged"}, clip_norm=1.0)
    return tmp_path


def test_every_number_is_that_of_the_file(results: Path) -> None:
    frame = load(results)
    assert frame[["run", "state", "seed", "epoch"]].to_numpy().tolist() == [
        ["run000", "finished", 0, 1],
        ["run000", "finished", 0, 2],
        ["run000", "finished", 0, 3],
        ["run001", "diverged", 1, 1],
    ]
    for run, rows in frame.groupby("run"):
        with (results / "trial" / str(run) / "metrics.csv").open() as file:
            written = list(csv.DictReader(file))
        for name in written[0]:
            found = [None if math.isnan(value) else value for value in rows[name].tolist()]
            assert found == [float(row[name]) if row[name] else None for row in written], name


def test_types_and_settings(results: Path) -> None:
    frame = load(results)
    assert list(frame.columns[:5]) == ["experiment", "run", "state", "seed", "epoch"]
    assert {frame[name].dtype.kind for name in ("seed", "epoch", "epochs")} == {"i"}
    assert {frame[name].dtype.kind for name in ("test_loss", "sharpness", "optimizer.rho", "clip_norm")} == {"f"}
    assert frame["optimizer.nesterov"].dtype == bool
    assert frame["optimizer.rho"].tolist()[-1] == 0.2
    assert frame["optimizer.rho"].isna().tolist() == [True, True, True, False]
    assert frame["dataset.augment"].unique().tolist() == ["[]"]
    assert not {"name", "seeds"} & set(frame.columns)


def test_several_paths_are_read_once_each(results: Path) -> None:
    one, other = results / "trial/run000", results / "trial/run001"
    pd.testing.assert_frame_equal(load([one, str(other), results]), load(results))


def test_what_is_left_out_is_warned_of(results: Path) -> None:
    Results(results / "more").add(SGD, 2, [], status={"status": "failed"})
    (results / "trial/run001/metrics.csv").unlink()
    with pytest.warns(UserWarning) as told:
        frame = load([results, results / "more"])
    sentences = [str(warning.message) for warning in told]
    assert any("metrics.csv is missing" in sentence for sentence in sentences)
    assert any(sentence.startswith("1 run without an epoch has no row: ") for sentence in sentences)
    assert all(warning.filename == __file__ for warning in told)
    assert set(frame["run"]) == {"run000"}


def test_a_setting_takes_no_column_of_the_table(results: Path) -> None:
    Results(results / "more").add(SGD, 0, [0.5], test_loss=7, run="x", plugins=["a.py"])
    frame = load(results / "more")
    assert (frame["test_loss"].tolist(), frame["config.test_loss"].tolist()) == ([0.5], [7])
    assert (frame["run"].tolist(), frame["config.run"].tolist()) == (["run000"], ["x"])
    assert frame["plugins"].tolist() == ["[a.py]"]


def test_nothing_ends_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="There are no results at"):
        load(tmp_path / "nowhere")
    with pytest.warns(UserWarning, match="holds no run"), pytest.raises(NothingToCompare, match="train first"):
        load(tmp_path)


def test_pandas_is_imported_where_it_is_needed() -> None:
    program = "import sys, samcli.runs; print([name for name in ('pandas', 'torch', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"
