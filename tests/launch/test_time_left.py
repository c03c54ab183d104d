"""The time that is left of a grid under way."""

import dataclasses
from pathlib import Path

from samcli import launch
from samcli.config import Draft, parse
from samcli.launch.time_left import TimeLeft
from samcli.train import CATALOGUE


def cells(tmp_path: Path, text: str = "{optimizer: [sgd, sam], epochs: 10, seeds: 0-1}") -> list[launch.Cell]:
    return launch.plan(Draft.of(parse(text, "x"), CATALOGUE).expand(), tmp_path)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_kinds_are_told_apart(tmp_path: Path) -> None:
    plan = cells(tmp_path)
    names = [cell.config.optimizer["name"] for cell in plan]
    clock = Clock()
    time_left = TimeLeft(plan, 2, clock)
    assert time_left.whole() is None
    sgd, sam = plan[names.index("sgd")], plan[names.index("sam")]
    for cell in (sgd, sam):
        time_left.started(cell)
    time_left.epoch_done(sgd, {"train_seconds": 0.75, "eval_seconds": 0.25})
    assert time_left.of(sam) == 10.0, "a kind that was not seen counts as those that were"
    time_left.epoch_done(sam, {"train_seconds": 2.0, "sharpness_seconds": None})
    assert (time_left.of(sgd), time_left.of(sam)) == (9.0, 18.0)
    assert time_left.whole() == 38.0, "9 s and then 10 s of SGD in one job, 18 s and then 20 s of SAM in the other"
    time_left.ended(sgd)
    assert time_left.whole() == 30.0
    clock.now = 5.0
    time_left.epoch_done(sam, {"train_seconds": 2.0})
    clock.now = 12.0
    time_left.epoch_done(sam, {"train_seconds": 2.0})
    assert time_left.of(sam) == 7 * 5.0, "the median epoch, with what else it took"


def test_a_run_that_ends_early_leaves_nothing(tmp_path: Path) -> None:
    (cell,) = cells(tmp_path, "{optimizer: sgd, epochs: 3}")
    time_left = TimeLeft([cell], 1)
    time_left.started(cell)
    time_left.epoch_done(cell, {"train_seconds": 1.0})
    time_left.ended(cell)
    assert time_left.whole() == 0.0
    time_left.started(cell)  # once more, as a run that another process left
    assert time_left.of(cell) == 3.0


def test_what_comes_before_the_first_epoch_counts_for_those_to_begin(tmp_path: Path) -> None:
    """Stages report no epochs: they are the time from the beginning of a run to its first."""
    one, other = cells(tmp_path, "{optimizer: sgd, epochs: 10, seeds: 0-1}")
    clock = Clock()
    time_left = TimeLeft([one, other], 1, clock)
    time_left.started(one)
    clock.now = 31.0
    time_left.epoch_done(one, {"train_seconds": 1.0})
    assert (time_left.of(one), time_left.of(other)) == (9.0, 10.0 + 30.0)
    time_left.ended(one)
    time_left.started(other)
    clock.now = 41.0
    assert time_left.whole() == 10.0 + 20.0, "ten seconds of the thirty are over"


def test_a_run_that_is_continued_tells_nothing_of_what_comes_before_others(tmp_path: Path) -> None:
    """Its stages are trained, and so it begins at once; nor does it take what those to begin do."""
    continued, *others = cells(tmp_path, "{optimizer: sgd, epochs: 10, seeds: 0-3}")
    continued = dataclasses.replace(continued, state="resume", epochs_done=6)
    clock = Clock()
    time_left = TimeLeft([continued, *others], 1, clock)
    time_left.started(continued)
    clock.now = 3.0
    time_left.epoch_done(continued, {"train_seconds": 1.0})
    time_left.ended(continued)
    time_left.started(others[0])
    clock.now = 34.0
    time_left.epoch_done(others[0], {"train_seconds": 1.0})
    assert time_left.of(others[1]) == 10.0 + 30.0, "not the mean of 30 and 2"
    again = dataclasses.replace(others[1], state="resume", epochs_done=6)
    time_left.started(again)
    assert time_left.of(again) == 4.0 + 2.0
