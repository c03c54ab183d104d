"""What a measure is: its parameters, and how it is computed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from samcli.registry import Registry
from samcli.sharpness.problem import Problem
from samcli.sharpness.result import Result


class Measure(ABC):
    """A measure of sharpness; its fields are its parameters."""

    @abstractmethod
    def of(self, problem: Problem) -> Result:
        """The measure of a problem at its current parameters."""


MEASURES: Registry[Measure] = Registry("measure")


def common_details(problem: Problem) -> dict[str, Any]:
    """The entries that every result has in its `details`."""
    return {
        "examples": problem.examples,
        "parameters": problem.dimension,
        "dtype": problem.dtype,
        "batch_norm": problem.batch_norm,
        **({"batch_size": problem.batch_size} if problem.batch_norm != "evaluation" else {}),
        "seed": problem.seed,
    }
