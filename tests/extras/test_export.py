"""Exports, read back by the tools that they are for: every number is that of metrics.csv."""

import csv
import json
import math
import os
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from run_folders import SAM, SGD, Results

from samcli.export import Exported, export
from samcli.export._packages import SILENT
from samcli.runs import load

for package in ("tensorboard", "mlflow", "sqlalchemy", "wandb", "pyarrow"):
    pytest.importorskip(package, reason=f"{package} is not installed; make test-extras installs it")

pytestmark = pytest.mark.filterwarnings("ignore")  # of the trackers, which are no business of ours
Numbers = dict[tuple[str, int, str], float]  # by run, epoch and column
STATES = {"run000": "finished", "run001": "diverged", "run002": "interrupted", "run003": "failed"}
HOSTILE = {**SAM, "note": "=1+1 \x1b[31m <script> ```", "a=b/../+ρ": math.inf}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Runs of every end, with numbers that show rounding, and names that are up to no good."""
    made = Results(tmp_path_factory.mktemp("export") / "results")
    made.add(SGD, 0, [1 / 3, 0.1 + 0.2, math.pi / 4], sharpness=1e-9, status={"ended": "2026-01-02"})
    # a loss of 1e300, which 32 bits do not hold
    made.add(HOSTILE, 1, [0.5, -1e300], metric="r2", gradients=2**40 + 1, status={"status": "diverged"})
    made.add(SAM, 2, [2 / 3], sharpness=None, status={"status": "running", "machine": "x"})
    made.add(SAM, 3, [], status={"status": "failed", "error": "Out of memory\x1b[2J."}, name="../Default\x1b")
    return made


@pytest.fixture(scope="module")
def numbers(results: Results) -> Numbers:
    """Those of the files, read without samcli."""
    found = {}
    for file in results.path.glob("*/*/metrics.csv"):
        with file.open() as text:
            for row in csv.DictReader(text):
                measured = {name: float(value) for name, value in row.items() if value and name != "epoch"}
                found |= {(file.parent.name, int(row["epoch"]), name): value for name, value in measured.items()}
    assert len(found) > 25
    return found


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever would leave this process for the network fails; sockets of Unix are not of the network."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: object) -> None:
        assert self.family == socket.AF_UNIX, f"a connection to {address}"
        real(self, address)  # type: ignore[arg-type]

    def look_up(host: object, *rest: object) -> None:
        raise AssertionError(f"a look-up of {host}")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")  # of the reading back
    yield


def written(results: Results, form: str, output: Path) -> Exported:
    """An export, the second of its name; the runs are as they were."""
    before = {path: path.stat().st_mtime_ns for path in results.path.rglob("*")}
    export(results.runs()[:1], form, output)
    done = export(results.runs(), form, output)
    assert {path: path.stat().st_mtime_ns for path in results.path.rglob("*")} == before
    assert {entry.run.folder.name: entry.run.state for entry in done.entries} == STATES
    assert [path.name for path in output.parent.iterdir()] == [output.name], "nothing temporary is left"
    return done


def test_tensorboard(results: Results, numbers: Numbers, tmp_path: Path) -> None:
    """Its scalars have 32 bits: each is the nearest such number, and what is beyond them is infinite."""
    from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
    from tensorboard.plugins.hparams import plugin_data_pb2

    done = written(results, "tensorboard", tmp_path / "out")
    assert done.warnings == ("TensorBoard's numbers end at 3.4e38: 2 beyond it are infinite there.",)
    read = EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "out"))
    read.Reload()
    assert set(read.Runs()) == {"trial/run000", "trial/run001", "trial/run002", "Default/run003"}
    found: Numbers = {}
    for run, tags in read.Runs().items():
        name = run.partition("/")[2]
        for tag in tags["scalars"]:
            found |= {(name, event.step, tag): event.value for event in read.Scalars(run, tag)}
        session = plugin_data_pb2.HParamsPluginData.FromString(
            read.GetAccumulator(run).PluginTagToContent("hparams")["_hparams_/session_start_info"]
        ).session_start_info.hparams
        assert (session["state"].string_value, session["optimizer.lr"].number_value) == (STATES[name], 0.05)
        config, facts = (read.Tensors(run, tag)[0].tensor_proto.string_val[0].decode() for tag in ("config", "run"))
        assert all(line.startswith("    ") for line in config.splitlines()), "no line leaves the block"
        assert "label_noise: 0.0" in config
        assert json.loads(facts)["state"] == STATES[name]
        assert "\x1b" not in config + facts
    assert found == {key: narrow(value) for key, value in numbers.items()}


def narrow(value: float) -> float:
    """The nearest number of 32 bits."""
    if abs(value) > 3.5e38:
        return math.copysign(math.inf, value)
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def test_mlflow(results: Results, numbers: Numbers, tmp_path: Path) -> None:
    from mlflow import MlflowClient

    done = written(results, "mlflow", tmp_path / "out")
    assert done.warnings == ()
    client = MlflowClient(f"sqlite:///{tmp_path}/out/mlflow.db")
    found: Numbers = {}
    ends = {}
    for experiment in client.search_experiments():
        for run in client.search_runs([experiment.experiment_id]):
            name = run.info.run_name
            ends[name] = (experiment.name, run.info.status)
            assert run.data.tags["samcli.state"] == STATES[name]
            assert run.data.tags["samcli.seed"] == run.data.params["seed"] == name[-1]
            assert run.data.params["optimizer.lr"] == "0.05"
            assert "clip_norm" not in run.data.params
            for key in run.data.metrics:
                history = client.get_metric_history(run.info.run_id, key)
                found |= {(name, metric.step, key): metric.value for metric in history}
            if name == "run003":
                assert run.data.tags["samcli.error"] == "Out of memory\\x1b[2J."
    assert found == numbers
    assert ends == {
        "run000": ("trial", "FINISHED"),
        "run001": ("trial", "FAILED"),
        "run002": ("trial", "KILLED"),
        "run003": ("Default", "FAILED"),
    }


def test_mlflow_is_told_of_infinite_numbers(results: Results, tmp_path: Path) -> None:
    made = Results(tmp_path / "results")
    made.add(SGD, 0, [0.5], sharpness=math.inf)
    (sentence,) = export(made.runs(), "mlflow", tmp_path / "out").warnings
    assert sentence == "MLflow has no infinite numbers: 1 are the largest float there."


def test_wandb(results: Results, numbers: Numbers, tmp_path: Path) -> None:
    """Read by `wandb leet inspect`; it would upload from these files."""
    done = written(results, "wandb", tmp_path / "out")
    assert done.warnings == ()
    found: Numbers = {}
    folders = sorted((tmp_path / "out").glob("offline-run-*"))
    assert len({folder.name[-16:] for folder in folders}) == 4
    for folder in folders:
        command = [sys.executable, "-m", "wandb", "leet", "inspect", "--json", str(folder)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | SILENT).stdout
        records = [json.loads(line) for line in shown.splitlines()]
        (run,) = [record["run"] for record in records if record["type"] == "run"]
        name, config = run["display_name"], run["config"]["update"]
        assert (run["project"], run["tags"]) == ("Default" if name == "run003" else "trial", [STATES[name]])
        assert (config["seed"], config["optimizer"]["lr"]) == (int(name[-1]), 0.05)
        assert config["samcli"]["state"] == STATES[name]
        (end,) = [record["exit"] for record in records if record["type"] == "exit"]
        assert end["exit_code"] == (0 if name == "run000" else 1)
        for item in (record["history"]["item"] for record in records if record["type"] == "history"):
            assert item["epoch"] == item["_step"]
            found |= {
                (name, item["epoch"], key): value for key, value in item.items() if key[0] != "_" and key != "epoch"
            }
    assert found == numbers


def test_parquet(results: Results, numbers: Numbers, tmp_path: Path) -> None:
    (sentence,) = written(results, "parquet", tmp_path / "runs.parquet").warnings
    assert "run003 (failed)" in sentence
    frame = pd.read_parquet(tmp_path / "runs.parquet")
    columns = {column for _, _, column in numbers}
    rows = frame.to_dict("records")
    found = {(row["run"], row["epoch"], name): row[name] for row in rows for name in columns}
    assert {key: value for key, value in found.items() if not math.isnan(value)} == numbers
    with pytest.warns(UserWarning, match="without an epoch"):
        pd.testing.assert_frame_equal(frame, load(results.path), check_exact=True)


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, to see the processes that trackers start")
@pytest.mark.parametrize("form", ["tensorboard", "mlflow", "wandb", "parquet"])
def test_no_process_connects_to_the_network(results: Results, tmp_path: Path, form: str) -> None:
    """In a process of its own, as a user calls it who is logged in; what says that this is a test is taken away."""
    calls = tmp_path / "calls"
    command = ["strace", "-f", "-e", "trace=connect,sendto,sendmsg", "-o", str(calls), sys.executable, "-m", "samcli"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "WANDB_API_KEY": "0" * 40, "WANDB_MODE": "online"}
    done = subprocess.run(
        [*command, "export", str(results.path), "--to", form, "-o", "out"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if "PTRACE" in done.stderr:
        pytest.skip("strace is not allowed here")
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    assert "Traceback" not in done.stderr
    assert "AF_INET" not in calls.read_text()
    assert ("AF_UNIX" in calls.read_text()) == (form == "wandb"), "strace sees what it should"
