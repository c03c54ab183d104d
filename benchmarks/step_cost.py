"""What a step of a rule costs in steps of SGD, in single precision and in bfloat16, alone and beside a busy process.

    python benchmarks/step_cost.py [--model resnet20] [--optimizers sgd,sam] [--steps 12] [--threads 2]

All optimizers take turns, step by step, in one process, each with its own network, on one batch of random images that
lies ready: so the speed of the machine, as it drifts, is common to all of them. Printed are medians over the steps, and
their ratios to SGD's. Then the same once more beside a process that does nothing but keep one core busy, as a shared
machine may: steps of several threads wait for the slowest of them, the more often the shorter their operations are.

bfloat16 is left out where the processor has no instructions for it.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import nn
from torch.optim import Optimizer

from samcli import models, optim
from samcli.allocator import keep_freed_memory
from samcli.train.device import computes_bf16

Precision = Callable[[], AbstractContextManager[object]]
WARM_UP = 3


class Arm:
    """A network and its optimizer."""

    def __init__(self, model: str, name: str) -> None:
        torch.manual_seed(0)
        network = models.build(model, shape=(3, 32, 32), outputs=10)
        self.model = network.to(memory_format=torch.channels_last)
        base = optim.BASES.create("sgd", lr=1e-3).build(self.model.parameters())
        self.optimizer: Optimizer = base if name == "sgd" else optim.build(name, base, model=self.model)

    def seconds(self, inputs: torch.Tensor, targets: torch.Tensor, precision: Precision) -> float:
        """The time of one step."""
        batch = optim.Batch(
            self.model,
            nn.functional.cross_entropy,
            inputs,
            targets,
            indices=torch.arange(len(targets)),
            precision=precision,
        )
        start = time.perf_counter()
        optim.take_step(self.optimizer, batch)
        return time.perf_counter() - start


def medians(arms: dict[str, Arm], batch: tuple[torch.Tensor, torch.Tensor], precision: Precision, steps: int) -> str:
    """A row of times in milliseconds, and their ratios to the first."""
    times: dict[str, list[float]] = {name: [] for name in arms}
    for step in range(WARM_UP + steps):
        for name, arm in arms.items():
            seconds = arm.seconds(*batch, precision)
            if step >= WARM_UP:
                times[name].append(1000 * seconds)
    found = {name: statistics.median(values) for name, values in times.items()}
    first = next(iter(found.values()))
    return " | ".join(f"{name} {value:.0f} ms, {value / first:.2f}" for name, value in found.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--optimizers", default="sgd,sam")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    keep_freed_memory()
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(arguments.batch, 3, 32, 32, generator=generator).to(memory_format=torch.channels_last)
    batch = (inputs, torch.randint(10, (arguments.batch,), generator=generator))
    arms = {name: Arm(arguments.model, name) for name in arguments.optimizers.split(",")}
    precisions: dict[str, Precision] = {"fp32": nullcontext}
    if computes_bf16(torch.device("cpu")):
        precisions["bf16"] = partial(torch.autocast, "cpu", torch.bfloat16)
    print(f"{arguments.model}, batch {arguments.batch}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for name, precision in precisions.items():
        print(f"{name}, alone:               {medians(arms, batch, precision, arguments.steps)}", flush=True)
        busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            print(f"{name}, beside a busy core:  {medians(arms, batch, precision, arguments.steps)}", flush=True)
        finally:
            busy.kill()
            busy.wait()


if __name__ == "__main__":
    main()
