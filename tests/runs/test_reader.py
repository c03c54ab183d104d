"""Scanning results: every run once, every half-written one named, everything else passed over."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from samcli.errors import ResultsError
from samcli.runs import door
from samcli.runs.folder import RunFolder
from samcli.runs.reader import Run, scan

Make = Callable[..., RunFolder]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def make(path: str, *, epochs: int = 2, **status: Any) -> RunFolder:
        folder = RunFolder(tmp_path / path)
        config = {
            "name": "trial",
            "dataset": {"name": "digits"},
            "model": {"name": "cnn"},
            "optimizer": {"name": "sgd", "lr": 0.1},
            "seeds": 3,
        }
        folder.write_status({"status": "finished", "seed": 3} | status)
        folder.config.write_text(yaml.safe_dump(config))
        folder.write_metrics([{"epoch": i + 1, "test_accuracy": 0.5, "gradient_evaluations": 7} for i in range(epochs)])
        return folder

    return make


def names(runs: list[Run]) -> list[str]:
    return [run.folder.name for run in runs]


def test_any_level_may_be_named(make: Make, tmp_path: Path) -> None:
    for path in ("results/a/one", "results/a/two", "results/b/three"):
        make(path)
    results = tmp_path / "results"
    for given, expected in [
        ([results], ["one", "two", "three"]),
        ([results / "a"], ["one", "two"]),
        ([results / "b" / "three"], ["three"]),
        ([results / "b", results, results / "a" / "one"], ["one", "two", "three"]),  # each once
    ]:
        runs, warnings = scan(given)
        assert names(runs) == expected
        assert warnings == []


def test_what_a_run_holds(make: Make, tmp_path: Path) -> None:
    make("results/a/one")
    make("results/a/two", epochs=0, status="failed")
    (one, two), _ = scan([tmp_path / "results"])
    assert (one.experiment, one.seed, one.state) == ("trial", 3, "finished")
    assert one.config["optimizer"] == {"name": "sgd", "lr": 0.1}
    assert one.metrics["epoch"].tolist() == [1, 2]
    assert one.metrics["test_accuracy"].tolist() == [0.5, 0.5]
    assert one.metrics["sharpness"].isna().all()
    assert (two.state, len(two.metrics)) == ("failed", 0)
    assert list(two.metrics.columns) == list(one.metrics.columns)
    assert set(two.metrics.drop(columns="epoch").dtypes.astype(str)) == {"float64"}


def test_half_written_and_foreign_folders(make: Make, tmp_path: Path) -> None:
    results = tmp_path / "results"
    make("results/a/good")
    make("results/a/no-metrics").metrics.unlink()
    make("results/a/no-config").config.unlink()
    make("results/a/no-status").run.unlink()
    make("results/a/only-checkpoint").checkpoint.write_bytes(b"x")
    for name in ("config.yaml", "run.json", "metrics.csv"):
        (results / "a" / "only-checkpoint" / name).unlink()
    make("results/a/torn").metrics.write_text("epoch,train_loss\n1,0.")
    make("results/a/grid").config.write_text("dataset: {name: a}\nmodel: {name: b}\noptimizer: {name: c}\nseeds: 0-4\n")
    make("results/a/other").config.write_text("services: {web: 1}\n")
    make("results/a/strange", status="napping")
    (results / "README.md").write_text("hello")
    (results / "b" / "plots").mkdir(parents=True)
    make("results/.trash/old")
    (results / "a" / "good" / ".metrics.csv.0123abcd.tmp").write_text("left by a killed process")

    runs, warnings = scan([results])
    assert names(runs) == ["good"]
    skipped = ["no-metrics", "no-config", "no-status", "only-checkpoint", "torn", "grid", "other", "strange"]
    assert len(warnings) == len(skipped)
    for name in skipped:
        (warning,) = [w for w in warnings if f"{name}{os.sep}" in w]
        assert warning.startswith("Skipped: ")
        assert warning.endswith(".")
    assert not any(word in " ".join(warnings) for word in ("README", "plots", "trash", "Traceback", ".tmp"))


def test_runs_beside_a_stray_file_are_found(make: Make, tmp_path: Path) -> None:
    make("results/a/good")
    (tmp_path / "results" / "a" / "metrics.csv").write_text("my own table\n")
    runs, warnings = scan([tmp_path / "results"])
    assert names(runs) == ["good"]
    assert len(warnings) == 1


def test_named_paths_without_runs(make: Make, tmp_path: Path) -> None:
    make("results/a/good")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("")
    paths = [tmp_path / name for name in ("results", "empty", "file.txt", "absent")]
    runs, warnings = scan(paths)
    assert names(runs) == ["good"]
    assert [w.partition(": ")[2] for w in warnings] == [
        "it holds no run of samcli, nor do its folders.",
        "it is a file; name the folder that holds it.",
        "there is no such folder.",
    ]


def test_nothing_exists(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"There are no results at .*absent; .*samcli train"):
        scan([tmp_path / "absent"])
    with pytest.raises(ResultsError):
        scan([])


def test_unreadable_folder_is_named(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make("results/a/good")
    (tmp_path / "results" / "locked").mkdir()
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "locked":
            raise PermissionError(13, "Permission denied")
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    runs, warnings = scan([tmp_path / "results"])
    assert names(runs) == ["good"]
    assert len(warnings) == 1
    assert "locked" in warnings[0]


def test_running_with_a_dead_process_was_interrupted(make: Make, tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead, host = int(ended.stdout), socket.gethostname()
    make("r/dead", status="running", pid=dead, host=host)
    make("r/alive", status="running", pid=os.getpid(), host=host)
    make("r/elsewhere", status="running", pid=dead, host="another-" + host)
    make("r/done", status="finished", pid=dead, host=host)
    make("r/without", status="running", host=host)
    runs, _ = scan([tmp_path / "r"])
    assert {run.folder.name: run.state for run in runs} == {
        "dead": "interrupted",
        "alive": "running",
        "elsewhere": "running",
        "done": "finished",
        "without": "interrupted",
    }


def run_of(**config: Any) -> Run:
    blocks = {"dataset": {"name": "d"}, "model": {"name": "m"}, "optimizer": {"name": "sgd", "lr": 0.1}, "epochs": 3}
    return Run(Path("run"), "trial", {"name": "trial", **blocks, "seeds": 0} | config, {}, [], np.empty((0, 0)))


def test_setting_and_place() -> None:
    """By values alone: not by seed, name of the experiment, or order of keys."""
    one = run_of()
    # which plug-in files were run for their names says nothing of a run that uses none of them
    others = {"seeds": 7, "name": "another", "plugins": ["mine.py"]}
    again = run_of(**{key: one.config[key] for key in reversed(one.config)} | others)
    longer = run_of(epochs=4)
    noisy = run_of(dataset={"name": "d", "label_noise": 0.4})
    assert one.setting == again.setting
    assert len({run.setting for run in (one, longer, noisy)}) == 3
    assert one.place == longer.place != noisy.place
    assert one.setting is one.setting  # computed once


def test_runs_of_an_older_version_have_the_same_setting() -> None:
    old = run_of(sharpness={"every": 1})
    newer = {"stop_at_train_loss": None, "sharpness": {"measures": ["one-step", "grad-norm"], "every": 1}, "seeds": 1}
    assert old.setting == run_of(**newer).setting
    assert old.setting != run_of(**newer | {"stop_at_train_loss": 0.1}).setting
    assert old.setting != run_of(**newer | {"sharpness": {"measures": ["trace"], "every": 1}}).setting


def test_each_file_of_a_run_is_read_once(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs there are; seconds are for `benchmarks/`."""
    for i in range(20):
        make(f"results/a/run{i}", epochs=25)
    read, seen = door._read, list[Path]()

    def counted(path: Path) -> bytes:
        seen.append(path)
        return read(path)

    monkeypatch.setattr(door, "_read", counted)
    runs, _ = scan([tmp_path / "results"])
    assert len(runs) == 20
    assert len(seen) == len(set(seen)) == 3 * 20
