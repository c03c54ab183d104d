"""What runs cost: passes are exact, and seconds come from the clock that was disturbed less."""

import pytest
from run_folders import Block, Results

from samcli.report import compare, render
from samcli.report.timing import Timing, cost, timing


def _run(gradients: float, wall: list[float], cpu: list[float]) -> Timing:
    return Timing((gradients,) * max(len(wall), len(cpu)), tuple(wall), tuple(cpu))


def test_a_loaded_machine_disturbs_the_wall_clock_alone() -> None:
    """SAM of two passes, of which the machine was busy elsewhere: 18 times by the wall, 2.0 by CPU seconds."""
    sgd, sam = _run(100, [1.0, 1.0, 1.1], [1.0, 1.0, 1.0]), _run(200, [18.0, 60.0, 12.0], [2.0, 2.0, 2.0])
    found = cost([sam], [sgd])
    assert found is not None
    assert (found.ratio, found.clock) == (2.0, "cpu")
    waiting = _run(200, [2.0, 2.0, 2.0], [2.0, 30.0, 8.0])  # threads that spin
    found = cost([waiting], [sgd])
    assert found is not None
    assert (found.ratio, found.clock) == (2.0, "wall")


def test_both_clocks_must_be_there_for_all_runs() -> None:
    old, sam = _run(100, [1.0, 1.0], []), _run(200, [18.0, 60.0], [2.0, 2.0])
    found = cost([sam], [old])
    assert found is not None
    assert (found.ratio, found.clock) == (39.0, "wall")
    assert cost([_run(1, [], [])], [old]) is None


def test_an_accelerator_is_timed_by_the_wall(results: Results, sgd: Block) -> None:
    folder = results.add(sgd, 0, (0.5, 0.6), status={"device": "cuda:0"})
    folder.write_metrics([row | {"cpu_seconds": 0.5} for row in folder.read_metrics()])
    assert timing(results.runs()[0]).cpu == ()


def test_passes_are_exact_whatever_the_clocks_say(results: Results, sgd: Block, sam: Block) -> None:
    for seed in (0, 1):
        results.add(sgd, seed, (0.5, 0.6, 0.7), gradients=100, seconds=1.0)
        results.add(sam, seed, (0.5, 0.6, 0.7), gradients=200, seconds=18.0)
        results.add({**sam, "name": "sam-every", "k": 4}, seed, (0.5,) * 3, gradients=125, seconds=3.0)
    rows = {row.optimizer: row for row in compare(results.runs()).rows}
    assert [rows[name].passes for name in ("sgd", "sam", "sam-every")] == [1.0, 2.0, 1.25]
    assert rows["sam"].cost == pytest.approx(18.0)
    assert compare(results.runs(), baseline="sam").rows[-1].passes in (0.5, 0.625)
    assert "Passes" in render(compare(results.runs()), "table", width=120)


def test_unsteady_epochs_are_told(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5,) * 5)
    folder = results.add(sam, 0, (0.5,) * 5)
    rows = folder.read_metrics()
    rows[3]["train_seconds"] = 30.0
    folder.write_metrics(rows)
    (note,) = [note for note in compare(results.runs()).notes if "factor of two" in note]
    assert note.startswith("sam rho=0.1: epochs of one run differ by more than a factor of two in wall seconds,")
