"""A measured value and what is needed to judge it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """The value of one measure.

    Attributes:
        value: the measured number; NaN if the loss or its gradient was not finite.
        stderr: its standard error; None where none was estimated.
        converged: False if the number should not be taken for what it is called.
        details: the parameters of the measurement, and what it took: `examples`, `rho`, `residual`, `products`, ...;
            the `reason` where there is no value.
    """

    value: float
    stderr: float | None = None
    converged: bool = True
    details: dict[str, Any] = field(default_factory=dict)
