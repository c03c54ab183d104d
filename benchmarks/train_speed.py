"""How fast samcli trains: seconds of an epoch beside the loop that most users write, and what SAM adds to SGD.

    python benchmarks/train_speed.py --data-dir data [--model cnn,resnet20,resnet18] [--threads 1,2] [--device cuda]
    python benchmarks/train_speed.py --data-dir data --optimizers sgd,sam,async-sam,looksam,ss-sam,esam,msam
    python benchmarks/train_speed.py --data-dir data --optimizers "sgd,sam,sam ascent_fraction=0.25"
    python benchmarks/train_speed.py --data-dir data --switches [--model cnn]
    python benchmarks/train_speed.py --data-dir data --memory [--model resnet18]

Three arms take turns, each turn in a process of its own:

- usual: `usual_loop.py`, always in single precision; for `sgd` and `sam`;
- library: the same loop with the SAM of pytorch_optimizer; for `sam`;
- samcli: `samcli train`, whose `train_seconds` are read from its `metrics.csv`, in every precision asked for.

All have the same number of threads, images, batches (the last one smaller), initial weights, crop, flip, learning rate,
momentum and weight decay. Round r trains with seed r. The first epoch of a process warms it up and is not counted,
save with `--epochs 0`, where it is the only one: for networks whose epochs take minutes, beside which no warm-up shows.
All arms start with the images in memory: samcli as a tensor, the usual loop as the array of a torchvision data set.
In no arm does the clock see reading of data or evaluation; in the usual loop it sees the start of the loader's workers,
which every epoch begins with. `cnn` trains on Fashion-MNIST, the others on CIFAR-10: on the JPEG files of
DATA_DIR/cifar10-jpeg, else on torchvision's copy in DATA_DIR, else on synthetic images of the same shape.

Printed are medians over rounds and epochs, and ratios of medians. "SAM costs" is a row's time over that of samcli's own
SGD in the same precision. Nobody may gain by computing something else: the training losses of the last epoch, each the
mean over the rounds, must agree with the usual loop's within `--tolerance`, 10 % of it (the draws of order, crop and
flip differ, and so losses are never equal); otherwise the exit code is 1.

`--switches` compares samcli with itself: all parts on against each one off alone, and against all off; `--without
fused,channels_last` has the main table made with these parts off. See `samcli_arm.py`.

`--memory` prints the largest number of bytes that tensors hold at one moment of the second epoch, above SGD's, in units
of one copy of the weights. On the CPU torch's profiler adds up every allocation and release of tensors, beginning
before the data are loaded, so the number is exact and does not depend on what malloc keeps; what oneDNN allocates past
torch is not seen. On a GPU it is `max_memory_allocated`, with cuDNN's workspaces.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from samcli_arm import SWITCHES, switches_of

HERE = Path(__file__).resolve().parent
MODELS = ("cnn", "resnet20", "resnet18")
LR, MOMENTUM, WEIGHT_DECAY, RHO = 0.05, 0.9, 5e-4, 0.05
USUAL = {"sgd": ("usual",), "sam": ("usual", "library")}  # the arms beside samcli's
BUSY = 0.15  # cores used by others, above which times are not to be trusted


# One process of one arm ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all arms of a comparison share."""

    model: str
    dataset: str
    data_dir: Path
    images: int
    batch: int
    epochs: int
    device: str
    threads: int


@dataclass
class Times:
    """What the processes of one arm told.

    Attributes:
        seconds: of each epoch but the first of each process.
        losses: the mean training loss of the last epoch of each process.
    """

    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def add(self, seconds: Sequence[float], loss: float) -> None:
        """One more process."""
        self.seconds.extend(seconds[1:] or seconds)
        self.losses.append(loss)

    @property
    def median(self) -> float:
        """Of the seconds."""
        return statistics.median(self.seconds)

    @property
    def loss(self) -> float:
        """The mean over the processes."""
        return statistics.fmean(self.losses)


foreign_cores: list[float] = []  # how many cores others used while each process ran, where the system tells


