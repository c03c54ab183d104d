"""Processes that share every batch: equal to one another bit for bit, and to one process up to rounding."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from rank_trials import CASES, EXAMPLES, SIZES

from samcli.errors import ConfigError
from samcli.optim import VARIANTS, Ranks

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")

CALL = "from rank_trials import main; main()"
TOLERANCE = 1e-11  # absolute, in float64, of weights and losses of the size 1


def trials(folder: Path, size: int, *names: str) -> list[dict[str, dict[str, Any]]]:
    """What each of several processes found, see `rank_trials`."""
    environment = {
        **os.environ,
        "GLOO_SOCKET_IFNAME": "lo0" if sys.platform == "darwin" else "lo",
        "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path),
    }
    results = [folder / f"{rank}.json" for rank in range(size)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CALL, str(rank), str(size), str(folder / "store"), str(result), *names],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank, result in enumerate(results)
    ]
    errors = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * size, errors
    return [json.loads(result.read_text()) for result in results]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Any]]]:
    return trials(tmp_path_factory.mktemp("two"), 2)


@pytest.mark.parametrize("name", CASES)
def test_two_processes_equal_one(name: str, two: list[dict[str, dict[str, Any]]]):
    first, second = (found[name] for found in two)
    assert "error" not in first, first["error"]
    assert first["moved"] > 1e-3
    assert first["distance"] < TOLERANCE
    assert first["digest"] == second["digest"]
    assert first["skipped"] == second["skipped"] == (2 if "not finite" in name else 0)


def test_three_processes_with_shares_of_other_sizes(tmp_path: Path) -> None:
    names = ["sam", "sam, BatchNorm", "sam, m", "sam, accumulate", "esam", "sam, a branch that few examples take"]
    found = trials(tmp_path, 3, *names)
    for name in names:
        assert "error" not in found[0][name], found[0][name]["error"]
        assert max(one[name]["distance"] for one in found) < TOLERANCE
        assert len({one[name]["digest"] for one in found}) == 1


def test_a_training_set_is_passed_once_by_all_together(two: list[dict[str, dict[str, Any]]]) -> None:
    """In each step each of its seven parts of 9 examples at most is one more pass to add up."""
    plain, whole = (two[0][name]["messages"] for name in ("n-sam", "n-sam, training set"))
    assert whole >= plain + 2 * len(SIZES) * math.ceil(EXAMPLES / 9)


def test_micro_batches_are_taken_apart_where_the_rule_keeps_nothing_of_them(two: list[dict[str, dict[str, Any]]]):
    """Two or three messages for each step instead of one or two for each pass of each micro-batch."""
    apart, together = (two[0][name]["messages"] for name in ("sam, m", "friendly-sam, m"))
    assert apart < together / 2


def test_sparse_gradients_are_refused() -> None:
    model = torch.nn.Embedding(3, 2, sparse=True)
    model(torch.tensor([0])).sum().backward()
    with pytest.raises(ConfigError, match="set sparse=False"):
        Ranks(0, 2).sum_pass(model, torch.zeros(()), 4)


def test_the_page_says_which_rules_take_micro_batches_apart() -> None:
    page = (Path(__file__).parents[2] / "docs/distributed.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `sam")]
    rows += [line.split("|")[1:3] for line in page.splitlines() if line.startswith("| `friendly-sam")]
    told = {name: what.split()[0].strip(":,") for names, what in rows for name in re.findall("`([a-z-]+)`", names)}
    assert set(told) == set(VARIANTS)
    for name, what in told.items():
        apart = "parts_apart" in vars(VARIANTS.kind(name))
        assert what == ("apart" if apart else "takes" if name in ("sampa", "n-sam") else "in"), name
