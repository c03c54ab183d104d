"""What a robustness test found, and what is needed to judge it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

Z95 = 1.959963984540054  # the 97.5 % point of the standard normal distribution


@dataclass(frozen=True)
class Outcome:
    """The value of one test.

    Attributes:
        value: the measured number; NaN if an output was not finite.
        stderr: its standard error.
        interval: its 95 % interval, where the value is a share of examples that are right or wrong: Wilson's.
        n: how many examples it is of.
        score: what the value is: "accuracy", "loss", "calibration_error" or "roc_auc".
        details: the settings, and what the test tells besides; the `reason` where there is no value.
    """

    value: float
    stderr: float | None
    interval: tuple[float, float] | None
    n: int
    score: str
    details: dict[str, Any] = field(default_factory=dict)


def share_of(hits: Tensor, **details: Any) -> Outcome:
    """The accuracy of examples that are right or wrong, with its binomial error and Wilson's interval.

    The standard error √(p(1 - p)/n) is 0 where all are right; the interval is not of length 0 there (E. B. Wilson,
    "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927).

    Args:
        hits: (n,) bool.
        details: as the outcome has them.

    >>> found = share_of(torch.tensor([True, True, True, False]))
    >>> found.value, round(found.stderr, 4), [round(end, 3) for end in found.interval]
    (0.75, 0.2165, [0.301, 0.954])
    """
    n = len(hits)
    p = int(hits.sum()) / n
    centre, width = p + Z95**2 / (2 * n), Z95 * math.sqrt(p * (1 - p) / n + Z95**2 / (4 * n * n))
    low, high = ((centre + sign * width) / (1 + Z95**2 / n) for sign in (-1, 1))
    interval = (0.0 if p == 0.0 else low, 1.0 if p == 1.0 else high)  # rounding leaves the end a little away
    return Outcome(p, math.sqrt(p * (1 - p) / n), interval, n, "accuracy", details)


def mean_of(values: Tensor, score: str, **details: Any) -> Outcome:
    """The mean of numbers of examples, with the standard error of a mean.

    Args:
        values: (n,), one for each example; for an accuracy under several perturbations the share of them.
        score: see `Outcome`.
        details: as the outcome has them.

    >>> mean_of(torch.tensor([1.0, 0.5, 0.0]), "accuracy").stderr  # sd / √n
    0.2886751345948129
    """
    values, n = values.double(), len(values)
    stderr = (values.std(correction=1) / math.sqrt(n)).item() if n > 1 else None
    return Outcome(values.mean().item(), stderr, None, n, score, details)


def mean_over_draws(values: Tensor, score: str, **details: Any) -> Outcome:
    """The mean over random draws and examples, each draw of which meets all examples.

    The draws and the examples are both samples. With the draws' means m_d and the examples' means e_i::

        stderr² = s²(m_d)/draws + s²(e_i)/n

    which counts the variance that no draw and no example explains twice, and so errs to the safe side.

    Args:
        values: (draws, n).
        score: see `Outcome`.
        details: as the outcome has them; `draw_stderr` and `example_stderr` are added.

    >>> found = mean_over_draws(torch.tensor([[1.0, 0.0], [1.0, 1.0]]), "accuracy")
    >>> found.value, found.details["draw_stderr"], found.details["example_stderr"]
    (0.75, 0.25, 0.25)
    """
    values = values.double()
    draws, n = values.shape
    by_draw = (values.mean(1).std(correction=1) / math.sqrt(draws)).item() if draws > 1 else None
    by_example = (values.mean(0).std(correction=1) / math.sqrt(n)).item() if n > 1 else None
    both = None if by_draw is None or by_example is None else math.hypot(by_draw, by_example)
    errors = {"draws": draws, "draw_stderr": by_draw, "example_stderr": by_example}
    return Outcome(values.mean().item(), both, None, n, score, {**details, **errors})


def without_value(reason: str, n: int, score: str, **details: Any) -> Outcome:
    """An outcome without a value.

    >>> without_value("the weights are not finite", 100, "accuracy").value
    nan
    """
    return Outcome(math.nan, None, None, n, score, {**details, "reason": reason})


def area_under_roc(positive: Tensor, negative: Tensor, **details: Any) -> Outcome:
    """P(a > b) + P(a = b)/2 of a number a of the positive and b of the negative examples, with DeLong's error.

    E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the Areas under Two or More Correlated Receiver
    Operating Characteristic Curves" (Biometrics 1988): the variance is s²(V₁₀)/n₁ + s²(V₀₁)/n₀, where V₁₀ of a positive
    example is the share of negative ones below it, and V₀₁ of a negative one that of positive ones above it.

    Args:
        positive: (n₁,).
        negative: (n₀,).
        details: as the outcome has them.

    >>> area_under_roc(torch.tensor([0.9, 0.8, 0.4]), torch.tensor([0.5, 0.1])).value  # 5 of 6 pairs
    0.8333333333333334
    """
    ordered_negative, ordered_positive = negative.double().sort().values, positive.double().sort().values

    def placed(values: Tensor, among: Tensor) -> Tensor:
        """The share of a sorted sample below each value; equal ones count half."""
        below = torch.searchsorted(among, values, right=False)
        up_to = torch.searchsorted(among, values, right=True)
        return (below + up_to).double() / (2 * len(among))

    above, below = placed(positive.double(), ordered_negative), 1.0 - placed(negative.double(), ordered_positive)
    n1, n0 = len(positive), len(negative)
    stderr = math.sqrt(above.var().item() / n1 + below.var().item() / n0) if min(n1, n0) > 1 else None
    return Outcome(above.mean().item(), stderr, None, n1 + n0, "roc_auc", details)
