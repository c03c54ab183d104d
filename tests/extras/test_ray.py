"""Runs as tasks of Ray: the bits of the local engine, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from grids import CPU, TEXT, check_equal, plan, trained_here
from ray_here import ray
from real_command import hear_signals
from recorder import Recorder

from samcli import launch
from samcli.errors import ConfigError
from samcli.launch.engines._ray_cluster import connected, nodes_for, prove
from samcli.launch.engines.ray import run_on_ray
from samcli.launch.remote import Beacon

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

MEMORY = 80_000_000


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A head that trains nothing, and two nodes of one CPU."""
    from ray.cluster_utils import Cluster

    made = Cluster()
    head = {"num_cpus": 0, "object_store_memory": MEMORY, "node_ip_address": "127.0.0.1", "include_dashboard": False}
    made.add_node(**head)
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=MEMORY, node_ip_address="127.0.0.1")
    yield made
    ray.shutdown()
    made.shutdown()


def test_a_ray_of_its_own(tmp_path: Path) -> None:
    recorder = Recorder()
    outcome = run_on_ray(plan(tmp_path), launch.Terms(Path("data"), CPU), recorder)
    assert list(outcome.values()) == ["finished"] * 4
    assert not ray.is_initialized()
    check_equal(plan(tmp_path), trained_here(tmp_path / "local", 3))
    assert sorted(event[0] for event in recorder.events) == sorted(["started", "ended"] * 4 + ["epoch"] * 12)
    status = plan(tmp_path)[0].folder.read_status()
    assert (status["engine"], status["threads"]) == ("ray", 1)
    assert not list(tmp_path.glob(".command-*"))


def test_a_worker_and_a_node_die(tmp_path: Path, cluster: Any) -> None:
    recorder = Recorder()
    epochs = 200

    def trains() -> int:
        """The process of a run that has an epoch behind it and most before it."""
        end = time.monotonic() + 100
        while time.monotonic() < end:
            for cell in plan(tmp_path, epochs):
                if not cell.folder.metrics.exists():
                    continue
                rows, status = cell.folder.metrics.read_text().count("\n"), cell.folder.read_status()
                if 3 <= rows < epochs // 2 and status["status"] == "running" and alive(int(status["pid"])):
                    return int(status["pid"])
            time.sleep(0.05)
        raise AssertionError(f"nothing trains: {recorder.events}")

    def kill() -> None:
        killed = trains()
        os.kill(killed, signal.SIGKILL)
        while alive(killed):
            time.sleep(0.05)
        parent = int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(trains())]))
        (node,) = [node for node in cluster.list_all_nodes() if node.all_processes["raylet"][0].process.pid == parent]
        cluster.remove_node(node, allow_graceful=False)

    with ThreadPoolExecutor(1) as pool:
        killer = pool.submit(kill)
        outcome = run_on_ray(plan(tmp_path, epochs), launch.Terms(Path("data"), CPU), recorder, address=cluster.address)
        killer.result()
    assert list(outcome.values()) == ["finished"] * 4
    check_equal(plan(tmp_path, epochs), trained_here(tmp_path / "local", epochs))
    died = [event for event in recorder.events if event[:2] == ("ended", "interrupted")]
    assert len(died) == 2, recorder.events


def alive(pid: int) -> bool:
    """Whether there is such a process, and not as a zombie."""
    shown = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return shown.strip() != "" and not shown.startswith("Z")


def test_a_command_finds_a_cluster_on_loopback(tmp_path: Path, cluster: Any) -> None:
    """In a process of its own, which knows of the cluster by the address alone."""
    (tmp_path / "e2e.yaml").write_text(TEXT.replace("EPOCHS", "1").replace("seeds: 0-1", "seeds: 0"))
    command = [sys.executable, "-m", "samcli", "train", "e2e.yaml", "--engine", "ray", "--device", "cpu"]
    called = subprocess.run(
        [*command, "--ray-address", cluster.address], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert called.returncode == 0, called.stderr
    assert "sam" in called.stdout


def test_what_no_node_has_is_told_at_once(tmp_path: Path, cluster: Any) -> None:
    with pytest.raises(ConfigError, match=r"No node has the 64 CPU .* the cluster has: .*\) 1 CPU and 0 GPU"):
        run_on_ray(plan(tmp_path), launch.Terms(Path(), CPU), Recorder(), address=cluster.address, cpus=64)


def test_a_node_that_does_not_see_the_results_is_named(tmp_path: Path) -> None:
    beacon = Beacon(tmp_path)  # whose file was never written: what a node sees whose disk is its own
    with connected(None), pytest.raises(ConfigError, match=rf"^Node .* does not see the results folder {tmp_path}; "):
        prove(nodes_for({"CPU": 1.0}), beacon)


def test_ctrl_c_in_a_terminal_and_again(tmp_path: Path) -> None:
    """The signal goes to the whole group, as a terminal sends it; Ray's own processes outlive it."""
    (tmp_path / "e2e.yaml").write_text(TEXT.replace("EPOCHS", "3000").replace("seeds: 0-1", "seeds: 0"))
    command = [sys.executable, "-m", "samcli", "train", "e2e.yaml", "--engine", "ray", "--device", "cpu"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=hear_signals,  # noqa: PLW1509 - async-signal-safe
    )
    end = time.monotonic() + 100
    while not list(tmp_path.glob("results/small/*/checkpoint.pt")) and time.monotonic() < end:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 75, err
    assert out == ""
    assert "Finishing the epoch under way of " in err
    assert "the same command continues every run from its last epoch" in err
    assert "Traceback" not in err
    states = {cell.state for cell in plan(tmp_path / "results", 3000, TEXT.replace("seeds: 0-1", "seeds: 0"))}
    assert states <= {"resume", "new"}
    assert "resume" in states


def test_clients_side_by_side_on_ray_are_clients_in_turn(tmp_path: Path) -> None:
    """Two processes in each task, which train the clients of a round: the bits of one process by the local engine."""
    text = TEXT.replace("seeds: 0-1", "seeds: 0") + "federated: {clients: 6, alpha: 0.5, per_round: 3}\n"
    terms = launch.Terms(Path("data"), CPU, processes=2)
    outcome = run_on_ray(plan(tmp_path, text=text), terms, Recorder(), cpus=2)
    assert list(outcome.values()) == ["finished"] * 2
    check_equal(plan(tmp_path, text=text), trained_here(tmp_path / "local", 3, text))
    status = plan(tmp_path, text=text)[0].folder.read_status()
    assert (status["engine"], status["threads"], status["processes"]) == ("ray", 2, 2)
