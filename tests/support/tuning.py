"""A small experiment that is tuned, and what stands in for training and for Optuna."""

from collections.abc import Sequence
from typing import Any

from samcli.config import Draft, RunConfig, parse
from samcli.train import CATALOGUE
from samcli.tune.contender import Contender, contenders_of
from samcli.tune.trial import Outcome, Trial

TEXT = """name: small
dataset: {name: wine, validation: 0.2}
optimizer: [{name: sgd, lr: 0.05}, {name: sam, rho: 0.1}]
seeds: 0-1
hypotheses:
  - {says: "SAM: better", better: {optimizer: sam}, than: {optimizer: sgd}}
  - {says: at the radius of the file, better: {optimizer.rho: 0.1}, than: {optimizer: sgd}}
tune:
  trials: 8
  seeds: 100-101
  space:
    optimizer.lr: {from: 0.01, to: 1.0, log: true}
    optimizer.rho: {from: 0.0, to: 1.0}
"""
UNIT = 1000


class Listed:
    """Suggests learning rates in their order, and remembers what it was told."""

    def __init__(self, contender: Contender) -> None:
        self.others = {"rho": 0.1} if "rho" in contender.axes else {}
        self.asked: list[int] = []
        self.told: list[Trial] = []

    def ask(self, number: int) -> list[dict[str, Any]]:
        first = sum(self.asked)
        self.asked.append(number)
        return [{"lr": 0.01 * (first + index + 1), **self.others} for index in range(number)]

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials


def made(text: str = TEXT) -> tuple[Draft, list[RunConfig], list[Contender]]:
    draft = Draft.of(parse(text, "small.yaml"), CATALOGUE)
    runs = draft.expand()
    assert draft.tuning is not None
    return draft, runs, contenders_of(runs, draft.tuning, CATALOGUE)


def outcome(config: RunConfig, *, state: str = "finished") -> Outcome:
    """Best at a learning rate of 0.03; SAM costs twice as much; one of the two seeds is better by 0.02."""
    score = 0.9 - abs(config.optimizer["lr"] - 0.03) + 0.02 * (config.seed - 100)
    passes = 2 if config.optimizer["name"] == "sam" else 1
    return Outcome(state, "validation_accuracy", score if state == "finished" else None, passes * UNIT // 2)
