"""How near samcli comes to the machine's limit: its epochs beside bare passes over one batch that lies ready.

    python benchmarks/floor.py --data-dir data [--model cnn,resnet20] [--threads 2] [--rounds 8]

The floor is a loop that does nothing but the arithmetic: forward, backward and a fused SGD step, again and again on
the same batch of 128, in torch's best layout. An epoch of samcli draws an order, gathers, crops, flips and normalises
each batch, sets the learning rate, and adds up losses and hits. Both run in one process and take turns; printed are
the medians over the rounds, in units of the floor's. `cnn` trains on Fashion-MNIST, `resnet20` on images of CIFAR-10's
shape, as in train_speed.py. Both take some ten minutes.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from train_speed import LR, MOMENTUM, WEIGHT_DECAY, image_data, names, print_table

from samcli.allocator import keep_freed_memory

BATCH = 128
EXPERIMENT = """
name: floor
dataset: {{name: "{dataset}", train_examples: {images}, augment: [crop, flip]}}
model: {model}
epochs: 1000
batch_size: {batch}
schedule: constant
sharpness: {{every: 0}}
optimizer: {{name: {optimizer}, lr: {lr}, momentum: {momentum}, weight_decay: {weight_decay}}}
"""


def session_epoch(model: str, optimizer: str, dataset: str, images: int, data_dir: Path) -> Callable[[], float]:
    """Trains an epoch of samcli's each time it is called; returns its `train_seconds`."""
    import torch

    from samcli.config import Draft, parse
    from samcli.train import CATALOGUE
    from samcli.train.session import Session

    text = EXPERIMENT.format(
        dataset=dataset, images=images, model=model, batch=BATCH, optimizer=optimizer,
        lr=LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY,
    )  # fmt: skip
    (config,) = Draft.of(parse(text, "floor.py"), CATALOGUE).expand()
    session = Session(config, data_dir=data_dir, device=torch.device("cpu"))

    def epoch() -> float:
        session.train_unmeasured()
        seconds = session.rows[-1]["train_seconds"]
        assert seconds is not None
        return seconds

    return epoch


def bare_epoch(model: str, shape: tuple[int, ...], steps: int) -> Callable[[], float]:
    """Takes so many bare steps each time it is called; returns the seconds."""
    import torch
    from torch.nn.functional import cross_entropy

    from samcli import models

    network = models.build(model, shape=shape, outputs=10).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=LR, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, fused=True)
    inputs = torch.randn(BATCH, *shape).to(memory_format=torch.channels_last)
    targets = torch.randint(10, (BATCH,))

    def epoch() -> float:
        start = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            cross_entropy(network(inputs), targets).backward()
            optimizer.step()
        return time.perf_counter() - start

    return epoch


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--model", type=names, default=["cnn", "resnet20"], help="cnn, resnet20, resnet18")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=40, help="of an epoch")
    parser.add_argument("--rounds", type=int, default=8)
    options = parser.parse_args()
    keep_freed_memory()

    import torch

    torch.set_num_threads(options.threads)
    rows = []
    for model in options.model:
        with tempfile.TemporaryDirectory() as folder:
            images = options.steps * BATCH
            dataset = (
                "fashion-mnist" if model == "cnn" else image_data(options.data_dir.resolve(), images, Path(folder))
            )
            shape = (1, 28, 28) if model == "cnn" else (3, 32, 32)
            arms = {"bare": bare_epoch(model, shape, options.steps)}
            arms |= {o: session_epoch(model, o, dataset, images, options.data_dir) for o in ("sgd", "sam", "msam")}
            seconds: dict[str, list[float]] = {name: [] for name in arms}
            for turn in range(1 + options.rounds):
                for name, epoch in arms.items():
                    spent = epoch()
                    if turn:  # the first warms up
                        seconds[name].append(spent)
        medians = {name: statistics.median(found) for name, found in seconds.items()}
        ratios = [f"{medians[name] / medians['bare']:.3f}" for name in arms if name != "bare"]
        rows.append([model, str(options.threads), f"{1e3 * medians['bare'] / options.steps:.1f} ms", *ratios])
    print_table(["model", "threads", "bare step", "sgd ÷ bare", "sam ÷ bare", "msam ÷ bare"], rows)


if __name__ == "__main__":
    main()
