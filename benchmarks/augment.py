"""What each augmentation costs: microseconds for an image, beside an epoch without any.

    python benchmarks/augment.py [--images 5000] [--side 32] [--rounds 3] [--threads 1] [--device cpu]

Random images of 3 channels in memory; an epoch is read in batches of 128, no network takes them, and the device has
done all at its end. Epochs take turns over the augmentations; printed are medians over rounds, less that without
augmentation, and what they come to in an epoch of 50,000 images. On the CPU the time is that of the processor, which
others on the machine do not add to; on a GPU it is that of the clock.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torchvision

from samcli.data import DATASETS, Classification, Dataset, DatasetKind, Source, load
from samcli.data.augment import AUGMENTATIONS

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--images", type=int, default=5000)
parser.add_argument("--side", type=int, default=32)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--device", default="cpu")
ARGUMENTS = parser.parse_args()


@DATASETS.register("noise")
@dataclass(frozen=True, kw_only=True)
class Noise(DatasetKind):
    """Random images."""

    title: ClassVar[str] = "noise"

    def source(self, data_dir: Path) -> Source:
        side, n = ARGUMENTS.side, ARGUMENTS.images
        generator = torch.Generator().manual_seed(0)
        images, tests = (
            torch.randint(256, (number, side, side, 3), dtype=torch.uint8, generator=generator) for number in (n, 100)
        )
        return Source(images, torch.arange(n) % 10, tests, torch.arange(100) % 10, Classification(10))


def seconds(dataset: Dataset, epoch: int) -> float:
    """The time of an epoch."""
    clock = time.process_time if ARGUMENTS.device == "cpu" else time.perf_counter
    begun = clock()
    total = torch.zeros((), device=ARGUMENTS.device)
    for x, _ in dataset.epoch(epoch, 128, 0):
        total += x[0, 0, 0, 0]
    total.item()
    return clock() - begun


def main() -> None:
    """Time all of them in turn."""
    torch.set_num_threads(ARGUMENTS.threads)
    cases = [(), *((name,) for name in AUGMENTATIONS)]
    loaded = {case: load(Noise(augment=case), seed=0, data_dir=Path(), device=ARGUMENTS.device) for case in cases}
    found: dict[tuple[str, ...], list[float]] = {case: [] for case in cases}
    for dataset in loaded.values():
        seconds(dataset, 0)
    for number in range(ARGUMENTS.rounds):
        for case, dataset in loaded.items():
            found[case].append(seconds(dataset, number + 1))
    medians = {case: statistics.median(times) for case, times in found.items()}
    device = torch.cuda.get_device_name() if ARGUMENTS.device == "cuda" else f"{ARGUMENTS.threads} thread(s)"
    print(
        f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, torch {torch.__version__}, torchvision "
        f"{torchvision.__version__}, {device}; {ARGUMENTS.side}×{ARGUMENTS.side}, without any "
        f"{medians[()] / ARGUMENTS.images * 1e6:.1f} µs an image"
    )
    print(f"{'':20}{'µs an image':>12}{'s in 50,000':>13}")
    for (name,) in cases[1:]:
        more = (medians[(name,)] - medians[()]) / ARGUMENTS.images
        print(f"{name:20}{more * 1e6:12.1f}{more * 50_000:13.1f}")


if __name__ == "__main__":
    main()
