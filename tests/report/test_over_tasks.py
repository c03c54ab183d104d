"""Optimizers over several tasks: what is counted, ranked and left out."""

import json
from statistics import fmean

import numpy as np
import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError, NothingToCompare
from samcli.report import compare
from samcli.report.over_tasks import over_tasks, over_tasks_table
from samcli.report.small_table import written

NOISE = (0.0, 0.4, 0.8)


@pytest.fixture
def tasks(results: Results, sgd: Block, sam: Block) -> Results:
    """SAM gains 0.1 with 40 % noise and 0.2 with 80 %, and nothing without noise; adam has one task only."""
    for place, noise in enumerate(NOISE):
        for seed in range(8):
            accuracy = 0.9 - 0.3 * noise + 0.01 * seed
            results.add(sgd, seed, [0.1, accuracy], dataset={"label_noise": noise})
            gain = 0.1 * place + 0.001 * (seed % 2) * (-1) ** (seed // 2)
            results.add(sam, seed, [0.1, accuracy + gain], dataset={"label_noise": noise})
    results.add({"name": "adam", "lr": 0.001}, 0, [0.1, 0.2])
    return results


def test_each_optimizer_over_all_tasks(tasks: Results) -> None:
    (sgd, sam), notes = over_tasks(compare(tasks.runs()))
    assert (sgd.who, sam.who) == ("sgd", "sam rho=0.1 base=sgd")
    assert (sgd.is_baseline, sgd.runs, sam.runs) == (True, 24, 24)
    assert (sam.better, sam.worse) == (2, 0)
    assert sam.rank + sgd.rank == pytest.approx(3.0, abs=1e-12)
    assert sam.score.low is not None and sam.score.high is not None
    assert sam.score.low < sam.score.value < sam.score.high
    assert any("adam" in note and note.startswith("Left out") for note in notes)
    assert "digits label_noise=0, cnn; digits label_noise=0.4, cnn; digits label_noise=0.8, cnn" in notes[0]


def test_the_interquartile_mean_is_that_of_the_middle_half(tasks: Results) -> None:
    comparison = compare(tasks.runs())
    (sgd, _), _ = over_tasks(comparison)
    values = sorted(v for row in comparison.rows if row.optimizer == "sgd" for v in row.by_seed.values())
    assert sgd.score.value == pytest.approx(fmean(values[6:18]), abs=1e-12)


def test_a_diverged_run_counts_as_the_worst(results: Results, sgd: Block, sam: Block) -> None:
    for noise in (0.0, 0.4):
        for seed in range(4):
            results.add(sgd, seed, [0.8], dataset={"label_noise": noise})
            status = {"status": "diverged"} if noise and seed < 2 else None
            results.add(sam, seed, [0.9], dataset={"label_noise": noise}, status=status)
    found = {one.who: one for one in over_tasks(compare(results.runs()))[0]}
    assert found["sam rho=0.1"].runs == 8
    assert found["sam rho=0.1"].rank == 1.0  # 0.85 against 0.8 on the second task, still
    worst = [0.9] * 6 + [0.8] * 2
    assert found["sam rho=0.1"].score.value == pytest.approx(np.sort(worst)[2:6].mean(), abs=1e-12)


def test_how_often_each_is_near_the_fastest(tasks: Results) -> None:
    (sgd, sam), _ = over_tasks(compare(tasks.runs(), target=0.85, budget="gradients"))
    assert sgd.within == {1.0: pytest.approx(1 / 3), 2.0: pytest.approx(1 / 3), 4.0: 1 / 3}
    assert sam.within[1.0] == pytest.approx(1.0)


def test_settings_chosen_on_validation_stand_for_their_optimizer(results: Results, sgd: Block, sam: Block) -> None:
    for noise, best in ((0.0, 0.05), (0.4, 0.2)):
        for seed in range(3):
            results.add(sgd, seed, [0.8], validation=[0.8], dataset={"label_noise": noise})
            for rho in (0.05, 0.2):
                value = 0.9 if rho == best else 0.7
                results.add({**sam, "rho": rho}, seed, [value], validation=[value], dataset={"label_noise": noise})
    found, _ = over_tasks(compare(results.runs(), select="validation"))
    assert [(one.who, one.rank) for one in found] == [("sgd", 2.0), ("sam", 1.0)]


def test_every_format_has_the_numbers(tasks: Results) -> None:
    table = over_tasks_table(compare(tasks.runs(), target=0.85))
    (sgd, sam) = json.loads(written(table, "json"))
    assert sam["within_1"] == pytest.approx(1.0)
    assert sgd["is_baseline"] is True
    assert written(table, "csv").splitlines()[0].startswith("optimizer,is_baseline,metric,runs,interquartile_mean")
    assert r"$\leq$ 2$\times$" in written(table, "latex")
    assert "| sam rho=0.1 base=sgd | 24 |" in written(table, "markdown")
    shown = written(table, "table", width=120)
    assert "fewer than 10 seeds too narrow" in shown


def test_what_cannot_be_one_number(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, [0.8])
    with pytest.raises(NothingToCompare, match="one data set and model"):
        over_tasks(compare(results.runs()))
    results.add(sam, 0, [0.8], dataset={"label_noise": 0.4})
    with pytest.raises(NothingToCompare, match="--select validation"):
        over_tasks(compare(results.runs()))
    results.add(sgd, 0, [0.8], metric="r2", dataset={"name": "diabetes"})
    with pytest.raises(ConfigError, match="--metric"):
        over_tasks(compare(results.runs()))


def test_a_task_on_which_every_run_diverged_is_lost_once(results: Results, sgd: Block, sam: Block) -> None:
    for seed in range(6):
        for noise in (0.0, 0.4):
            accuracy = 0.6 + 0.01 * seed
            results.add(sgd, seed, [accuracy], validation=[0.6], dataset={"label_noise": noise})
            for rho in (0.1, 0.5):
                status = {"status": "diverged"} if noise else None
                block = {**sam, "rho": rho}
                results.add(block, seed, [0.8], validation=[0.8], dataset={"label_noise": noise}, status=status)
    for select in ("last", "validation"):
        for one in over_tasks(compare(results.runs(), select=select))[0][1:]:
            assert (one.runs, one.better, one.rank) == (12, 1, 1.5 if select == "validation" else 2.0)


def test_a_task_without_results_does_not_name_the_metric(tasks: Results, sgd: Block) -> None:
    tasks.add(sgd, 0, [0.5], metric="r2", dataset={"name": "diabetes"}, status={"status": "interrupted"})
    table = over_tasks_table(compare(tasks.runs()))
    assert table.legend[0].startswith("IQM: interquartile mean of test accuracy in %")


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_number_is_broken_at_any_width(tasks: Results, width: int) -> None:
    table = over_tasks_table(compare(tasks.runs(), target=0.85))
    shown = written(table, "table", width=width)
    assert max(map(len, shown.splitlines())) <= width
    rows = [line for line in shown.splitlines() if line.startswith("sam ")]
    assert any(table.texts[1]["IQM"] in line and table.texts[1]["Rank"] in line for line in rows)
