"""Estimates of time from finished runs of the same kind."""

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from run_folders import SAM, SGD, Results

from samcli import launch
from samcli.config import Draft, parse, stage_runs
from samcli.launch.estimate import (
    Estimate,
    estimate,
    kind_of,
    seconds_beside,
    seconds_of_epoch,
    side_by_side,
    trainings_left,
)
from samcli.runs import RunFolder
from samcli.train import CATALOGUE

AT = {"status": "finished", "threads": 1, "device": "cpu"}


def config_of(folder: RunFolder) -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(folder.config.read_text())
    return config


def test_the_time_of_a_grid_is_that_of_its_kinds_side_by_side(tmp_path: Path) -> None:
    results = Results(tmp_path)
    sgd = config_of(results.add(SGD, 0, [0.5] * 5, seconds=1.0, status=AT))
    sam = config_of(results.add(SAM, 0, [0.5] * 5, seconds=2.0, status=AT))
    left = [[({**config, "seeds": seed}, 10)] for config in (sgd, sam) for seed in (1, 2)]
    found = estimate(left, [tmp_path], jobs=2, threads=1)
    assert found == Estimate(30.0, jobs=2, unknown=0, known=2), "10 epochs of 1 s, then 10 of 2 s; not the slow first"
    assert estimate(left, [tmp_path], jobs=1, threads=1).seconds == 60.0
    assert estimate(left, [tmp_path], jobs=16, threads=1, cores=2) == Estimate(30.0, jobs=16, unknown=0, known=2)
    assert found.words() == "about 30 s with 2 jobs, from finished runs of the same kind"


def test_an_unknown_kind_is_told(tmp_path: Path) -> None:
    results = Results(tmp_path)
    sgd = config_of(results.add(SGD, 0, [0.5] * 3, status=AT))
    found = estimate([[(sgd, 5)], [({**sgd, "optimizer": SAM}, 5)]], [tmp_path], jobs=1, threads=1)
    assert found.words() == (
        "more than 5 s with 1 job; how long the others take is not known, for no run like them has finished"
    )
    assert found.record()["seconds"] is None
    assert estimate([[(sgd, 0)]], [tmp_path], jobs=1).known == 0, "nothing is left of it"


@pytest.mark.parametrize("other", [{"threads": 2}, {"device": "cuda:0"}, {"status": "interrupted"}])
def test_runs_under_other_conditions_tell_nothing(tmp_path: Path, other: dict[str, Any]) -> None:
    sgd = config_of(Results(tmp_path).add(SGD, 0, [0.5] * 3, status=AT | other))
    assert seconds_of_epoch(tmp_path, {kind_of(sgd)}, threads=1, device="cpu") == {}


def test_a_damaged_run_tells_nothing_and_disturbs_nothing(tmp_path: Path) -> None:
    results = Results(tmp_path)
    sgd = config_of(results.add(SGD, 0, [0.5] * 3, status=AT))
    results.add(SGD, 1, [0.5], status=AT).metrics.write_text("x")
    results.add(SGD, 2, [0.5], status=AT).config.unlink()
    assert seconds_of_epoch(tmp_path, {kind_of(sgd)}, threads=1, device="cpu") == {kind_of(sgd): 1.0}


@pytest.mark.parametrize(
    "change",
    [
        {"batch_size": 7},
        {"dataset": {"name": "digits", "train_examples": 5}},
        {"model": {"name": "wrn"}},
        {"optimizer": {**SAM, "m": 32}},
        {"evaluate": {"every": 5}},
        {"precision": "bf16"},
        {"sharpness": {"rho": 0.1, "every": 0}},
    ],
)
def test_what_changes_the_cost_makes_another_kind(tmp_path: Path, change: dict[str, Any]) -> None:
    config = config_of(Results(tmp_path).add(SAM, 0, [0.5]))
    assert kind_of(config | change) != kind_of(config)
    same = {"seeds": 5, "epochs": 99, "name": "x", "schedule": {"name": "constant"}, "optimizer": {**SAM, "rho": 3}}
    assert kind_of(config | same) == kind_of(config)


def test_what_clients_cost_is_theirs_and_not_the_servers() -> None:
    block = {"clients": 9, "alpha": 0.1, "per_round": 3, "server": "average", "swa_from": None}
    config = {"dataset": {"name": "digits"}, "federated": block}
    same = block | {"alpha": 0.6, "server": "swa", "swa_from": 0.5}
    assert kind_of(config | {"federated": same}) == kind_of(config)
    assert kind_of(config | {"federated": block | {"per_round": 4}}) != kind_of(config)
    assert kind_of({"dataset": {"name": "digits"}}) != kind_of(config)


