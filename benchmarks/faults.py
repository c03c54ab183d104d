"""Counts what survives kills, full disks, spoilt files, leases taken away and racing commands, over small grids.

    python benchmarks/faults.py [--kills 1000] [--minutes 60] [--seed 0] [--faults job,parent,full,spoilt,lease,race]
                                [--device cpu] [--jobs 2]

An undisturbed grid is trained first. Then grid after grid is disturbed, at random moments, by the faults in turn:

    job      SIGKILL to the process of a run
    parent   SIGKILL to the command; it is started again
    stop     SIGTERM or SIGINT, once or twice
    full     the results lie on a disk of 24 megabytes, which is filled and freed again (needs the right to mount)
    spoilt   a file that a run wrote is cut off or has bytes changed, after its command was killed
    lease    the file of a lease is deleted, emptied, or made another process's
    race     a second command is started on the same results, and one of the two is killed
    ray      SIGKILL to runs, and to nodes with all that is on them, of a Ray cluster of two nodes on this machine; it
             needs the extra `ray`, and is asked for by name

until as many kills as asked for, or the time, have passed. Every grid is trained to its end by the command, with
`--retry-failed`; then the rows of every run (times aside) and its weights must be those of the undisturbed grid, bit
for bit, each run must be there once, and nothing may be left beside its files. What is not so is printed, and counted.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pandas
import torch

from samcli.errors import CheckpointError
from samcli.runs import checkpoint

GRID = """
name: faults
dataset: {name: digits, train_examples: 300, label_noise: 0.4, augment: [crop]}
model: {name: cnn, dropout: 0.2}
epochs: 8
batch_size: 16
sharpness: {every: 4, examples: 64}
optimizer: [sgd, {name: sam, rho: 0.1}]
seeds: 0-9
"""
TIMES = ["train_seconds", "cpu_seconds", "eval_seconds", "sharpness_seconds", "examples_per_second"]
FILES = ["checkpoint.pt", "config.yaml", "log.txt", "metrics.csv", "run.json"]
FAULTS = ("job", "parent", "stop", "full", "spoilt", "lease", "race")


class Grid:
    """A grid of small runs that is trained, and disturbed, in a folder of its own."""

    def __init__(self, folder: Path, results: Path, device: str, jobs: int) -> None:
        self.folder, self.results, self.device = folder, results, device
        self.here = ("--jobs", str(jobs))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "faults.yaml").write_text(GRID)
        self.said = ""

    def start(self, engine: Sequence[str] = ()) -> subprocess.Popen[str]:
        """The command, with what it says in a file."""
        log = (self.folder / "said.txt").open("a")
        command = [sys.executable, "-m", "samcli", "train", "faults.yaml", "--results", str(self.results)]
        flags = ["--device", self.device, *(engine or self.here), "--threads", "1", "--retry-failed"]
        return subprocess.Popen(
            [*command, *flags],
            cwd=self.folder,
            stdout=log,
            stderr=log,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            preexec_fn=_default_signals,  # noqa: PLW1509 - async-signal-safe
        )

    def finish(self) -> list[str]:
        """Train what is left, as a user would: the same command until it is done."""
        for _ in range(4):
            process = self.start()
            try:
                code = process.wait(timeout=240)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                return ["it did not end"]
            if code == 0:
                return []
        return [f"exit code {code} again and again"]

    def runs(self) -> list[Path]:
        """The folders of the runs so far."""
        return sorted(path for path in (self.results / "faults").glob("*") if not path.name.startswith("."))

    def owners(self) -> list[int]:
        """The processes that have a lease now."""
        found = []
        for file in (self.results / "faults").glob("*/.owner.json"):
            with suppress(OSError, ValueError, KeyError):
                found.append(int(json.loads(file.read_text())["pid"]))
        return found


def _default_signals() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def content(run: Path) -> tuple[pandas.DataFrame, dict[str, torch.Tensor]]:
    """The rows of a run without times, and its weights."""
    rows = pandas.read_csv(run / "metrics.csv").drop(columns=TIMES)
    return rows, checkpoint.load(run / "checkpoint.pt")["model"]


def without_refused(grid: Grid, counts: Counter[str]) -> bool:
    """Whether checkpoints of finished runs are refused as damaged; then their folders are deleted.

    The numbers of such a run count, so `samcli train` leaves it alone: to train it again is for its user to decide
    (docs/reliability.md).
    """
    found = False
    for run in grid.runs():
        try:
            checkpoint.load(run / "checkpoint.pt")
        except CheckpointError:
            shutil.rmtree(run)
            counts["checkpoint of a finished run, refused"] += 1
            found = True
    return found


def faults_of(grid: Grid, whole: dict[str, tuple[pandas.DataFrame, dict[str, torch.Tensor]]]) -> list[str]:
    """What is not as in the undisturbed grid."""
    runs = {run.name: run for run in grid.runs()}
    if set(runs) != set(whole):
        return [f"runs {sorted(set(runs) ^ set(whole))} are lost or doubled"]
    found = []
    for name, (rows, weights) in whole.items():
        run = runs[name]
        mine, tensors = content(run)
        status = json.loads((run / "run.json").read_text())
        if status["status"] != "finished" or status["epochs_done"] != len(rows):
            found.append(f"{name} is {status['status']} after {status['epochs_done']}")
        if not mine.equals(rows):
            found.append(f"{name} has other rows")
        if not all(torch.equal(weights[key], tensors[key]) for key in weights):
            found.append(f"{name} has other weights")
        left = sorted(file.name for file in run.iterdir())
        if [file for file in left if not file.startswith("checkpoint.")] != FILES[1:] or "checkpoint.pt" not in left:
            found.append(f"{name} has {left}")
    return found


class RayCluster:
    """A head that trains nothing, and two nodes of one CPU, all on this machine's loopback."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self._made = Cluster()
        self._add(0)
        for _ in range(2):
            self._add(1)

    @property
    def address(self) -> str:
        """Of the head."""
        return str(self._made.address)

    def kill_node(self, randomness: random.Random) -> None:
        """End a node and all that is on it at once; another one takes its place."""
        _, *nodes = self._made.list_all_nodes()
        self._made.remove_node(randomness.choice(nodes), allow_graceful=False)
        self._add(1)

    def end(self) -> None:
        """End all of them."""
        self._made.shutdown()

    def _add(self, cpus: int) -> None:
        self._made.add_node(
            num_cpus=cpus, object_store_memory=80_000_000, node_ip_address="127.0.0.1", include_dashboard=False
        )


