"""What the host asks of a GPU within an epoch, and how many images a second it trains.

    python benchmarks/device_trace.py [--model resnet18] [--optimizers sgd,sam] [--precision bf16] [--batch 512]

Trains three epochs on synthetic images of 32x32 pixels with crop and flip, then a fourth under torch's profiler.
Printed are the images a second of the second and third epoch, how long the device was busy in the fourth, and how often
the host launched, copied and waited in it: waits that grow with the steps would mean that a step waits.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import torch
from train_speed import names, write_synthetic

from samcli.config import Draft, parse
from samcli.train.catalogue import CATALOGUE
from samcli.train.session import Session

TOLD = ("cudaGraphLaunch", "cudaLaunchKernel", "cudaMemcpyAsync", "cudaStreamSynchronize", "cudaDeviceSynchronize")


def session_of(folder: Path, model: str, optimizer: str, precision: str, batch: int) -> Session:
    """A run on the images of a folder."""
    text = (
        f"{{dataset: {{name: 'image-folder:{folder}', augment: [crop, flip]}}, model: {model}, epochs: 4, "
        f"optimizer: {{name: {optimizer}, lr: 0.05}}, batch_size: {batch}, precision: {precision}}}"
    )
    (config,) = Draft.of(parse(text, "device_trace"), CATALOGUE).expand()
    return Session(config, data_dir=folder, device=torch.device("cuda"))


def main() -> None:
    """Print a paragraph for each optimizer."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--optimizers", type=names, default=["sgd", "sam"])
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--images", type=int, default=51_200)
    options = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}, {options.model}, {options.precision}")
    with tempfile.TemporaryDirectory() as folder:
        for part, number in (("train", options.images // 10), ("test", 50)):
            write_synthetic(Path(folder, part), number)
        for optimizer in options.optimizers:
            session = session_of(Path(folder), options.model, optimizer, options.precision, options.batch)
            rates = [session.train_epoch()["examples_per_second"] or 0.0 for _ in range(3)]
            with torch.profiler.profile() as profile:
                session.train_unmeasured()
            calls = Counter(event.name for event in profile.events())
            busy = sum(e.device_time_total for e in profile.events() if e.device_type == torch.autograd.DeviceType.CUDA)
            print(
                f"\n{optimizer}: {rates[1]:,.0f} and {rates[2]:,.0f} images/s; steps replayed: {session.replay_status}"
            )
            seconds = session.rows[-1]["train_seconds"]
            print(f"  {session.steps_per_epoch} steps traced, device busy for {busy / 1e6:.3f} of {seconds:.3f} s")
            print("  " + ", ".join(f"{name} {calls[name]}" for name in TOLD))


if __name__ == "__main__":
    main()
