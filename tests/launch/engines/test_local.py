"""Several runs at once, each in a process of its own: the same bits, and no run that dies takes another with it."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from recorder import Recorder
from small_run import TIMES

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch import Cell
from samcli.launch.job import record_failure
from samcli.launch.slots import slots_of
from samcli.runs import EpochMetrics
from samcli.runs.folder import RunFolder
from samcli.runs.reader import scan
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
import os, signal, time
from dataclasses import dataclass
from torch import nn
from samcli.models import MODELS, ModelKind

class Net(nn.Sequential):
    passes = 0

    def forward(self, x):
        Net.passes += self.training
        if Net.passes > 5:
            time.sleep(1.0)  # until the files of the epochs before are on the disk
            os.kill(os.getpid(), signal.SIGKILL)
        return super().forward(x)

@MODELS.register("deadly")
@dataclass(frozen=True, kw_only=True)
class Deadly(ModelKind):
    'Dies.'

    def build(self, shape, outputs):
        return Net(nn.Flatten(), nn.Linear(64, outputs))
"""

CPU = [torch.device("cpu")]
TERMS = launch.Terms(Path("data"), torch.device("cpu"))


def plan(results: Path, text: str = TEXT, *, retry_failed: bool = False) -> list[Cell]:
    return launch.plan(Draft.of(parse(text, "x"), CATALOGUE).expand(), results, retry_failed=retry_failed)


def at_once(cells: list[Cell], terms: launch.Terms = TERMS) -> tuple[list[str], Recorder]:
    recorder = Recorder()
    outcome = launch.run_at_once(cells, terms, recorder, slots_of(len(cells), [0, 1], CPU, jobs=2, threads=1))
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
    messages = [str(event[2]) for event in recorder.events if event[:2] == ("ended", "failed")]
    (message,) = [told for told in messages if cell.folder.path.name in told]
    log = cell.folder.path / "log.txt"
    assert message == (
        "Its process was killed, as the system does when memory runs out; its finished epochs are kept, its log is "
        f"{log}."
    )
    assert re.fullmatch(r"\S+ process \d+ begins\n", log.read_text())
    status = cell.folder.read_status()
    assert status["status"] == "failed"
    assert status["error"] == message
    again = plan(tmp_path, text)
    assert sorted(cell.state for cell in again) == ["failed", "failed", "finished", "finished"]
    assert {again.detail for again in again if again.state == "failed"} >= {message}
    retried = plan(tmp_path, text, retry_failed=True)
    states = sorted(cell.state for cell in retried)
    assert states[:2] == ["finished", "finished"]
    assert set(states[2:]) <= {"new", "resume"}  # an epoch's files are written while the next one trains
    outcome, recorder = at_once(retried)
    # once each, not for ever: sam fails in its first epoch again, the other one had its last epoch left
    assert sorted(outcome) == ["failed", "finished", "finished", "finished"]
    assert sum(event[0] == "started" for event in recorder.events) == 2


SLOW = """
import time
from dataclasses import dataclass
from torch import nn
from samcli.models import MODELS, ModelKind

class Net(nn.Sequential):
    def forward(self, x):
        time.sleep(0.3 * self.training)
        return super().forward(x)

@MODELS.register("slow")
@dataclass(frozen=True, kw_only=True)
class Slow(ModelKind):
    'Waits.'

    def build(self, shape, outputs):
        return Net(nn.Flatten(), nn.Linear(64, outputs))
"""


def test_a_run_that_takes_too_long_is_ended_and_recorded(tmp_path: Path) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW)
    text = TEXT.replace("mlp", f"'{plugin}:slow'").replace("epochs: 3", "epochs: 200")
    cells = plan(tmp_path, text.replace("[sgd, sam, {name: sgd, lr: 1e30}]", "sgd"))
    outcome, recorder = at_once(cells, replace(TERMS, timeout=3.0))
    assert outcome == ["failed"]
    (message,) = [event[2] for event in recorder.events if event[:2] == ("ended", "failed")]
    slow = cells[0].folder
    assert message == (
        f"It took longer than --timeout 3 seconds; its finished epochs are kept, its log is {slow.path / 'log.txt'}."
    )
    status = slow.read_status()
    assert (status["status"], status["error"]) == ("failed", message)
    done = status.get("epochs_done", 0)
    assert sum(event[0] == "epoch" for event in recorder.events) == done < 200


