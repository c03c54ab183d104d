"""Results folders of hand-made runs."""

from pathlib import Path

import pytest
from run_folders import SAM, SGD, Block, Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture
def sgd() -> Block:
    return dict(SGD)


@pytest.fixture
def sam() -> Block:
    return dict(SAM)


@pytest.fixture
def noisy(results: Results) -> Results:
    """SGD and SAM at three seeds each, one more of SAM, and a diverged SAM at a large radius."""
    sgd = [(0.70, 0.75, 0.72), (0.69, 0.74, 0.71), (0.71, 0.73, 0.73)]
    sam = [(0.75, 0.80, 0.82), (0.74, 0.84, 0.83), (0.76, 0.81, 0.81), (0.70, 0.90, 0.90)]
    for seed, values in enumerate(sgd):
        results.add(SGD, seed, values, sharpness=0.08)
    for seed, values in enumerate(sam):
        results.add(SAM, seed, values, seconds=2.0, gradients=200, sharpness=0.02)
    results.add({**SAM, "rho": 5.0}, 0, (0.1,), status={"status": "diverged"}, epochs=3)
    return results
