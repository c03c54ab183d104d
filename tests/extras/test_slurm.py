"""Runs as jobs of Slurm: the bits of the local engine, requeued, killed, and followed by a second command."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from grids import CPU, TEXT, check_equal, plan, trained_here
from real_command import hear_signals
from recorder import Recorder

submitit = pytest.importorskip("submitit", reason="submitit is not installed; make test-extras installs it")

from samcli.launch import Terms  # noqa: E402
from samcli.launch.engines import _slurm_queue as queue  # noqa: E402
from samcli.launch.engines import slurm  # noqa: E402
from samcli.launch.engines._slurm_job import SlurmJob  # noqa: E402
from samcli.launch.engines.slurm import Request, run_on_slurm  # noqa: E402
from samcli.launch.remote import Work, absolute  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
SCRIPT = Path(__file__).parents[1] / "support" / "one_node_slurm.sh"
TERMS = Terms(Path("data"), CPU)


def wait_for(condition: object, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm of one node on this machine."""
    missing = [name for name in ("slurmctld", "slurmd", "munged", "sbatch") if shutil.which(name) is None]
    if missing or os.geteuid() != 0:
        pytest.skip(f"needs root and Debian's slurm-wlm and munge; missing: {', '.join(missing) or 'root'}")
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run([SCRIPT, "start", folder], capture_output=True, text=True, check=False)
    assert started.returncode == 0, started.stdout + started.stderr
    os.environ["SLURM_CONF"] = started.stdout.strip().removeprefix("SLURM_CONF=")
    yield
    subprocess.run([SCRIPT, "stop", folder], check=False, capture_output=True)
    del os.environ["SLURM_CONF"]


def test_told_that_its_time_is_over_a_run_is_requeued_and_goes_on(tmp_path: Path) -> None:
    """By submitit's own local executor, which has the signals and requeues of Slurm without one."""
    (cell, *_) = plan(tmp_path / "results", 400)
    executor = submitit.AutoExecutor(tmp_path / "jobs", cluster="local", local_max_num_timeout=5)
    executor.update_parameters(timeout_min=60)
    job = executor.submit(SlurmJob(Work(absolute(cell), Path("data").absolute(), CPU, 1, "slurm"), 60))
    wait_for(cell.folder.checkpoint.exists)
    os.kill(int(cell.folder.read_status()["pid"]), signal.SIGUSR2)
    assert job.result() == ("ended", ("finished", ""))
    assert "Requeued job" in (cell.folder.path / "log.txt").read_text()
    check_equal([cell], trained_here(tmp_path / "local", 400)[:1])


@pytest.mark.usefixtures("cluster")
def test_a_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "SECONDS_BETWEEN_LOOKS", 0.5)
    recorder = Recorder()
    outcome = run_on_slurm(plan(tmp_path), TERMS, recorder, Request(minutes=5, most=2))
    assert list(outcome.values()) == ["finished"] * 4, recorder.events
    check_equal(plan(tmp_path), trained_here(tmp_path / "local", 3))
    assert sorted(event[0] for event in recorder.events) == sorted(["started", "ended"] * 4 + ["epoch"] * 12)
    assert plan(tmp_path)[0].folder.read_status()["engine"] == "slurm"
    assert not list((tmp_path / "small/.slurm").glob("*.json"))


@pytest.mark.usefixtures("cluster")
def test_requeued_killed_and_followed_by_a_second_command(tmp_path: Path) -> None:
    """The command is killed and its jobs live, one is told that its time is over; the same command follows both."""
    (tmp_path / "e2e.yaml").write_text(TEXT.replace("EPOCHS", "400").replace("seeds: 0-1", "seeds: 0"))
    command = [sys.executable, "-m", "samcli", "train", "e2e.yaml", "--engine", "slurm", "--device", "cpu"]
    first = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list(tmp_path.glob("results/small/*/checkpoint.pt")))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    jobs = queue.states() or {}
    assert len(jobs) == 2
    running = [number for number, state in jobs.items() if state == "RUNNING"]
    queue.cancel(running[:1], "--signal=USR2")
    wait_for(lambda: (queue.states() or {}).get(running[0]) == "PENDING")
    # what is requeued waits two minutes otherwise; begun in the second of its requeue, its credential is a revoked one
    # to slurmd, and the job is dropped
    time.sleep(3)
    subprocess.run(["scontrol", "update", f"JobId={running[0]}", "StartTime=now"], check=True)
    second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert second.returncode == 0, second.stderr
    assert len(list(tmp_path.glob("results/small/.slurm/*_submitted.pkl"))) == 2  # nothing was submitted twice
    text = TEXT.replace("seeds: 0-1", "seeds: 0")
    check_equal(plan(tmp_path / "results", 400, text), trained_here(tmp_path / "local", 400, text))
    log = "".join(file.read_text() for file in tmp_path.glob("results/small/*/log.txt"))
    assert "Requeued job" in log


