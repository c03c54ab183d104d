"""What a measurement of sharpness costs: seconds, Hessian-vector products and memory, beside PyHessian and curvlinops.

    python benchmarks/sharpness.py --data-dir data [--part eigenvalue,trace,sharing,examples,memory]
    python benchmarks/sharpness.py --data-dir data --part eigenvalue --model resnet20 --examples 256 --rounds 3

The two other tools are optional: `pip install curvlinops-for-pytorch==3.0.1 pyhessian==0.1`; arms of what is not
installed are left out, and a line says so. All arms of a comparison measure the same trained network on the same
examples in single precision and evaluation mode, and take turns; round r has the random starts of seed r. Each part
trains its network anew for `--epochs` epochs on 2000 images: `cnn` on Fashion-MNIST, `resnet20` (with BatchNorm) on
CIFAR-10, as in `train_speed.py`.

- eigenvalue: λ_max at the tolerance 1e-3. It stands for different things: for samcli and eigsh it bounds the residual
  ‖Hx - λx‖ / λ, for PyHessian the change of λ in the last step of its power iteration. So the table has the error
  made, too, against 40 steps of Lanczos. PyHessian has two forms: given one batch it keeps the graph of the gradient
  between products, given a loader it does not. eigsh has its default of 20 basis vectors, and 4.
- trace: relative errors for a number of products, root mean squares over the rounds, of Hutch++ as `trace` has it. The
  exact trace is that of the Gauss-Newton matrix, which for these networks is the Hessian's, summed over examples and
  classes. "Hutchinson needs" is the square of the spread of single probes over that of the reported standard error.
- sharing: products of several measures alone and together.
- examples: seconds of a product for more and more examples, in batches of 500.
- memory: peak resident memory above what model and data need, each number from a process of its own.

Times are CPU seconds of this process, which other processes on the machine disturb less than those of a clock on the
wall. On more than one thread they add up what all threads do.
"""

from __future__ import annotations

import argparse
import functools
import gc
import importlib.util
import math
import multiprocessing
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn
from train_speed import image_data, names, print_table, say

from samcli import data, models
from samcli.data import DATASETS
from samcli.sharpness import MEASURES, Problem, Result
from samcli.sharpness.measures.trace import LARGEST_SPACE

PARTS = ("eigenvalue", "trace", "sharing", "examples", "memory")
MODELS = ("cnn", "resnet20")
IMAGES, BATCH = 2000, 500
TOLERANCE = 1e-3
LOSS = nn.CrossEntropyLoss()

