"""Parquet: one file, replaced only by its like."""

from pathlib import Path

import pandas as pd
import pytest
from run_folders import SAM, SGD, Results

from samcli.errors import ConfigError
from samcli.export import export
from samcli.runs import load

pytest.importorskip("pyarrow", reason="pyarrow is not installed; make test-extras installs it")


@pytest.fixture
def results(tmp_path: Path) -> Results:
    made = Results(tmp_path / "results")
    made.add(SGD, 0, [0.5, 0.75], sharpness=None)
    made.add(SAM, 1, [0.25], status={"status": "diverged"})
    return made


def test_the_frame_comes_back(results: Results, tmp_path: Path) -> None:
    for _ in range(2):  # the second replaces the first
        written = export(results.runs(), "parquet", tmp_path / "runs.parquet")
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "runs.parquet"), load(results.path), check_exact=True)
    assert written.warnings == ()
    assert written.look == f"pandas.read_parquet('{tmp_path}/runs.parquet')"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results", "runs.parquet"]


@pytest.mark.parametrize("kind", ["text", "folder", "another table"])
def test_nothing_else_is_replaced(results: Results, tmp_path: Path, kind: str) -> None:
    output = tmp_path / "runs.parquet"
    if kind == "text":
        output.write_text("thesis")
    elif kind == "folder":
        output.mkdir()
    else:
        pd.DataFrame({"a": [1]}).to_parquet(output)
    before = None if kind == "folder" else output.read_bytes()
    with pytest.raises(ConfigError, match="is no export of samcli to parquet; name another place with -o"):
        export(results.runs(), "parquet", output)
    assert before is None or output.read_bytes() == before


def test_a_run_without_an_epoch_is_told(results: Results, tmp_path: Path) -> None:
    results.add(SGD, 2, [], status={"status": "failed"})
    (sentence,) = export(results.runs(), "parquet", tmp_path / "runs.parquet").warnings
    assert sentence.startswith("1 run without an epoch has no row: ")
    assert "run002 (failed)" in sentence
