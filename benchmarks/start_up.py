"""How long a user waits before something happens.

    python benchmarks/start_up.py [--starts 7] [--data-dir data] [--dataset fashion-mnist,digits] [--runs 200]

First `samcli --help`, beside a process that imports typer and rich and one in which typer prints the help of a command
that does nothing; and `samcli compare` over so many runs of one epoch, beside the imports that it needs. Then
`samcli train` until its first epoch begins, in parts: torch's import; that of torch._dynamo, which torch's own
optimizers import when the first is made; and what remains, which is samcli's. Processes alternate, figures are medians
in seconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time

BARE = "import typer, rich"
EMPTY_HELP = "import typer; app = typer.Typer(); app.command()(lambda: None); app(['--help'])"
COMPARE = "import pandas, scipy.stats, typer, rich"
FIRST_EPOCH = """
import json, sys, time
start = time.perf_counter()
import torch
torch_done = time.perf_counter()
import torch._dynamo
dynamo_done = time.perf_counter()
from samcli.cli.app import main
from samcli.train.session import Session
def begin(self):
    print(json.dumps([torch_done - start, dynamo_done - torch_done, time.perf_counter() - dynamo_done]), flush=True)
    raise SystemExit(0)
Session._train = begin
sys.argv = ["samcli", "train", *sys.argv[1:]]
main()
"""


def seconds(*command: str) -> float:
    """How long a process takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def first_epoch(dataset: str, data_dir: str) -> list[float]:
    """Seconds for torch, torch._dynamo and the rest until the first epoch begins."""
    with tempfile.TemporaryDirectory() as results:
        flags = ["--dataset", dataset, "--epochs", "1", "--optimizer", "sam", "--seeds", "0"]
        flags += ["--data-dir", data_dir, "--results", results]
        done = subprocess.run([sys.executable, "-c", FIRST_EPOCH, *flags], capture_output=True, text=True, check=False)
    lines = done.stdout.splitlines()
    if not lines:
        sys.exit(f"samcli train did not begin: {done.stderr.strip()[-300:]}")
    parts: list[float] = json.loads(lines[0])
    return parts


def commands(starts: int, results: str) -> None:
    """Measure and print what does not train."""
    arms = {
        "import typer, rich": ("-c", BARE),
        "typer's help of an empty command": ("-c", EMPTY_HELP),
        "samcli --help": ("-m", "samcli", "--help"),
        "import pandas, scipy.stats, ...": ("-c", COMPARE),
        "samcli compare": ("-m", "samcli", "compare", results),
    }
    times: dict[str, list[float]] = {name: [] for name in arms}
    for _ in range(starts):
        for name, command in arms.items():
            times[name].append(seconds(*command))
    for name in arms:
        print(f"{name:36s}{statistics.median(times[name]):6.2f} s")


def first_epochs(starts: int, datasets: list[str], data_dir: str) -> None:
    """Measure and print what comes before the first epoch."""
    parts: dict[str, list[list[float]]] = {name: [] for name in datasets}
    for _ in range(starts):
        for name in datasets:
            parts[name].append(first_epoch(name, data_dir))
    print(f"\n{'until the first epoch':24s}{'torch':>10s}{'_dynamo':>10s}{'the rest':>10s}")
    for name in datasets:
        medians = [statistics.median(column) for column in zip(*parts[name], strict=True)]
        print(f"{name:24s}" + "".join(f"{value:8.2f} s" for value in medians))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--data-dir", default="data")
    parser.add_argument("--dataset", default="fashion-mnist,digits")
    parser.add_argument("--runs", type=int, default=200)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as results:
        seeds = ("--seeds", f"0-{flags.runs // 2 - 1}", "--optimizer", "sgd,sam", "--epochs", "1")
        seconds("-m", "samcli", "train", "--dataset", "breast-cancer", *seeds, "--results", results)
        commands(flags.starts, results)
    first_epochs(flags.starts, flags.dataset.split(","), flags.data_dir)


if __name__ == "__main__":
    main()
