"""What attacks cost, beside the passes that they are made of and beside torchattacks.

    python benchmarks/robustness.py [--model resnet20] [--images 1000] [--batch-size 250] [--rounds 5] [--device cpu]

A network of random weights is attacked on images of 3×32×32 of noise, all of which it is right about: their targets are
its predictions. The radius is tiny, so that no image falls and every attack makes all of its passes; with images that
fall, `samcli.robustness` makes fewer. These arms take turns:

- passes: what the attack cannot do without: 1 forward and backward pass and 1 forward pass of all images for FGSM, 10
  and 1 for PGD-10, with gradients in the inputs alone; no arithmetic around them;
- samcli: `samcli.robustness.measure` with `fgsm`, and `pgd` with 10 steps. It also finds the clean accuracy, one
  forward pass, and ends `pgd` with the one-step point, another forward and backward and a forward pass;
- torchattacks: `FGSM` and `PGD(steps=10)`, and a forward pass for the accuracy (pip install --no-deps torchattacks).

Medians of the seconds over rounds, and their ratios to `passes`.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import date

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samcli import robustness
from samcli.models import MODELS
from samcli.robustness import Pixels
from samcli.shape import InputShape
from samcli.tasks import Classification

EPS = 1e-8
STEPS = {"fgsm": 1, "pgd": 10}


def passes(model: nn.Module, batches: list[tuple[Tensor, Tensor]], steps: int) -> None:
    """Forward and backward passes in the inputs, and a forward pass at the end."""
    for inputs, targets in batches:
        here = inputs.detach().requires_grad_()
        for _ in range(steps):
            torch.autograd.grad(F.cross_entropy(model(here), targets), here)
        with torch.no_grad():
            (model(inputs).argmax(1) == targets).sum().item()


def ours(model: nn.Module, batches: list[tuple[Tensor, Tensor]], test: str) -> None:
    """The attack as samcli makes it."""
    parameters = {"steps": STEPS[test]} if test == "pgd" else {}
    (found,) = robustness.measure(
        model, Classification(10), batches, test, pixels=Pixels.of((0.0,), (1.0,)), eps=EPS, **parameters
    ).values()
    assert found.value == 1.0


def theirs(model: nn.Module, batches: list[tuple[Tensor, Tensor]], test: str) -> None:
    """The attack as torchattacks makes it."""
    import torchattacks

    made = {
        "fgsm": lambda: torchattacks.FGSM(model, eps=EPS),
        "pgd": lambda: torchattacks.PGD(model, eps=EPS, alpha=EPS / 4, steps=10),
    }[test]()
    for inputs, targets in batches:
        attacked = made(inputs, targets)
        with torch.no_grad():
            (model(attacked).argmax(1) == targets).sum().item()


def timed(run: Callable[[], None], device: torch.device) -> float:
    """Seconds until all is done."""
    if device.type == "cuda":
        torch.cuda.synchronize()
    begun = time.perf_counter()
    run()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="resnet20")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=250)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    device = torch.device(arguments.device)
    model = MODELS.create(arguments.model).build(InputShape((3, 32, 32)), 10).to(device).eval()
    images = torch.rand(arguments.images, 3, 32, 32, device=device)
    with torch.no_grad():
        targets = torch.cat([model(part).argmax(1) for part in images.split(arguments.batch_size)])
    batches = list(zip(images.split(arguments.batch_size), targets.split(arguments.batch_size), strict=True))
    arms: dict[str, Callable[[str], None]] = {
        "passes": lambda test: passes(model, batches, STEPS[test]),
        "samcli": lambda test: ours(model, batches, test),
    }
    try:
        import torchattacks
    except ImportError:
        versions = "without torchattacks"
    else:
        versions = f"torchattacks {torchattacks.__version__}"
        arms["torchattacks"] = lambda test: theirs(model, batches, test)
    seconds: dict[tuple[str, str], list[float]] = {(test, arm): [] for test in STEPS for arm in arms}
    for number in range(arguments.rounds + 1):  # the first warms up
        for test in STEPS:
            for arm, run in arms.items():
                taken = timed(lambda run=run, test=test: run(test), device)  # type: ignore[misc]
                if number:
                    seconds[test, arm].append(taken)
    print(
        f"{date.today()}, torch {torch.__version__}, {versions}, {device}, {arguments.threads} threads, "
        f"{arguments.model}, {arguments.images} images in batches of {arguments.batch_size}"
    )
    print(f"{'':8s}{'arm':14s}{'seconds':>9s}{'ratio':>8s}")
    for test in STEPS:
        least = statistics.median(seconds[test, "passes"])
        for arm in arms:
            median = statistics.median(seconds[test, arm])
            print(f"{test:8s}{arm:14s}{median:9.3f}{median / least:8.2f}")


if __name__ == "__main__":
    main()
