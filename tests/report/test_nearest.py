"""The baseline of a row, held against a look at each of them."""

import dataclasses
import random
from typing import Any

from samcli.report import compare
from samcli.report.example import example_runs
from samcli.report.nearest import Nearest, badness
from samcli.report.row import Row
from samcli.report.settings import NAMES
from samcli.report.timing import Timing
from samcli.stats import summarise


def row(accuracy: float | None = None, /, **optimizer: Any) -> Row:
    example = compare(example_runs()).rows[0]
    config = {**example.config, "optimizer": {"name": "sgd", **optimizer}}
    return dataclasses.replace(example, config=config, last=summarise([] if accuracy is None else [accuracy]))


def looked_at_each(baselines: list[Row], treatment: Row) -> Row:
    def shared(other: Row) -> int:
        return sum(other.flat.get(key) == value for key, value in treatment.flat.items() if key not in NAMES)

    return max(baselines, key=lambda other: (shared(other), -badness(other)))


def test_most_settings_in_common_then_the_best_then_the_first() -> None:
    slow, fast, better, same = row(0.5, lr=0.1), row(0.6, lr=0.2), row(0.7, lr=0.2, k=1), row(0.7, lr=0.2, k=2)
    nearest = Nearest([slow, fast, better, same])
    assert nearest.to(row(lr=0.1)) is slow
    assert nearest.to(row(lr=0.2)) is better
    assert nearest.to(row(lr=0.2, k=2)) is same
    assert nearest.to(row(lr=0.3)) is better
    assert Nearest([slow]).to(row(lr=9)) is slow


def test_like_a_look_at_each() -> None:
    draw = random.Random(0)

    def drawn() -> Row:
        options = {
            key: draw.randrange(3) for key in ("lr", "momentum", "weight_decay", "k", "base") if draw.random() < 0.8
        }
        return row(draw.choice([None, 0.5, 0.6, 0.7]), **options)

    for _ in range(30):
        baselines = [drawn() for _ in range(draw.randrange(1, 12))]
        nearest = Nearest(baselines)
        for treatment in (drawn() for _ in range(10)):
            assert nearest.to(treatment) is looked_at_each(baselines, treatment)


def test_of_equally_near_ones_the_one_at_equal_compute() -> None:
    """Of SGD for 6 and for 20 epochs SAM for 3 is held against the first, though the second is better."""

    def trained(row: Row, gradients: float) -> Row:
        return dataclasses.replace(row, timings={0: Timing((gradients,), (), ())})

    short, long = trained(row(0.5, lr=0.1), 600.0), trained(row(0.7, lr=0.1), 2000.0)
    nearest = Nearest([short, long])
    assert nearest.to(trained(row(lr=0.1), 590.0)) is short
    assert nearest.to(trained(row(lr=0.1), 1990.0)) is long
    assert nearest.to(row(lr=0.1)) is long  # what is not known tells none apart
