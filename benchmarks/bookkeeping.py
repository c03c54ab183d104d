"""What the engine's bookkeeping costs: the share of a ResNet-18 training step that is not forward, backward or update.

    python benchmarks/bookkeeping.py [--variant sam] [--batch 32] [--rounds 15] [--threads 2]

The engine is driven with a closure that only hands out gradients computed before. Such a step, less the base
optimizer's own step with as many of these closures, is norms, perturbation, copies, buffers and random states: the
bookkeeping. Steps of both kinds and real training steps alternate; the medians are printed, and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

import samcli.optim
from samcli import models


def seconds(run: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variant", default="sam")
    parser.add_argument("--model", default="resnet18")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    torch.manual_seed(0)
    model = models.build(arguments.model, shape=(3, 32, 32), outputs=10).to(memory_format=torch.channels_last)
    x = torch.randn(arguments.batch, 3, 32, 32).to(memory_format=torch.channels_last)
    y = torch.randint(10, (arguments.batch,))
    real = samcli.optim.Batch(model, nn.functional.cross_entropy, x, y, indices=torch.arange(arguments.batch))
    real()
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    calls = 0

    def handed_out() -> Tensor:
        nonlocal calls
        calls += 1
        for p, g in zip(model.parameters(), gradients, strict=True):
            p.grad = g.clone()
        return torch.zeros(())

    base = samcli.optim.BASES.create("sgd", lr=1e-4).build(model.parameters())
    optimizer = samcli.optim.build(arguments.variant, base, model=model)

    def plain_step(passes: int) -> None:
        for _ in range(passes):
            handed_out()
        base.step()

    optimizer.step(handed_out)
    passes = calls
    optimizer.step(real)
    times: dict[str, list[float]] = {"step": [], "engine": [], "base": []}
    for _ in range(arguments.rounds):
        times["step"].append(seconds(lambda: optimizer.step(real)))
        times["engine"].append(seconds(lambda: optimizer.step(handed_out)))
        times["base"].append(seconds(lambda: plain_step(passes)))
    medians = {name: 1000 * statistics.median(values) for name, values in times.items()}
    bookkeeping = medians["engine"] - medians["base"]
    setting = f"{arguments.variant}, {arguments.model}, batch {arguments.batch}, {torch.get_num_threads()} threads"
    print(f"{setting}, torch {torch.__version__}")
    share = bookkeeping / medians["step"]
    print(f"training step {medians['step']:.1f} ms, bookkeeping {bookkeeping:.2f} ms: {share:.1%}")


if __name__ == "__main__":
    main()
