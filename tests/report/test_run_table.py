"""The list of runs as a text."""

from pathlib import Path

import pytest

from samcli.report.run_table import run_table, screen
from samcli.runs.listing import Listed
from samcli.runs.owner import Owner

OWNER = Owner("node017", 4711, "unknown", silence=130.0, since="2026-11-26 09:00")
RUNS = [
    Listed(Path("results/grid/digits-cnn-sam-rho0.05-seed0-caf3ea32"), "running", OWNER, 3, 30, 4.0, "test_r2", 0.5),
    Listed(Path("results/grid/digits-cnn-sgd-seed0-caf3ea33"), "failed", reason="No room is left. " * 40),
]


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    table = run_table(RUNS, width=width)
    words = " ".join(table.split())
    assert max(map(len, table.splitlines())) <= max(width, 50)
    for part in ("seed0-caf3ea32", "running", "3/30", "0.5000", "process 4711 on node017", "sign of life 2 min ago"):
        assert part in words
    assert "No room is left." in words


def test_a_line_for_each_run_where_there_is_no_terminal() -> None:
    assert len(run_table(RUNS).splitlines()) == 3


@pytest.mark.parametrize("height", [7, 10, 24])
def test_the_screen_is_not_taller_than_the_terminal(height: int) -> None:
    lines = screen(RUNS[:1] * 50, 60, height).splitlines()
    assert len(lines) <= height
    assert lines[0] == "50 runs: 50 running"
    assert lines[-1].startswith("and ")
    assert screen(RUNS[:1], 60, 24).endswith("sign of life 2 min ago")