Batches = list[tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Trained:
    """A trained network in evaluation mode, and examples."""

    name: str
    model: nn.Module
    inputs: Tensor
    targets: Tensor

    def batches(self, examples: int, size: int = BATCH) -> Batches:
        """The first examples."""
        x, y = self.inputs[:examples], self.targets[:examples]
        return list(zip(x.split(size), y.split(size), strict=True))

    def problem(self, batches: Batches, seed: int) -> Problem:
        """Fresh: nothing has been computed for others."""
        return Problem(self.model, LOSS, batches, seed)


def train(name: str, data_dir: Path, epochs: int, examples: int) -> Trained:
    """By SGD with momentum; the examples are training images without augmentation."""
    with tempfile.TemporaryDirectory() as folder:
        kind = "fashion-mnist" if name == "cnn" else image_data(data_dir, max(IMAGES, examples), Path(folder))
        part = data.load(DATASETS.create(kind), seed=0, data_dir=data_dir, device="cpu").train
    chosen = part.subset(max(IMAGES, examples), seed=0)
    inputs, targets = next(iter(chosen.batches(len(chosen))))
    torch.manual_seed(0)
    model = models.build(name, shape=tuple(inputs.shape[1:]), outputs=10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    for _ in range(epochs):
        for indices in torch.randperm(IMAGES).split(128):
            optimizer.zero_grad()
            LOSS(model(inputs[indices]), targets[indices]).backward()
            optimizer.step()
    optimizer.zero_grad()
    update_bn(inputs[:IMAGES].split(BATCH), model)  # after few steps the running statistics are still far behind
    model.eval()
    with torch.no_grad():
        loss = float(LOSS(model(inputs[:examples]), targets[:examples]))
    say(f"{name}: {epochs} epochs, {sum(p.numel() for p in model.parameters())} parameters, loss {loss:.3f}")
    return Trained(name, model, inputs, targets)


def installed(package: str) -> bool:
    """Whether arms of this package can run; says so if not."""
    found = importlib.util.find_spec(package) is not None
    if not found:
        say(f"{package} is not installed: its arms are left out")
    return found


def quieten() -> None:
    """No warnings: both tools raise some with every use."""
    warnings.simplefilter("ignore")


def seconds(run: Callable[[], Any]) -> tuple[float, Any]:
    """CPU time of one call, and what it returns."""
    gc.collect()  # PyHessian leaves cycles of graphs behind
    start = time.process_time()
    result = run()
    return time.process_time() - start, result


def root_mean_square(values: Iterable[float]) -> float:
    """(mean of squares)^½."""
    return math.sqrt(statistics.fmean(value * value for value in values))


# The largest eigenvalue ---------------------------------------------------------------------------------------------

Arm = Callable[[Trained, Batches, int], tuple[float, int]]  # network, batches, seed: the value and the products


def samcli_arm(trained: Trained, batches: Batches, seed: int) -> tuple[float, int]:
    problem = trained.problem(batches, seed)
    found = MEASURES.create("lambda-max", tolerance=TOLERANCE).of(problem)
    assert found.converged
    return found.value, problem.products


def pyhessian_arm(trained: Trained, batches: Batches, seed: int) -> tuple[float, int]:
    """Of a single batch it keeps the graph of the gradient."""
    from pyhessian import hessian

    torch.manual_seed(seed)
    module = sys.modules[hessian.__module__]
    kept = mock.patch.object(module, "hessian_vector_product", wraps=module.hessian_vector_product)
    built = mock.patch.object(
        hessian, "dataloader_hv_product", autospec=True, side_effect=hessian.dataloader_hv_product
    )
    with kept as one, built as many:
        source = {"data": batches[0]} if len(batches) == 1 else {"dataloader": batches}
        values, _ = hessian(trained.model, LOSS, **source, cuda=False).eigenvalues(tol=TOLERANCE)
    trained.model.zero_grad()  # else the next one adds to these gradients
    return values[0], one.call_count + many.call_count


def curvlinops_arm(trained: Trained, batches: Batches, seed: int, ncv: int | None = None) -> tuple[float, int]:
    from curvlinops import HessianLinearOperator
    from scipy.sparse.linalg import LinearOperator, eigsh

    parameters = list(trained.model.parameters())
    hessian = HessianLinearOperator(trained.model, LOSS, parameters, batches, check_deterministic=False).to_scipy()
    times = mock.Mock(side_effect=hessian.matvec)
    counted = LinearOperator(hessian.shape, matvec=times, dtype=hessian.dtype)
    start = np.random.default_rng(seed).standard_normal(hessian.shape[0]).astype(hessian.dtype)
    found = eigsh(counted, k=1, which="LA", tol=TOLERANCE, ncv=ncv, v0=start, return_eigenvectors=False)
    return float(found[0]), times.call_count


def eigenvalue(trained: Trained, options: argparse.Namespace) -> None:
    """Prints a row for each arm: medians over the rounds, and the largest error."""
    batches = trained.batches(options.examples, -(-options.examples // 2))
    whole = [(trained.inputs[: options.examples], trained.targets[: options.examples])]
    arms: dict[str, tuple[Arm, Batches]] = {
        "samcli": (samcli_arm, batches),
        "samcli, one batch": (samcli_arm, whole),
    }
    if installed("pyhessian"):
        arms |= {"PyHessian": (pyhessian_arm, batches), "PyHessian, one batch": (pyhessian_arm, whole)}
    if installed("curvlinops"):
        arms |= {
            "curvlinops, eigsh": (curvlinops_arm, batches),
            "curvlinops, eigsh(ncv=4)": (functools.partial(curvlinops_arm, ncv=4), batches),
        }
    exact = MEASURES.create("spectral-density", lanczos_steps=40).of(trained.problem(batches, seed=options.rounds))
    reference = max(exact.details["nodes"])
    times: dict[str, list[float]] = {name: [] for name in arms}
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in arms}
    for seed in range(options.rounds):
        for name, (arm, given) in arms.items():
            took, result = seconds(functools.partial(arm, trained, given, seed))
            times[name].append(took)
            found[name].append(result)
        say(f"{trained.name}, eigenvalue: round {seed + 1} of {options.rounds}")
    own = statistics.median(times["samcli"])
    body = []
    for name in arms:
        median = statistics.median(times[name])
        products = [products for _, products in found[name]]
        error = max(abs(value / reference - 1) for value, _ in found[name])
        counts = f"{statistics.median(products):g} ({min(products)} to {max(products)})"
        body.append([name, f"{median:.2f}", counts, f"{median / own:.2f}", f"{error:.1e}"])
    print(f"\n{trained.name}, {options.examples} examples, λ_max = {reference:.4f}, {options.rounds} rounds\n")
    print_table(["arm", "seconds", "products", "÷ samcli", "largest error"], body)


# The trace ----------------------------------------------------------------------------------------------------------


def exact_trace(trained: Trained, batches: Batches) -> float:
    """The mean of Σ_c p_c ‖∇ log p_c‖² over examples: tr H of a network that is piecewise linear in each weight."""
    parameters = {name: parameter.detach() for name, parameter in trained.model.named_parameters()}
    buffers = dict(trained.model.named_buffers())

    def log_probabilities(given: dict[str, Tensor], x: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(trained.model, (given, buffers), (x.unsqueeze(0),))
        return output.squeeze(0).log_softmax(0)

    def of_example(x: Tensor) -> Tensor:
        logs, pull = torch.func.vjp(lambda given: log_probabilities(given, x), parameters)
        gradients = torch.func.vmap(pull)(torch.eye(len(logs)))[0]
        return logs.exp() @ torch.stack([g.flatten(1).square().sum(1) for g in gradients.values()]).sum(0)

    examples = [x for inputs, _ in batches for x in inputs]
    return statistics.fmean(float(of_example(x)) for x in examples)


def trace(trained: Trained, options: argparse.Namespace) -> None:
    """Prints a row for each number of products."""
    batches = trained.batches(options.trace_examples)
    exact = exact_trace(trained, batches)
    counts, rounds = (30, 60, 120), range(options.trace_rounds)
    found: dict[int, list[Result]] = {count: [] for count in counts}
    spreads = []  # of a single probe, in each round
    for seed in rounds:
        problem = trained.problem(batches, seed)
        few = {"max_products": counts[1], "stderr_below": 1e-9}
        probes = MEASURES.create("trace", method="hutchinson", **few).of(problem)
        assert probes.stderr is not None
        spreads.append(probes.stderr * math.sqrt(probes.details["probes"]) / exact)
        for count in counts:
            few["max_products"] = count
            found[count].append(MEASURES.create("trace", **few).of(problem))
        say(f"{trained.name}, trace: round {seed + 1} of {len(rounds)}")
    spread = root_mean_square(spreads)
    body = []
    for count in counts:
        error = root_mean_square(result.value / exact - 1 for result in found[count])
        stderr = root_mean_square((result.stderr or math.nan) / exact for result in found[count])
        needs = (spread / stderr) ** 2
        row = [f"{spread / math.sqrt(count):.2%}", f"{stderr:.2%}", f"{error:.2%}", f"{needs:.0f}"]
        body.append([str(count), *row, f"{needs / count:.1f}"])
    print(f"\n{trained.name}, {options.trace_examples} examples, tr H = {exact:.3f}, {len(rounds)} rounds\n")
    header = ["products", "Hutchinson's error", "standard error", "error", "Hutchinson needs", "÷ products"]
    print_table(header, body)


# Products shared, and examples --------------------------------------------------------------------------------------


def sharing(trained: Trained, options: argparse.Namespace) -> None:
    """Prints the products of each measure alone, of those of eigenvalues together, and of all together."""
    batches = trained.batches(options.trace_examples)
    spectral = ["lambda-max", "top-eigenvalues", "spectral-density"]
    rest = ["lambda-min", "trace", "frobenius"]

    def products(chosen: Sequence[str]) -> int:
        problem = trained.problem(batches, seed=0)
        for name in chosen:
            MEASURES.create(name).of(problem)
        return problem.products

    alone = {name: products([name]) for name in (*spectral, *rest)}
    body = [[name, str(count), ""] for name, count in alone.items()]
    for chosen in (spectral, [*spectral, *rest]):
        separate = sum(alone[name] for name in chosen)
        body.append([", ".join(chosen), str(separate), str(products(chosen))])
    print(f"\n{trained.name}: products\n")
    print_table(["measures", "separately", "together"], body)


def examples(trained: Trained, options: argparse.Namespace) -> None:
    """Prints the time of a product by the number of examples."""
    sizes = (500, 1000, 2000, 4000)
    times: dict[int, list[float]] = {size: [] for size in sizes}
    for number in range(options.rounds):
        for size in sizes:
            problem = trained.problem(trained.batches(size), number)
            vector = torch.randn(problem.dimension, generator=torch.Generator().manual_seed(number))
            times[size].append(seconds(functools.partial(problem.hessian_times, vector))[0])
        say(f"{trained.name}, examples: round {number + 1} of {options.rounds}")
    medians = {size: statistics.median(times[size]) for size in sizes}
    body = [
        [str(size), f"{took:.2f}", f"{1000 * took / size:.2f}", f"{took / medians[sizes[0]] * sizes[0] / size:.2f}"]
        for size, took in medians.items()
    ]
    print(f"\n{trained.name}: one product\n")
    print_table(["examples", "seconds", "ms per example", "÷ that of 500"], body)


# Memory -------------------------------------------------------------------------------------------------------------


def status(field: str) -> int:
    """Bytes of memory of this process: VmRSS now, VmHWM at most so far.

    Not `getrusage`, whose maximum starts from that of the parent.
    """
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))


def peak(tool: str, probes: int, batches: Batches) -> int:
    """Bytes above those of model and data while a trace is measured, in a process that does nothing else."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = models.build("cnn", shape=tuple(batches[0][0].shape[1:]), outputs=10).eval()
    if tool == "curvlinops":
        from curvlinops import HessianLinearOperator, hutchinson_trace

        parameters = list(model.parameters())
        hessian = HessianLinearOperator(model, LOSS, parameters, batches, check_deterministic=False)
        start = status("VmRSS")
        hutchinson_trace(hessian, num_matvecs=probes)
    else:
        problem, start = Problem(model, LOSS, batches, seed=0), status("VmRSS")
        products = probes if tool == "hutchinson" else probes + min(probes // 2, LARGEST_SPACE)
        measure = MEASURES.create("trace", method=tool, max_products=products, stderr_below=1e-9)
        assert measure.of(problem).details["probes"] == probes
    return status("VmHWM") - start


def memory(trained: Trained, options: argparse.Namespace) -> None:
    """Prints a row for each way of taking a trace."""
    batches, counts = trained.batches(options.memory_examples), (8, 32, 128)
    tools = {"hutchinson": "samcli, hutchinson", "hutch++": "samcli, hutch++"}
    if installed("curvlinops"):
        tools["curvlinops"] = "curvlinops, hutchinson_trace"
    body = []
    for tool, title in tools.items():
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1, initializer=quieten) as fresh:
            found = [fresh.submit(peak, tool, count, batches).result() for count in counts]
        body.append([title, *(f"{number / 2**20:.0f} MiB" for number in found)])
    print(f"\ncnn, {options.memory_examples} examples: memory of a trace, by the number of probes\n")
    print_table(["", *map(str, counts)], body)


# Command line -------------------------------------------------------------------------------------------------------


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path("data"))
    parser.add_argument("--part", type=names, default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--model", type=names, default=["cnn"], help=f"{', '.join(MODELS)}; memory has cnn only")
    parser.add_argument("--examples", type=int, default=1000, help="of λ_max")
    parser.add_argument("--trace-examples", type=int, default=100, help="of trace and sharing")
    parser.add_argument("--memory-examples", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=5, help="of training")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trace-rounds", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if unknown := (set(options.part) - set(PARTS)) | (set(options.model) - set(MODELS)):
        parser.error(f"no part or model {min(unknown)} here; there are {', '.join((*PARTS, *MODELS))}")
    return options


def main() -> None:
    """Measure and print."""
    options = parse()
    quieten()
    torch.set_num_threads(options.threads)
    parts = {"eigenvalue": eigenvalue, "trace": trace, "sharing": sharing, "examples": examples, "memory": memory}
    needed = max(4000 if "examples" in options.part else 0, options.examples, options.trace_examples)
    for name in options.model:
        trained = train(name, options.data_dir.resolve(), options.epochs, needed)
        for part in options.part:
            parts[part](trained, options)


if __name__ == "__main__":
    main()