def run(command: Sequence[str], threads: int) -> str:
    """The standard output of a command that may use so many threads."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    start, own, all_ = time.perf_counter(), own_seconds(), busy_seconds()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{shlex.join(command)}\nended with code {done.returncode}:\n{done.stderr}{done.stdout}")
    if all_ is not None and (now := busy_seconds()) is not None:
        foreign = (now - all_) - (own_seconds() - own)
        foreign_cores.append(max(0.0, foreign) / (time.perf_counter() - start))
    return done.stdout


def own_seconds() -> float:
    """CPU time of this process and of all that it has waited for."""
    return sum(os.times()[:4])


def busy_seconds() -> float | None:
    """CPU time of everybody on this machine; None where there is no /proc."""
    try:
        user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    except OSError:
        return None
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def run_usual(setting: Setting, optimizer: str, seed: int) -> tuple[list[float], float]:
    """Seconds of each epoch of the usual loop, and the loss of the last."""
    command = [sys.executable, str(HERE / "usual_loop.py"), "--optimizer", optimizer, "--seed", str(seed)]
    options = asdict(setting) | {"lr": LR, "momentum": MOMENTUM, "weight_decay": WEIGHT_DECAY, "rho": RHO}
    for key, value in options.items():
        if key != "threads":
            command += [f"--{key.replace('_', '-')}", str(value)]
    told = json.loads(run(command, setting.threads))
    assert told["threads"] == setting.threads
    return [epoch["seconds"] for epoch in told["epochs"]], told["epochs"][-1]["loss"]


def samcli_arguments(setting: Setting, optimizer: str, precision: str, seed: int, results: Path) -> list[str]:
    """The command line after `samcli`."""
    settings = {
        "dataset.train_examples": setting.images,
        "dataset.augment": "[crop,flip]",
        "batch_size": setting.batch,
        "precision": precision,
        "schedule": "constant",
        "sharpness.every": 0,
        "optimizer.lr": LR,
        "optimizer.momentum": MOMENTUM,
        "optimizer.weight_decay": WEIGHT_DECAY,
    }
    optimizer, *own = optimizer.split()
    if optimizer == "sam":
        settings["optimizer.rho"] = RHO  # the others keep their own radius
    settings |= {f"optimizer.{key}": value for key, _, value in (text.partition("=") for text in own)}
    return [
        "train", "--dataset", setting.dataset, "--data-dir", str(setting.data_dir), "--model", setting.model,
        "--optimizer", optimizer, "--seeds", str(seed), "--epochs", str(setting.epochs), "--device", setting.device,
        "--results", str(results), "--json", *(f"--set={key}={value}" for key, value in settings.items()),
    ]  # fmt: skip


def run_samcli(
    setting: Setting, optimizer: str, precision: str, seed: int, without: Sequence[str] = ()
) -> tuple[list[float], float]:
    """Seconds of each epoch of a run of samcli, and the loss of the last."""
    command = [sys.executable, "-m", "samcli"]
    if without:
        command = [sys.executable, "-c", f"import samcli_arm; samcli_arm.samcli_without({list(without)!r})"]
    with tempfile.TemporaryDirectory() as folder:
        run([*command, *samcli_arguments(setting, optimizer, precision, seed, Path(folder))], setting.threads)
        (metrics,) = Path(folder).glob("*/*/metrics.csv")
        rows = list(csv.DictReader(metrics.read_text().splitlines()))
        told = json.loads(metrics.with_name("run.json").read_text())
        assert told["threads"] == setting.threads
        if told["replayed"] and told["replayed"]["failure"]:
            say(f"{optimizer} ran without CUDA graphs: {told['replayed']['failure']}")
    return [float(row["train_seconds"]) for row in rows], float(rows[-1]["train_loss"])


def run_memory(setting: Setting, optimizer: str, precision: str) -> tuple[int, int]:
    """Peak bytes of tensors in a run of samcli, and bytes of its weights."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "peak.json"
        code = f"import samcli_arm; samcli_arm.samcli_memory({str(file)!r})"
        arguments = samcli_arguments(setting, optimizer, precision, 0, Path(folder))
        run([sys.executable, "-c", code, *arguments], setting.threads)
        (status,) = Path(folder).glob("*/*/run.json")
        return json.loads(file.read_text())["bytes"], 4 * json.loads(status.read_text())["parameters"]


