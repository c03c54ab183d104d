"""Traces and norms from random probes: unbiased, intervals that hold, and better than probes alone."""

import math
from collections.abc import Callable

import pytest
import torch
from scipy import stats
from torch import Tensor

from samcli.sharpness.spectrum.lanczos import Lanczos
from samcli.sharpness.spectrum.probes import Mean, Probe, Probes

DIMENSION = 80
DECAYING = [100.0 / (i + 1) ** 2 for i in range(DIMENSION)]
INDEFINITE = [100.0 / (i + 1) ** 2 * (-1.0 if i % 3 == 1 else 1.0) for i in range(DIMENSION)]
FLAT = [1.0 + 0.01 * i for i in range(DIMENSION)]


def matrix(eigenvalues: list[float]) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    q, _ = torch.linalg.qr(torch.randn(len(eigenvalues), len(eigenvalues), generator=generator, dtype=torch.float64))
    return (q * torch.tensor(eigenvalues, dtype=torch.float64)) @ q.T


def probes(a: Tensor, rank: int, seed: int) -> Probes:
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn(len(a), generator=generator, dtype=a.dtype)
    return Probes(Lanczos(a.mv, start), rank, generator)


def form(probe: Probe) -> float:
    return probe.form


def square(probe: Probe) -> float:
    return probe.square


def never(mean: Mean) -> bool:
    return False


def within(share: float) -> Callable[[Mean], bool]:
    return lambda mean: mean.stderr is not None and mean.stderr <= share * abs(mean.value)


@pytest.mark.parametrize("pick", [form, square])
@pytest.mark.parametrize(
    ("rank", "eigenvalues", "stop"),
    [(0, FLAT, never), (0, INDEFINITE, within(0.1)), (10, INDEFINITE, never), (10, DECAYING, within(0.01))],
)
def test_interval_holds_the_truth(
    pick: Callable[[Probe], float], rank: int, eigenvalues: list[float], stop: Callable[[Mean], bool]
) -> None:
    """Of 100 intervals of 95 %, 88 or fewer hold the truth in one of 400 trials.

    The values of Hutchinson's probes alone on few large eigenvalues are skewed, and an early stop prefers samples with
    small spread; what either takes from the coverage is within these bounds.
    """
    a = matrix(eigenvalues)
    truth = pick(Probe(float(a.trace()), float(a.square().sum())))
    runs = [probes(a, rank, seed).mean(pick, stop, 20) for seed in range(100)]
    assert all(run.stderr is not None and run.stderr > 0 for run in runs)
    held = sum(abs(run.value - truth) <= stats.t.ppf(0.975, run.probes - 1) * run.stderr for run in runs)
    assert 88 <= held <= 100


@pytest.mark.parametrize("pick", [form, square])
@pytest.mark.parametrize("rank", [0, 10])
def test_unbiased(pick: Callable[[Probe], float], rank: int) -> None:
    a = matrix(INDEFINITE)
    truth = pick(Probe(float(a.trace()), float(a.square().sum())))
    values = torch.tensor([probes(a, rank, seed).mean(pick, never, 10).value for seed in range(100)])
    assert abs(float(values.mean()) - truth) <= 3 * float(values.std()) / math.sqrt(100)


def hutch_plus_plus(a: Tensor, products: int, seed: int) -> float:
    """With a random sketch, as Meyer and others (SOSA 2021, algorithm 1) have it."""
    generator = torch.Generator().manual_seed(seed)
    third = products // 3
    sketch, z = (2.0 * torch.randint(2, (len(a), third), generator=generator, dtype=a.dtype) - 1.0 for _ in range(2))
    q, _ = torch.linalg.qr(a @ sketch)
    z = z - q @ (q.T @ z)
    return float((q.T @ a @ q).trace() + (z.T @ a @ z).trace() / third)


def test_at_equal_products_better_than_hutchinson_and_no_worse_than_a_sketch() -> None:
    a, products = matrix(DECAYING), 30
    truth = float(a.trace())

    def rms(estimate: Callable[[int], float]) -> float:
        return math.sqrt(sum((estimate(seed) - truth) ** 2 for seed in range(100)) / 100)

    ours = rms(lambda seed: probes(a, 10, seed).mean(form, never, 20).value)
    assert ours < 0.3 * rms(lambda seed: probes(a, 0, seed).mean(form, never, 30).value)
    assert ours < rms(lambda seed: hutch_plus_plus(a, products, seed))


def test_stops_as_soon_as_the_error_is_small_enough() -> None:
    run = probes(matrix(FLAT), 10, 0)
    found = run.mean(form, within(0.01), 1000)
    assert 10 <= found.probes < 1000
    assert within(0.01)(found)
    assert found == run.mean(form, within(0.01), 1000)  # no new draws
    assert run.mean(form, never, 5).probes == 5  # nor does it matter that there are more


def test_nothing_is_left_for_probes_after_the_whole_space() -> None:
    found = probes(matrix([3.0, 2.0, -1.0]), 3, 0).mean(form, never, 10)
    assert found.value == pytest.approx(4.0, abs=1e-12)
    assert found.stderr == 0.0
    assert found.probes == 0


def test_standard_error_is_that_of_a_mean() -> None:
    seen: dict[float, None] = {}

    def pick(probe: Probe) -> float:
        seen[probe.form] = None
        return probe.form

    found = probes(matrix(FLAT), 0, 0).mean(pick, never, 6)
    values = torch.tensor([value for value in seen if value != 0.0], dtype=torch.float64)  # 0 is of the empty space
    assert len(values) == 6
    assert found.value == pytest.approx(float(values.mean()), rel=1e-12)
    assert found.stderr == pytest.approx(float(values.std()) / math.sqrt(6), rel=1e-12)


def test_a_single_probe_has_no_standard_error() -> None:
    assert probes(matrix(FLAT), 0, 0).mean(form, never, 1).stderr is None
