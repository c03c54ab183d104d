"""How a folder of images is best read: memory and speed of four ways, beside the loader that most users write.

    python benchmarks/image_cache.py [--images 20000] [--side 64] [--rounds 3] [--epochs 2] [--batch-size 128]

A folder of JPEG files of noise over a gradient, in 10 classes, is made in a temporary folder. These arms take turns,
each turn in a process of its own, with the same batches, random crop and flip, no network, and one thread of torch:
where others use the machine, threads wait for each other longer than they compute.

- memory: `samcli.data.load`, all images decoded into memory;
- cache, first: with a cache folder that is empty; what decodes the images also writes the file;
- cache: with the file there;
- stream: `stream: true`, each batch decoded when it is due;
- loader: torchvision's `ImageFolder`, `RandomCrop`, `RandomHorizontalFlip`, `ToTensor` and `Normalize` in a
  `DataLoader` with 2 workers, which every epoch starts anew.

`start` is the time from the end of the imports to the first batch of the first epoch: samcli takes the digest of all
files and the statistics of the training part in it, the loader, whose constants are given, neither. `images/s` is that
of the epochs. All arms end with the images as normalised float32 batches, of which the sum is taken.

Memory is the largest sum over the process and its workers, seen every half a second, above that after the imports:
`own` are anonymous and shared pages, which no one else can have (Pss_Anon and Pss_Shmem of smaps_rollup), `mapped` are
pages of files (Pss_File), which the system drops when others need the memory and reads again when they are asked for.
Medians over rounds, and ratios of medians to `memory`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ARMS = ("memory", "cache, first", "cache", "stream", "loader")
CLASSES, PADDING, WORKERS = 10, 4, 2


def make_folder(root: Path, images: int, side: int) -> None:
    """Write the images, which differ, and compress as photographs do."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(0)
    ramp = np.linspace(0.0, 160.0, side)
    for part, number in (("train", images), ("test", max(CLASSES, images // 100))):
        for i in range(number):
            folder = root / part / str(i % CLASSES)
            folder.mkdir(parents=True, exist_ok=True)
            tint = generator.uniform(0.0, 1.0, 3)
            pixels = (ramp[:, None] + ramp[None, :])[..., None] * tint / 2 + generator.normal(
                48.0, 16.0, (side, side, 3)
            )
            Image.fromarray(pixels.clip(0.0, 255.0).astype(np.uint8)).save(root / part / str(i % CLASSES) / f"{i}.jpg")


def samcli_batches(folder: Path, batch_size: int, stream: bool) -> Callable[[int], Iterator[Any]]:
    """The batches of an epoch by samcli."""
    from samcli.data import DATASETS, load

    kind = DATASETS.create(f"image-folder:{folder}", augment=("crop", "flip"), stream=stream)
    dataset = load(kind, seed=0, data_dir=Path(), device="cpu")
    return lambda epoch: (x for x, _ in dataset.epoch(epoch, batch_size, 0))


def loader_batches(folder: Path, batch_size: int, side: int) -> Callable[[int], Iterator[Any]]:
    """The batches of an epoch by torch's loader."""
    import torch
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    torch.manual_seed(0)
    steps = [
        transforms.RandomCrop(side, padding=PADDING),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
    ]
    images = datasets.ImageFolder(str(folder / "train"), transforms.Compose(steps))
    loader = DataLoader(images, batch_size, shuffle=True, num_workers=WORKERS)
    return lambda epoch: (x for x, _ in loader)


def run_arm(arm: str, folder: Path, arguments: argparse.Namespace) -> None:
    """Time the arm in this process, and print what was found as JSON."""
    import torch
    from torchvision import datasets, transforms  # noqa: F401  # not a part of the start

    import samcli.data  # noqa: F401
    from samcli.allocator import keep_freed_memory

    torch.set_num_threads(1)
    if arm != "loader":  # as the command does
        keep_freed_memory()
    print(json.dumps("imported"), flush=True)
    sys.stdin.readline()  # until the memory of now is known
    begun = time.perf_counter()
    if arm == "loader":
        batches = loader_batches(folder, arguments.batch_size, arguments.side)
    else:
        batches = samcli_batches(folder, arguments.batch_size, stream=arm == "stream")
    started, speeds = None, []
    for epoch in range(1, arguments.epochs + 1):
        seen, total, since = 0, torch.zeros(()), time.perf_counter()
        for x in batches(epoch):
            started = started or time.perf_counter() - begun
            seen += len(x)
            total += x.sum()
        speeds.append(seen / (time.perf_counter() - since))
    print(json.dumps({"start": started, "speed": statistics.median(speeds), "seen": seen}), flush=True)


def memory_of(pid: int) -> tuple[float, float]:
    """Own and mapped memory of a process and its children, in MiB."""
    own = mapped = 0.0
    children = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        others = [int(child) for child in children.read_text().split()]
    except OSError:  # it has ended
        return 0.0, 0.0
    for line in text.splitlines():
        name, _, rest = line.partition(":")
        if name in ("Pss_Anon", "Pss_Shmem"):
            own += int(rest.split()[0]) / 1024
        elif name == "Pss_File":
            mapped += int(rest.split()[0]) / 1024
    for child in others:
        more = memory_of(child)
        own, mapped = own + more[0], mapped + more[1]
    return own, mapped


def measure(arm: str, folder: Path, cache: Path, arguments: argparse.Namespace) -> dict[str, float]:
    """One turn of an arm."""
    if arm == "cache, first":
        shutil.rmtree(cache, ignore_errors=True)
    told = ["--images", arguments.images, "--side", arguments.side, "--epochs", arguments.epochs]
    command = [sys.executable, __file__, "--arm", arm, "--folder", folder, "--batch-size", arguments.batch_size, *told]
    environment = {**os.environ, "SAMCLI_CACHE_DIR": str(cache) if arm.startswith("cache") else ""}
    with subprocess.Popen(
        list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdout.readline()
        before, peak, ended = memory_of(process.pid), [0.0, 0.0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.5):  # a look holds the process up, the longer the more memory it has
                peak[:] = map(max, peak, memory_of(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        process.stdin.write("go\n")
        process.stdin.flush()
        line = process.stdout.readline()
        ended.set()
        watcher.join()
    found: dict[str, float] = json.loads(line)
    return {**found, "own": peak[0] - before[0], "mapped": peak[1] - before[1]}


def main() -> None:
    """Run all arms in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--arm", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.arm:
        run_arm(arguments.arm, arguments.folder, arguments)
        return
    import PIL
    import torch
    import torchvision

    with tempfile.TemporaryDirectory(prefix="samcli-images-") as name:
        folder, cache = Path(name, "images"), Path(name, "cache")
        make_folder(folder, arguments.images, arguments.side)
        found: dict[str, list[dict[str, float]]] = {arm: [] for arm in ARMS}
        for number in range(arguments.rounds):
            for arm in ARMS:
                found[arm].append(measure(arm, folder, cache, arguments))
                print(f"round {number + 1} {arm}: {found[arm][-1]}", file=sys.stderr)
    decoded = arguments.images * arguments.side**2 * 3 / 2**20
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, torch {torch.__version__}, torchvision "
        f"{torchvision.__version__}, Pillow {PIL.__version__}, {os.cpu_count()} cores; {decoded:.0f} MiB of pixels"
    )
    medians = {
        arm: {key: statistics.median(turn[key] for turn in turns) for key in ("start", "speed", "own", "mapped")}
        for arm, turns in found.items()
    }
    print(f"{'':14}{'start s':>9}{'images/s':>10}{'ratio':>7}{'own MiB':>9}{'ratio':>7}{'mapped MiB':>12}")
    base = medians["memory"]
    for arm, row in medians.items():
        print(
            f"{arm:14}{row['start']:9.1f}{row['speed']:10,.0f}{row['speed'] / base['speed']:7.2f}{row['own']:9.0f}"
            f"{row['own'] / base['own']:7.2f}{row['mapped']:12.0f}"
        )


if __name__ == "__main__":
    main()