def test_side_by_side_is_never_below_its_bounds() -> None:
    draw = random.Random(0)
    for _ in range(100):
        lengths = [draw.random() for _ in range(draw.randrange(1, 20))]
        jobs = draw.randrange(1, 6)
        least = max(*lengths, sum(lengths) / jobs)
        assert least - 1e-9 <= side_by_side(lengths, jobs) <= sum(lengths) / jobs + max(lengths) + 1e-9


def test_no_more_runs_are_read_than_tell_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = Results(tmp_path)
    folders = [results.add(SGD, seed, [0.5] * 3, status=AT) for seed in range(9)]
    sgd = config_of(folders[0])
    read: list[RunFolder] = []
    values = RunFolder.read_values
    monkeypatch.setattr(RunFolder, "read_values", lambda folder: read.append(folder) or values(folder))
    assert seconds_of_epoch(tmp_path, {kind_of(sgd)}, threads=1, device="cpu") == {kind_of(sgd): 1.0}
    assert len(read) == 3


def epochs_of(left: list[list[Any]]) -> list[int]:
    return sorted(epochs for run in left for _, epochs in run)


def test_what_comes_before_runs_is_counted_once(tmp_path: Path) -> None:
    """Two radii share a stage: the two trainings of a seed wait for one."""
    text = """
dataset: {name: digits, train_examples: 100}
model: linear
stages:
  - {epochs: 7, optimizer: sgd}
  - dataset: {name: digits, train_examples: 90}
    optimizer: sgd
    epochs: 3
    repeat: 2
    step: {dataset.train_examples: 10}
optimizer: [{name: sam, rho: [0.1, 0.2]}]
epochs: 2
seeds: 0-1
"""
    cells = launch.plan(Draft.of(parse(text, "x"), CATALOGUE).expand(), tmp_path)
    left = trainings_left(cells)
    assert epochs_of(left) == sorted([7, 3, 3] * 2 + [2] * 4)
    # where the first stage of a seed lies there trained, it costs nothing; where it was interrupted, what is left of it
    (stage, *_) = stage_runs(cells[0].config)
    done = cells[0].folder.path.parent / ".stages" / f"{stage.identity[:16]}-00000000"
    done.mkdir(parents=True)
    (done / "run.json").write_text('{"status": "interrupted", "epochs_done": 3}')
    assert epochs_of(trainings_left(cells)) == sorted([4, 7, *[3, 3] * 2, *[2] * 4])
    (done / "run.json").write_text('{"status": "finished", "epochs_done": 5}')  # it stopped early
    assert epochs_of(trainings_left(cells)) == sorted([7, *[3, 3] * 2, *[2] * 4])


def test_the_epochs_of_stages_tell_what_stages_take(tmp_path: Path) -> None:
    results = Results(tmp_path)
    folder = results.add(SGD, 0, [0.5] * 5, seconds=1.5, status=AT)
    config = config_of(folder)
    hidden = folder.path.parent / ".stages" / folder.path.name
    hidden.parent.mkdir()
    folder.path.rename(hidden)
    turned = {**config, "dataset": {**config["dataset"], "rotate": [5.0, 10.0]}}
    assert estimate([[(turned, 4)]], [hidden.parent.parent], jobs=1, threads=1).seconds == 6.0


def test_the_trainings_of_a_run_follow_one_another(tmp_path: Path) -> None:
    """However many jobs there are: a second one has nothing to do with a single run."""
    config = config_of(Results(tmp_path).add(SGD, 0, [0.5] * 5, seconds=1.0, status=AT))
    run = [(config, 10), (config, 5), (config, 5)]
    assert estimate([run], [tmp_path], jobs=2, threads=1).seconds == 20.0
    assert estimate([run, run, run[:1]], [tmp_path], jobs=2, threads=1).seconds == 30.0


def test_what_stages_take_beside_their_epochs_counts_for_each_training(tmp_path: Path) -> None:
    """Three trainings of 4 epochs of a second, and the half second on the mean that each began and ended by."""
    results = Results(tmp_path)
    stages = tmp_path / ".stages"
    stages.mkdir()
    for seed, ended in enumerate(("13", "14", "13", "14", "18")):
        times = {"started": "2026-01-01T00:00:00+00:00", "ended": f"2026-01-01T00:00:{ended}+00:00"}
        # the first epoch takes ten seconds
        lasted = 8 if ended == "18" else 4  # of another length
        folder = results.add(SGD, seed, [0.5] * lasted, status=AT | times)
        config = config_of(folder)
        folder.path.rename(stages / folder.path.name)
    assert seconds_beside(stages) == pytest.approx((0 + 1 + 0 + 1 + 1) / 5)
    found = estimate([[(config, 4)] * 3], [tmp_path], jobs=1, threads=1)
    assert found.seconds == pytest.approx(3 * 4.6)
    (next(stages.iterdir()) / "run.json").write_text("{")
    assert 0 < seconds_beside(stages) < 1, "a damaged one tells nothing"
    assert seconds_beside(tmp_path) == 0.0
