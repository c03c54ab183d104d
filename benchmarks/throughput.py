"""How long a grid takes: samcli's jobs beside one process, GNU parallel over single commands, and joblib.

    python benchmarks/throughput.py [--grid digits] [--data-dir DIR] [--jobs 2] [--rounds 3] [--arms serial,jobs]
                                    [--device cpu]

Arms, each in an empty results folder, alternating within a round:

    serial    samcli train --jobs 0: one process, one run after the other, all threads
    one       samcli train --jobs 1 --threads 1
    jobs      samcli train --jobs N, which is what `auto` does on a machine of N cores
    parallel  GNU parallel -j N over single `samcli train` calls, one thread each, as a user would write it
    joblib    joblib's loky over samcli.train.train_run in N worker processes, one thread each

On a GPU `--device cuda --arms serial,one,jobs` tells what several runs that share it gain.

Grids: `digits` is that of the quickstart, sgd and sam of 80 epochs with three seeds; `short` is 24 runs of ten epochs
of an mlp on digits; `cnn` is eight runs on Fashion-MNIST (5,000 images, 5 epochs); `tiny` is forty runs of one epoch on
fifty digits, whose time is the start of runs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

GRIDS = {
    "digits": (Path(__file__).parents[1] / "experiments" / "quickstart.yaml").read_text(encoding="utf-8"),
    "short": "{dataset: digits, model: mlp, epochs: 10, optimizer: [sgd, sam], seeds: 0-11}",
    "cnn": "{dataset: {name: fashion-mnist, train_examples: 5000}, model: cnn, epochs: 5, optimizer: [sgd, sam], "
    "seeds: 0-3}",
    "tiny": "{dataset: {name: digits, train_examples: 50}, model: mlp, epochs: 1, optimizer: sgd, seeds: 0-39}",
}


def samcli(grid: Path, results: Path, data_dir: Path, *flags: str) -> None:
    """One command over the whole grid."""
    command = [sys.executable, "-m", "samcli", "train", str(grid), "--results", str(results), "-q"]
    subprocess.run([*command, "--data-dir", str(data_dir), *flags], check=True, stdout=subprocess.DEVNULL)


def gnu_parallel(grid: Path, results: Path, data_dir: Path, jobs: int) -> None:
    """A command for each run, as many at once as there are jobs."""
    call = f"{sys.executable} -m samcli train {grid} --results {results} --data-dir {data_dir} --device cpu -q --jobs 0"
    runs = [f"{call} --optimizer {run.optimizer['name']} --seeds {run.seed} > {os.devnull}" for run in runs_of(grid)]
    subprocess.run(
        ["parallel", "-j", str(jobs)],
        input="\n".join(runs),
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def runs_of(grid: Path) -> list:  # type: ignore[type-arg]
    """The runs of a grid."""
    from samcli.config import Draft, read
    from samcli.train import CATALOGUE

    return Draft.of(read(grid), CATALOGUE).expand()


def train(run: object, folder: Path, data_dir: Path) -> None:
    """One run in a worker of joblib."""
    import torch

    from samcli.runs import RunFolder
    from samcli.train import train_run

    torch.set_num_threads(1)
    train_run(run, RunFolder(folder), data_dir=data_dir, device=torch.device("cpu"))  # type: ignore[arg-type]


def loky(grid: Path, results: Path, data_dir: Path, jobs: int) -> None:
    """A script of a user's own, which joblib spreads over workers."""
    script = (
        "import sys; from pathlib import Path; from joblib import Parallel, delayed; import throughput as t\n"
        "grid, results, data_dir, jobs = sys.argv[1:]\n"
        "runs = t.runs_of(Path(grid))\n"
        "Parallel(n_jobs=int(jobs))(delayed(t.train)(run, Path(results, str(i)), Path(data_dir))"
        " for i, run in enumerate(runs))\n"
    )
    here = str(Path(__file__).parent)
    path = os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")]))
    subprocess.run(
        [sys.executable, "-c", script, str(grid), str(results), str(data_dir), str(jobs)],
        check=True,
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grid", choices=GRIDS, default="digits")
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--arms", default="serial,one,jobs,parallel,joblib")
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    device = ("--device", arguments.device)
    jobs, data_dir = arguments.jobs, arguments.data_dir.absolute()
    with tempfile.TemporaryDirectory() as name:
        grid, results = Path(name, "grid.yaml"), Path(name, "results")
        grid.write_text(GRIDS[arguments.grid])
        arms: dict[str, Callable[[], None]] = {
            "serial": lambda: samcli(grid, results, data_dir, *device, "--jobs", "0"),
            "one": lambda: samcli(grid, results, data_dir, *device, "--jobs", "1", "--threads", "1"),
            "jobs": lambda: samcli(grid, results, data_dir, *device, "--jobs", str(jobs)),
            "parallel": lambda: gnu_parallel(grid, results, data_dir, jobs),
            "joblib": lambda: loky(grid, results, data_dir, jobs),
        }
        chosen = arguments.arms.split(",")
        seconds: dict[str, list[float]] = {arm: [] for arm in chosen}
        for _ in range(arguments.rounds):
            for arm in chosen:
                shutil.rmtree(results, ignore_errors=True)
                begin = time.perf_counter()
                arms[arm]()
                seconds[arm].append(time.perf_counter() - begin)
        runs = len(runs_of(grid))
    medians = {arm: statistics.median(times) for arm, times in seconds.items()}
    reference = medians.get("jobs", min(medians.values()))
    print(f"{arguments.grid}: {runs} runs, {jobs} jobs, medians of {arguments.rounds} rounds")
    for arm, median in medians.items():
        low, high = min(seconds[arm]), max(seconds[arm])
        print(f"{arm:<9}{median:8.1f} s  ({low:.1f} to {high:.1f})  {median / reference:.2f} times jobs")


if __name__ == "__main__":
    main()