def test_a_run_that_failed_before_its_first_row_can_be_read(tmp_path: Path) -> None:
    cells = plan(tmp_path, TEXT.replace("[sgd, sam, {name: sgd, lr: 1e30}]", "sgd"))
    record_failure(cells[0], "Its process was killed.")
    (run,), warnings = scan([cells[0].folder.path])
    assert (run.state, len(run.table), warnings) == ("failed", 0, [])


@pytest.mark.parametrize("most", [1, 2])
def test_with_so_many_failures_no_other_run_begins(tmp_path: Path, most: int) -> None:
    text = TEXT.replace("[sgd, sam, {name: sgd, lr: 1e30}]", "sgd\nseeds: 0-5")
    cells = plan(tmp_path, text)
    for cell in cells:  # what stands there stops this run alone
        (cell.folder.path / "config.yaml").mkdir(parents=True)
    recorder = Recorder()
    terms = replace(TERMS, most_failures=most)
    outcome = launch.run_at_once(cells, terms, recorder, slots_of(6, [0], CPU))
    assert list(outcome.values()) == ["failed"] * most + ["new"] * (6 - most)


def test_what_prints_and_what_fails_is_in_the_log(tmp_path: Path) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW.replace("time.sleep(0.3 * self.training)", "print('I say'); raise KeyError('unheard')"))
    cells = plan(tmp_path, TEXT.replace("mlp", f"'{plugin}:slow'").replace("sgd, sam, ", ""))
    outcome, recorder = at_once(cells)
    assert outcome == ["failed"]
    log = cells[0].folder.path / "log.txt"
    assert recorder.events[-1] == ("ended", "failed", f"KeyError: 'unheard'; the traceback is in {log}.")
    assert "I say" in log.read_text()
    assert "Traceback" in log.read_text()


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
    "code",
    [
        "import threading; threading.Thread(target=time.sleep, args=(600,)).start()",
        "import atexit; atexit.register(time.sleep, 600)",
        "import os; (os.fork() == 0) and (time.sleep(60), os._exit(0))",
        "import multiprocessing as m; m.Process(target=time.sleep, args=(60,)).start()",
    ],
    ids=["thread", "atexit", "fork", "process"],
)
def test_what_a_plug_in_leaves_behind_keeps_no_place(tmp_path: Path, code: str) -> None:
    plugin = tmp_path / "slow.py"
    plugin.write_text(SLOW.replace("time.sleep(0.3 * self.training)", code))
    text = TEXT.replace("mlp", f"'{plugin}:slow'").replace("epochs: 3", "epochs: 1")
    begun = time.monotonic()
    outcome, _ = at_once(plan(tmp_path, text.replace("[sgd, sam, {name: sgd, lr: 1e30}]", "sgd\nseeds: 0-2")))
    assert outcome == ["finished"] * 3
    assert time.monotonic() - begun < 55


def test_what_the_system_refuses_to_a_plug_in_ends_its_run_alone(tmp_path: Path) -> None:
    plugin = tmp_path / "refused.py"
    plugin.write_text(SLOW.replace("time.sleep(0.3 * self.training)", "open(__file__ + '/x')").replace("slow", "ref"))
    cells = plan(tmp_path, TEXT.replace("model: mlp", f"model: ['{plugin}:ref', mlp]").replace("1e30", "0.1"))
    outcome, recorder = at_once(cells)
    assert sorted(set(outcome)) == ["failed", "finished"]
    (message, *_) = [str(event[2]) for event in recorder.events if event[:2] == ("ended", "failed")]
    assert message.startswith("NotADirectoryError")
    assert "the traceback is in" in message
    status = cells[outcome.index("failed")].folder.read_status()
    assert status["status"] == "failed"
