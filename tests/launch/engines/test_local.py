"""Several runs at once, each in a process of its own: the same bits, and no run that dies takes another with it."""

from pathlib import Path

import pytest
import torch
from recorder import Recorder
from small_run import TIMES

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch import Cell
from samcli.launch.engines.local import slots_of
from samcli.runs import EpochMetrics
from samcli.runs.folder import RunFolder
from samcli.train import CATALOGUE

TEXT = """
name: small
dataset: {name: digits, train_examples: 50}
model: mlp
epochs: 3
batch_size: 25
optimizer: [sgd, sam, {name: sgd, lr: 1e30}]
"""

# A model whose process dies in its third epoch, as one that the system kills.
DEADLY = """
import os, signal
from dataclasses import dataclass
from torch import nn
from samcli.models import MODELS, ModelKind

class Net(nn.Sequential):
    passes = 0

    def forward(self, x):
        Net.passes += self.training
        if Net.passes > 5:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x)

@MODELS.register("deadly")
@dataclass(frozen=True, kw_only=True)
class Deadly(ModelKind):
    'Dies.'

    def build(self, shape, outputs):
        return Net(nn.Flatten(), nn.Linear(64, outputs))
"""

TERMS = launch.Terms(Path("data"), torch.device("cpu"))


def plan(results: Path, text: str = TEXT) -> list[Cell]:
    return launch.plan(Draft.of(parse(text, "x"), CATALOGUE).expand(), results)


def at_once(cells: list[Cell], jobs: int = 2) -> tuple[list[str], Recorder]:
    recorder = Recorder()
    outcome = launch.run_at_once(cells, TERMS, recorder, jobs=jobs, threads=1)
    return list(outcome.values()), recorder


def rows(folder: RunFolder) -> list[EpochMetrics]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in folder.read_metrics()]


def test_rows_and_weights_are_those_of_runs_one_after_the_other(tmp_path: Path) -> None:
    cells = plan(tmp_path / "many")
    outcome, recorder = at_once(cells)
    assert outcome == ["finished", "finished", "diverged"]
    assert sum(event[0] == "epoch" for event in recorder.events) == 6
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        one = plan(tmp_path / "one")
        launch.run_all(one, TERMS, Recorder())
    finally:
        torch.set_num_threads(threads)
    for a, b in zip(cells[:2], one[:2], strict=True):
        assert rows(a.folder) == rows(b.folder)
        first, second = (torch.load(c.folder.checkpoint, weights_only=True)["model"] for c in (a, b))
        assert all(torch.equal(first[name], second[name]) for name in first)
        status = a.folder.read_status()
        assert (status["threads"], status["jobs"], len(status["cores"])) == (1, 2, 1)
    again, silent = at_once(plan(tmp_path / "many"))
    assert (again, silent.events) == (["finished", "finished", "diverged"], [])


def test_a_process_that_is_killed_is_recorded_and_the_others_go_on(tmp_path: Path) -> None:
    plugin = tmp_path / "deadly.py"
    plugin.write_text(DEADLY)
    text = TEXT.replace("model: mlp", f"model: [mlp, '{plugin}:deadly']").replace(", {name: sgd, lr: 1e30}", "")
    cells = plan(tmp_path, text)
    outcome, recorder = at_once(cells)
    assert sorted(outcome) == ["failed", "failed", "finished", "finished"]
    cell = cells[outcome.index("failed")]
    message, _ = [str(event[2]) for event in recorder.events if event[:2] == ("ended", "failed")]
    assert "was killed" in message
    assert "log.txt" in message
    status = cell.folder.read_status()
    assert status["status"] == "failed"
    assert str(status["error"]).startswith("Its process was killed, as the system does when memory runs out; see ")
    assert {again.state for again in plan(tmp_path, text)} <= {"finished", "resume", "new"}  # none is busy


def test_a_plug_in_that_is_gone_by_then_is_a_sentence(tmp_path: Path) -> None:
    plugin = tmp_path / "deadly.py"
    plugin.write_text(DEADLY)
    cells = plan(tmp_path, TEXT.replace("mlp", f"'{plugin}:deadly'").replace("sgd, sam, ", ""))
    plugin.unlink()
    outcome, recorder = at_once(cells)
    assert outcome == ["failed"]
    message = f"There is no Python file {plugin}; name a file that registers an optimizer, model or data set."
    assert recorder.events[-1] == ("ended", "failed", message)


@pytest.mark.parametrize(
    ("jobs", "cores", "groups"),
    [(1, 4, [(0, 1, 2, 3)]), (2, 4, [(0, 1), (2, 3)]), (3, 4, [(0,), (1,), (2,)]), (3, 2, [(0,), (1,), (0,)])],
)
def test_cores_are_shared_out(jobs: int, cores: int, groups: list[tuple[int, ...]]) -> None:
    slots = slots_of(jobs, range(cores))
    assert [slot.cores for slot in slots] == groups
    assert [slot.threads for slot in slots] == [len(group) for group in groups]
    assert {slot.threads for slot in slots_of(jobs, range(cores), 7)} == {7}