@pytest.mark.usefixtures("cluster")
def test_ctrl_c_finishes_the_epoch_and_leaves_nothing_in_the_queue(tmp_path: Path) -> None:
    (tmp_path / "e2e.yaml").write_text(TEXT.replace("EPOCHS", "100000"))
    command = [sys.executable, "-m", "samcli", "train", "e2e.yaml", "--engine", "slurm", "--device", "cpu"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=hear_signals,  # noqa: PLW1509 - async-signal-safe
    )
    wait_for(lambda: list(tmp_path.glob("results/small/*/checkpoint.pt")))
    time.sleep(6)  # so that the command has seen them begin
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=90)
    assert (process.returncode, out) == (75, ""), err
    assert "Finishing the epoch under way of " in err
    assert "Traceback" not in err
    assert not {state for state in (queue.states() or {}).values()} - {"COMPLETING"}
    states = [cell.state for cell in plan(tmp_path / "results", 100000)]
    assert set(states) <= {"resume", "new"}
    assert "resume" in states


@pytest.mark.usefixtures("cluster")
def test_a_job_that_is_killed_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slurm, "SECONDS_BETWEEN_LOOKS", 0.5)
    monkeypatch.setattr(slurm, "GONE_FOR", 3.0)
    text = TEXT.replace("seeds: 0-1", "seeds: 0")
    cells = plan(tmp_path, 300, text)

    class Killing(Recorder):
        def epoch_done(self, cell: object, row: object) -> None:
            victim = cells[0].folder
            if victim.metrics.exists() and ("killed",) not in self.events:
                os.kill(int(victim.read_status()["pid"]), signal.SIGKILL)
                self.events.append(("killed",))

    recorder = Killing()
    outcome = run_on_slurm(cells, TERMS, recorder, Request(minutes=5))
    assert list(outcome.values()) == ["failed", "finished"], recorder.events
    (message,) = [str(event[2]) for event in recorder.events if event[:2] == ("ended", "failed")]
    assert "its finished epochs are kept" in message
    assert cells[0].folder.read_status()["status"] == "failed"


@pytest.mark.usefixtures("cluster")
def test_a_job_that_someone_cancels_is_interrupted_and_keeps_its_epochs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slurm, "SECONDS_BETWEEN_LOOKS", 0.5)
    cells = plan(tmp_path, 100_000, TEXT.replace("seeds: 0-1", "seeds: 0").replace("[sgd, sam]", "sgd"))

    class Cancelling(Recorder):
        def epoch_done(self, cell: object, row: object) -> None:
            queue.cancel(queue.states() or {})

    recorder = Cancelling()
    outcome = run_on_slurm(cells, TERMS, recorder, Request(minutes=5))
    assert list(outcome.values()) == ["interrupted"], recorder.events
    status = cells[0].folder.read_status()
    assert status["status"] == "interrupted"
    assert status["epochs_done"] > 0


@pytest.mark.usefixtures("cluster")
def test_what_slurm_refuses_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "e2e.yaml").write_text(TEXT.replace("EPOCHS", "3"))
    command = [sys.executable, "-m", "samcli", "train", "e2e.yaml", "--engine", "slurm", "--partition", "none"]
    called = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert called.returncode == 2, called.stderr
    assert "Slurm refuses the jobs: " in called.stderr
    assert "Traceback" not in called.stderr