# Comparisons --------------------------------------------------------------------------------------------------------


def compare(setting: Setting, options: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of the main table for one model and number of threads."""
    times: dict[tuple[str, str, str], Times] = {}  # by arm, precision and optimizer
    for seed in range(options.rounds):
        for optimizer in options.optimizers:
            for arm in USUAL.get(optimizer, ()):
                name = "pytorch-optimizer-sam" if arm == "library" else optimizer
                times.setdefault((arm, "fp32", optimizer), Times()).add(*run_usual(setting, name, seed))
            for precision in options.precisions:
                measured = run_samcli(setting, optimizer, precision, seed, options.without)
                times.setdefault(("samcli", precision, optimizer), Times()).add(*measured)
        say(f"{setting.model}, {setting.threads} threads: round {seed + 1} of {options.rounds}")
    rows = []
    for precision, optimizer in product(options.precisions, options.optimizers):
        own, sgd = times["samcli", precision, optimizer], times.get(("samcli", precision, "sgd"))
        row: dict[str, Any] = {
            "model": setting.model, "threads": setting.threads, "precision": precision, "optimizer": optimizer,
        }  # fmt: skip
        for arm in ("usual", "library", "samcli"):
            found = times.get((arm, precision if arm == "samcli" else "fp32", optimizer))
            row[arm] = None if found is None else {**asdict(found), "median": found.median, "loss": found.loss}
            if found is not None and arm != "samcli":
                row[f"{arm}_ratio"] = found.median / own.median
        if sgd is not None and optimizer != "sgd":
            row["sam_costs"] = own.median / sgd.median
        rows.append(row)
    return rows


def print_comparison(rows: list[dict[str, Any]], images: int) -> None:
    """The main table, in Markdown: the rows so far."""
    header = ["model", "threads", "precision", "optimizer", "usual", "library", "samcli", "usual ÷ samcli"]
    body = []
    for row in rows:
        arms = [row[arm] for arm in ("usual", "library", "samcli")]
        speeds = [f"{arm['median']:.3f} s, {images / arm['median']:.0f}/s" if arm else "" for arm in arms]
        losses = " / ".join(f"{arm['loss']:.4f}" if arm else "–" for arm in arms)
        ratios = [f"{row[key]:.2f}" if key in row else "" for key in ("usual_ratio", "library_ratio", "sam_costs")]
        body.append([*(str(row[key]) for key in header[:4]), *speeds, *ratios, losses])
    print_table([*header, "library ÷ samcli", "SAM costs", "losses"], body)


def disagreements(rows: list[dict[str, Any]], tolerance: float) -> list[str]:
    """A sentence for each arm whose loss is too far from the usual loop's."""
    found = []
    for row in rows:
        for arm in ("library", "samcli"):
            if row["usual"] and row[arm]:
                difference = abs(row[arm]["loss"] - row["usual"]["loss"]) / row["usual"]["loss"]
                if not difference < tolerance:
                    where = f"{row['model']}, {row['optimizer']}, {row['precision']}, {row['threads']} threads"
                    found.append(f"{where}: the loss of {arm} differs by {difference:.1%} from the usual loop's.")
    return found


def compare_switches(setting: Setting, options: argparse.Namespace) -> list[dict[str, Any]]:
    """For one model and number of threads: each part's share, as the ratio of the times without and with it."""
    parts = switches_of(setting.model)
    arms: dict[str, list[str]] = {"": [], **{part: [part] for part in parts}, "all of them": parts}
    rows = []
    for precision, optimizer in product(options.precisions, options.optimizers):
        times = {name: Times() for name in arms}
        for seed in range(options.rounds):
            for name, without in arms.items():
                times[name].add(*run_samcli(setting, optimizer, precision, seed, without))
            say(f"{setting.model}, {setting.threads} threads, {precision}, {optimizer}: round {seed + 1}")
        for name in list(arms)[1:]:
            rows.append({
                "model": setting.model, "threads": setting.threads, "precision": precision, "optimizer": optimizer,
                "part": name, "with": asdict(times[""]), "without": asdict(times[name]),
                "ratio": times[name].median / times[""].median,
                "loss_with": times[""].loss, "loss_without": times[name].loss,
            })  # fmt: skip
    return rows


def print_switches(rows: list[dict[str, Any]]) -> None:
    """The table of the parts, in Markdown."""
    header = ["model", "threads", "precision", "optimizer", "part", "with", "without", "without ÷ with", "losses"]
    body = []
    for row in rows:
        seconds = [f"{statistics.median(row[key]['seconds']):.3f} s" for key in ("with", "without")]
        losses = f"{row['loss_with']:.4f} / {row['loss_without']:.4f}"
        body.append([*(str(row[key]) for key in header[:5]), *seconds, f"{row['ratio']:.2f}", losses])
    print_table(header, body)


def compare_memory(setting: Setting, options: argparse.Namespace) -> list[dict[str, Any]]:
    """For one model: peak memory of each optimizer, and above SGD's."""
    rows = []
    for precision in options.precisions:
        base, weights = run_memory(setting, "sgd", precision)
        for optimizer in options.optimizers:
            peak = base if optimizer == "sgd" else run_memory(setting, optimizer, precision)[0]
            rows.append({
                "model": setting.model, "precision": precision, "optimizer": optimizer, "bytes": peak,
                "weights": weights, "copies": (peak - base) / weights,
            })  # fmt: skip
    return rows


def print_memory(rows: list[dict[str, Any]]) -> None:
    """The table of memory, in Markdown."""
    header = ["model", "precision", "optimizer", "peak", "weights", "above SGD, copies of the weights"]
    body = []
    for row in rows:
        sizes = [f"{row[key] / 2**20:.1f} MiB" for key in ("bytes", "weights")]
        body.append([row["model"], row["precision"], row["optimizer"], *sizes, f"{row['copies']:.2f}"])
    print_table(header, body)


def print_table(header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    """In Markdown."""
    for line in (header, ["---"] * len(header), *body):
        print(f"| {' | '.join(line)} |", flush=True)


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


# Data ---------------------------------------------------------------------------------------------------------------


def image_data(data_dir: Path, images: int, folder: Path) -> str:
    """A data set of CIFAR-10's shape with at least so many images, as samcli names it.

    Args:
        data_dir: where CIFAR-10 may lie.
        images: needed for training.
        folder: empty; for links to the first images of each class, or for synthetic ones.
    """
    jpeg = data_dir / "cifar10-jpeg"
    if not jpeg.is_dir() and (data_dir / "cifar-10-batches-py").is_dir():
        return "cifar10"
    say(f"Images: {'the first of each class of CIFAR-10' if jpeg.is_dir() else 'synthetic'}.")
    for part, number in (("train", -(-images // 10)), ("test", 50)):
        if jpeg.is_dir():
            for kind in sorted(path for path in (jpeg / part).iterdir() if path.is_dir()):
                (folder / part / kind.name).mkdir(parents=True)
                for file in sorted(kind.iterdir())[:number]:
                    (folder / part / kind.name / file.name).symlink_to(file.resolve())
        else:
            write_synthetic(folder / part, number)
    return f"image-folder:{folder}"


def write_synthetic(folder: Path, number: int) -> None:
    """Ten classes of so many images of 32x32 pixels: a coarse pattern for each class, under noise."""
    import numpy as np
    from PIL import Image

    patterns = np.random.default_rng(0).uniform(64.0, 192.0, (10, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
    noise = np.random.default_rng(1 if folder.name == "train" else 2)
    for kind, pattern in enumerate(patterns):
        (folder / str(kind)).mkdir(parents=True)
        for index in range(number):
            pixels = (pattern + noise.normal(0.0, 64.0, pattern.shape)).clip(0.0, 255.0).astype(np.uint8)
            Image.fromarray(pixels).save(folder / str(kind) / f"{index:05d}.png")


# Command line -------------------------------------------------------------------------------------------------------


def names(text: str) -> list[str]:
    """Those in a list with commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--model", type=names, default=list(MODELS), help=", ".join(MODELS))
    parser.add_argument("--optimizers", type=names, help="sgd,sam; with --memory sgd,sam,asam; options after blanks")
    parser.add_argument("--precisions", type=names, help="of samcli: fp32,bf16; fp32 where bf16 has no instructions")
    parser.add_argument("--threads", type=names, help="1,2; on a GPU 2")
    parser.add_argument("--images", type=int, help="training images of an epoch: 5000; with --memory two batches")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--epochs", type=int, default=2, help="of each process after the first: 2; 0 counts the first")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--without", type=names, default=[], help=f"parts to switch off: {','.join(SWITCHES)}")
    parser.add_argument("--tolerance", type=float, default=0.1, help="largest relative difference of losses")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write everything measured to this file")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--switches", action="store_true", help="the share of each part of samcli")
    mode.add_argument("--memory", action="store_true", help="peak memory in copies of the weights")
    options = parser.parse_args()
    options.optimizers = options.optimizers or (["sgd", "sam", "asam"] if options.memory else ["sgd", "sam"])
    options.threads = [int(n) for n in options.threads or (["1", "2"] if options.device == "cpu" else ["2"])]
    options.threads = options.threads[-1:] if options.memory else options.threads
    options.precisions = options.precisions or (["fp32", "bf16"] if has_bf16(options.device) else ["fp32"])
    options.images = options.images or (2 * options.batch if options.memory else 5000)
    if unknown := set(options.without) - set(SWITCHES):
        parser.error(f"nothing is named {min(unknown)}; there are {', '.join(SWITCHES)}")
    if unknown := set(options.model) - set(MODELS):
        parser.error(f"no model {min(unknown)} here; there are {', '.join(MODELS)}")
    return options


def has_bf16(device: str) -> bool:
    """Whether bfloat16 is no emulation: always on a GPU, and on processors that tell so; elsewhere it takes 10x."""
    flags = Path("/proc/cpuinfo")
    return device != "cpu" or (
        flags.exists() and bool({"avx512_bf16", "amx_bf16", "bf16"} & {*flags.read_text().split()})
    )


@contextmanager
def settings(options: argparse.Namespace) -> Iterator[list[Setting]]:
    """Every model with every number of threads."""
    data_dir = options.data_dir.resolve()
    with tempfile.TemporaryDirectory() as folder:
        images = ""
        if set(options.model) - {"cnn"}:
            images = image_data(data_dir, options.images, Path(folder))
        yield [
            Setting(
                model=model, threads=threads, dataset="fashion-mnist" if model == "cnn" else images, data_dir=data_dir,
                images=options.images, batch=options.batch, epochs=1 + (1 if options.memory else options.epochs),
                device=options.device,
            )
            for model, threads in product(options.model, options.threads)
        ]  # fmt: skip


def main() -> None:
    """Measure and print."""
    options = parse()
    print(f"{options.device}, {os.cpu_count()} cores, load at the start {os.getloadavg()[0]:.2f}")
    if not has_bf16(options.device):
        print("this processor has no instructions for bfloat16, which it therefore only slows down")
    say(f"Other processes should leave the machine alone: above {BUSY} cores of theirs, times mean little.")
    rows: list[dict[str, Any]] = []
    with settings(options) as chosen:
        for setting in chosen:
            if options.memory:
                new = compare_memory(setting, options)
                print_memory(new)
            elif options.switches:
                new = compare_switches(setting, options)
                print_switches(new)
            else:
                new = compare(setting, options)
                print_comparison(new, options.images)
            rows += new
            if options.json:
                document = {"options": vars(options), "foreign_cores": foreign_cores, "rows": rows}
                options.json.write_text(json.dumps(document, indent=1, default=str))
    if foreign_cores:
        median, largest = statistics.median(foreign_cores), max(foreign_cores)
        print(f"others used {median:.2f} cores in the median process, {largest:.2f} at most")
        if median > BUSY:
            print("THE MACHINE WAS BUSY: repeat this before you quote it")
    if not (options.memory or options.switches) and (wrong := disagreements(rows, options.tolerance)):
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
