"""Runs as tasks of Ray: the bits of the local engine, whatever dies on the way."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from ray_here import ray
from recorder import Recorder
from small_run import TIMES

from samcli import launch
from samcli.config import Draft, parse
from samcli.errors import ConfigError
from samcli.launch import Cell
from samcli.launch.engines.ray import run_on_ray
from samcli.train import CATALOGUE

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")

TEXT = """
name: small
dataset: {name: digits, train_examples: 200}
model: mlp
epochs: EPOCHS
batch_size: 25
sharpness: {every: 0}
optimizer: [sgd, sam]
seeds: 0-1
"""
CPU = torch.device("cpu")
MEMORY = 80_000_000


def plan(results: Path, epochs: int = 3, text: str = TEXT) -> list[Cell]:
    return launch.plan(Draft.of(parse(text.replace("EPOCHS", str(epochs)), "x"), CATALOGUE).expand(), results)


def check_equal(cells: list[Cell], others: list[Cell]) -> None:
    """Rows and weights are the same bit for bit, times aside."""
    for a, b in zip(cells, others, strict=True):
        first, second = (
            [{key: value for key, value in row.items() if key not in TIMES} for row in cell.folder.read_metrics()]
            for cell in (a, b)
        )
        assert first == second
        one, other = (torch.load(cell.folder.checkpoint, weights_only=True)["model"] for cell in (a, b))
        assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], list[Cell]]:
    """The same runs by the local engine, one thread each."""

    def trained(epochs: int) -> list[Cell]:
        results = tmp_path_factory.mktemp("local")
        slots = launch.slots_of(4, [0, 1], [CPU], jobs=2, threads=1)
        launch.run_at_once(plan(results, epochs), launch.Terms(Path("data"), CPU), Recorder(), slots)
        return plan(results, epochs)

    return trained


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


def test_a_ray_of_its_own(tmp_path: Path, local: Callable[[int], list[Cell]]) -> None:
    recorder = Recorder()
    outcome = run_on_ray(plan(tmp_path), launch.Terms(Path("data"), CPU), recorder)
    assert list(outcome.values()) == ["finished"] * 4
    assert not ray.is_initialized()
    check_equal(plan(tmp_path), local(3))
    assert sorted(event[0] for event in recorder.events) == sorted(["started", "ended"] * 4 + ["epoch"] * 12)
    status = plan(tmp_path)[0].folder.read_status()
    assert (status["engine"], status["threads"]) == ("ray", 1)
    assert not list(tmp_path.glob(".command-*"))


def test_a_worker_and_a_node_die(tmp_path: Path, cluster: Any, local: Callable[[int], list[Cell]]) -> None:
    recorder = Recorder()

    def kill() -> None:
        file = plan(tmp_path, 60)[0].folder
        while not file.metrics.exists() or len(file.metrics.read_text().splitlines()) < 3:
            time.sleep(0.1)
        os.kill(int(file.read_status()["pid"]), signal.SIGKILL)
        time.sleep(1.0)
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)

    thread = threading.Thread(target=kill)
    thread.start()
    outcome = run_on_ray(plan(tmp_path, 60), launch.Terms(Path("data"), CPU), recorder, address=cluster.address)
    thread.join()
    assert list(outcome.values()) == ["finished"] * 4
    check_equal(plan(tmp_path, 60), local(60))
    died = [event[2] for event in recorder.events if event[:2] == ("ended", "interrupted")]
    assert len(died) == 2, recorder.events
    print(died)


def test_what_no_node_has_is_told_at_once(tmp_path: Path, cluster: Any) -> None:
    with pytest.raises(ConfigError, match=r"No node has the 64 CPU .* the cluster has: .*\) 1 CPU and 0 GPU"):
        run_on_ray(plan(tmp_path), launch.Terms(Path(), CPU), Recorder(), address=cluster.address, cpus=64)