class Disturber:
    """Faults at random moments, counted."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.counts: Counter[str] = Counter()
        self._cluster: RayCluster | None = None

    def end(self) -> None:
        """End what was started for the faults."""
        if self._cluster is not None:
            self._cluster.end()

    def wait(self, process: subprocess.Popen[str], most: float) -> bool:
        """Wait for a random time: whether the command is still at work then."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=self.random.uniform(0.0, most))
        return process.poll() is None

    def kill(self, pid: int, number: int, name: str) -> None:
        """Send a signal to a process that this script has started, by its number."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            self.counts[name] += 1

    def job(self, grid: Grid) -> None:
        """Kill runs, several times."""
        for _ in range(self.random.randint(1, 8)):
            process = grid.start()
            while self.wait(process, 1.0):  # until all have failed, or are finished
                if owners := grid.owners():
                    self.kill(self.random.choice(owners), signal.SIGKILL, "SIGKILL to a run")

    def ray(self, grid: Grid) -> None:
        """Kill runs and nodes of a Ray cluster, several times."""
        if self._cluster is None:
            self._cluster = RayCluster()
        process = grid.start(["--engine", "ray", "--ray-address", self._cluster.address])
        for _ in range(self.random.randint(2, 8)):
            if not self.wait(process, 12.0):
                break
            if self.random.random() < 0.3:
                self._cluster.kill_node(self.random)
                self.counts["SIGKILL to a Ray node"] += 1
            elif owners := grid.owners():
                self.kill(self.random.choice(owners), signal.SIGKILL, "SIGKILL to a Ray worker")
        process.wait(timeout=600)

    def parent(self, grid: Grid) -> None:
        """Kill the command, several times."""
        for _ in range(self.random.randint(2, 8)):
            process = grid.start()
            if self.wait(process, 8.0):
                self.kill(process.pid, signal.SIGKILL, "SIGKILL to the command")
            process.wait()

    def stop(self, grid: Grid) -> None:
        """Ask the command to stop, once or twice."""
        process = grid.start()
        for _ in range(self.random.randint(1, 2)):
            if self.wait(process, 10.0):
                number = self.random.choice([signal.SIGTERM, signal.SIGINT])
                self.kill(process.pid, number, "SIGTERM or SIGINT to the command")
        process.wait()
        if process.returncode not in (0, 75, 1):
            raise AssertionError(f"exit code {process.returncode} after a request to stop")

    def spoilt(self, grid: Grid) -> None:
        """Kill the command and all its runs, and spoil files of theirs, several times."""
        for _ in range(self.random.randint(1, 4)):
            process = grid.start()
            if self.begun(grid, process) and self.wait(process, 12.0):
                self.kill(process.pid, signal.SIGKILL, "SIGKILL to the command")
                for pid in grid.owners():
                    self.kill(pid, signal.SIGKILL, "SIGKILL to a run")
            process.wait()
            files = [file for run in grid.runs() for file in run.iterdir() if file.name in (*FILES, ".owner.json")]
            for file in self.random.sample(files, min(len(files), 3)):
                self.spoil(file)

    def begun(self, grid: Grid, process: subprocess.Popen[str]) -> bool:
        """Wait until a run has begun: whether one has while the command is at work."""
        while process.poll() is None:
            if grid.owners():
                return True
            time.sleep(0.05)
        return False

    def spoil(self, file: Path) -> None:
        """Cut a file off, or change some bytes of it."""
        data = bytearray(file.read_bytes())
        if self.random.random() < 0.5 or not data:
            data = data[: self.random.randint(0, max(0, len(data) - 1))]
            self.counts[f"cut off: {file.name}"] += 1
        else:
            for _ in range(self.random.randint(1, 20)):
                data[self.random.randrange(len(data))] = self.random.randrange(256)
            self.counts[f"bytes changed: {file.name}"] += 1
        file.write_bytes(data)

    def lease(self, grid: Grid) -> None:
        """Take leases away from the runs that have them."""
        process = grid.start()
        self.begun(grid, process)
        for _ in range(self.random.randint(2, 6)):
            if not self.wait(process, 8.0):
                break
            files = list((grid.results / "faults").glob("*/.owner.json"))
            if files:
                file, how = self.random.choice(files), self.random.choice(["deleted", "emptied", "another's"])
                with suppress(OSError):
                    if how == "deleted":
                        file.unlink()
                    elif how == "emptied":
                        file.write_text("")
                    else:
                        other = {
                            "token": "other",
                            "host": "elsewhere",
                            "pid": 1,
                            "machine": "x",
                            "process_started": "1",
                        }
                        file.write_text(json.dumps(other))
                    self.counts[f"lease {how}"] += 1
        process.wait(timeout=240)

    def race(self, grid: Grid) -> None:
        """Two commands on the same results, one of which is killed."""
        both = [grid.start(), grid.start()]
        self.counts["two commands at once"] += 1
        if self.wait(both[0], 12.0):
            self.kill(self.random.choice(both).pid, signal.SIGKILL, "SIGKILL to the command")
        for process in both:
            process.wait(timeout=240)

    def full(self, grid: Grid) -> None:
        """Fill the disk while runs are trained, and free it."""
        filler = grid.results / "filler"
        process = grid.start()
        if self.wait(process, 8.0):
            with suppress(OSError), filler.open("wb") as file:
                while True:
                    file.write(bytes(65536))
                    file.flush()
            self.counts["disk filled"] += 1
            self.wait(process, 6.0)
            filler.unlink(missing_ok=True)
        process.wait()


def main() -> None:
    """Disturb, compare and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--faults", default=",".join(FAULTS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    names = arguments.faults.split(",")
    disturber, end = Disturber(arguments.seed), time.monotonic() + 60 * arguments.minutes
    wrong: list[str] = []
    grids = 0
    with tempfile.TemporaryDirectory() as place:
        quiet = Grid(Path(place, "quiet"), Path(place, "quiet", "results"), arguments.device, arguments.jobs)
        assert not quiet.finish(), (quiet.folder / "said.txt").read_text()
        whole = {run.name: content(run) for run in quiet.runs()}
        print(f"{len(whole)} runs undisturbed", flush=True)
        while time.monotonic() < end and _kills(disturber.counts) < arguments.kills:
            name = names[grids % len(names)]
            grids += 1
            folder = Path(place, f"grid{grids}")
            disk = folder / "disk"
            disk.mkdir(parents=True)
            if name == "full":
                subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)], check=True)
            grid = Grid(folder, disk, arguments.device, arguments.jobs)
            try:
                getattr(disturber, name)(grid)
                found = grid.finish()
                if not found and name == "spoilt" and without_refused(grid, disturber.counts):
                    found = grid.finish()
                found = found or faults_of(grid, whole)
            except (AssertionError, CheckpointError, OSError, subprocess.TimeoutExpired) as error:
                found = [f"{type(error).__name__}: {error}"]
            said = (folder / "said.txt").read_text()
            if "Traceback" in said:
                found.append("a traceback")
            if found:
                wrong.append(f"grid {grids}, {name}: {'; '.join(found)}")
                print(wrong[-1], "\n", said[-3000:], flush=True)
            if name == "full":
                subprocess.run(["umount", str(disk)], check=True)
            shutil.rmtree(folder, ignore_errors=True)
            print(
                f"grid {grids}, {name}: {_kills(disturber.counts)} kills so far, {len(wrong)} grids wrong", flush=True
            )
        disturber.end()
    print(f"{grids} grids of {len(whole)} runs, seed {arguments.seed}")
    for what, number in sorted(disturber.counts.items()):
        print(f"{number:6}  {what}")
    print(f"{_kills(disturber.counts):6}  kills in all; {len(wrong)} grids were not as the undisturbed one")
    sys.exit(bool(wrong))


def _kills(counts: Counter[str]) -> int:
    return sum(number for what, number in counts.items() if what.startswith("SIGKILL"))


if __name__ == "__main__":
    main()
