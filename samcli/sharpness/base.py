"""The base of all measures, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from samcli.registry import Registry
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


class Measure(ABC):
    """A measure of sharpness: a frozen dataclass whose fields are its parameters."""

    @abstractmethod
    def of(self, problem: Problem) -> Result:
        """The value of this measure for a problem at its current parameters."""


MEASURES: Registry[Measure] = Registry("measure")


def common_details(problem: Problem) -> dict[str, Any]:
    """The entries about the problem that every result has in its `details`.

    >>> from torch import nn, ones
    >>> common_details(Problem(nn.Linear(2, 1), nn.functional.mse_loss, [(ones(4, 2), ones(4, 1))], seed=0))
    {'examples': 4, 'parameters': 3, 'dtype': 'float32', 'batch_norm': 'evaluation', 'seed': 0}
    """
    return {
        "examples": problem.examples,
        "parameters": problem.dimension,
        "dtype": problem.dtype,
        "batch_norm": problem.batch_norm,
        **({"batch_size": problem.batch_size} if problem.batch_norm != "evaluation" else {}),
        "seed": problem.seed,
    }
