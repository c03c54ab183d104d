"""What runs tell of a hypothesis, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from samcli.metrics import is_share, shown
from samcli.stats import paired_difference, sign_flip, standardised
from samcli.stats.sign_flip import SMALLEST

BySeed = Mapping[int, float]


@dataclass(frozen=True)
class Evidence:
    """What runs tell of a hypothesis.

    Attributes:
        words: the estimate with its interval, as people read it.
        estimate: what was found, in the unit of the metric, a ratio, a slope or a correlation.
        low, high: ends of a 95 % interval of Student's t over seeds; None where there is none.
        n: how many seeds.
        p_held: p-value of what it says: small where the runs speak for it. None for too few seeds.
        p_contradicted: of the opposite: small where they speak against it.
        effect: d_z of what is least certain of it; None where none was computed.
    """

    words: str
    estimate: float | None
    low: float | None
    high: float | None
    n: int
    p_held: float | None
    p_contradicted: float | None
    effect: float | None


def all_above_zero(parts: Sequence[BySeed]) -> tuple[float | None, float | None, float | None]:
    """The p-values of "all means are above zero" and of "one of them is below", and the least certain effect.

    All are above zero where each one is (an intersection-union test, whose p-value is the largest); that one of k is
    below takes the smallest times k. None for fewer than six seeds.

    >>> rising = {seed: 1.0 + seed for seed in range(6)}
    >>> all_above_zero([rising])[:2], all_above_zero([rising, {seed: -d for seed, d in rising.items()}])[:2]
    ((0.03125, 1.0), (1.0, 0.0625))
    """
    effects = [standardised(list(one.values())) for one in parts]
    known = [effect for effect in effects if effect is not None]
    weakest = min(known, default=None)
    if min(map(len, parts)) < SMALLEST:
        return None, None, weakest
    above, below = zip(*map(one_sided, parts), strict=True)
    return max(above), min(1.0, len(parts) * min(below)), weakest


def one_sided(differences: BySeed) -> tuple[float, float]:
    """The two-sided p-value of the sign-flip test on the side where the mean lies, and 1 on the other.

    >>> one_sided({seed: 1.0 + seed for seed in range(6)})
    (0.03125, 1.0)
    """
    values = list(differences.values())
    p = sign_flip(values)
    return (p, 1.0) if sum(values) > 0.0 else (1.0, p) if sum(values) < 0.0 else (1.0, 1.0)


def interval(values: BySeed) -> tuple[float | None, float | None, float | None]:
    """The mean over seeds with the ends of its 95 % interval.

    >>> interval({0: 1.0})
    (1.0, None, None)
    """
    found = paired_difference(values, dict.fromkeys(values, 0.0))
    return found.mean, found.low, found.high


def amount(estimate: float | None, low: float | None, high: float | None, metric: str) -> str:
    """A difference in a metric's unit, with its interval.

    >>> amount(0.0231, 0.019, 0.0272, "test_accuracy"), amount(0.5, None, None, "test_loss")
    ('+2.31 points [+1.90, +2.72]', '+0.5000')
    """
    if estimate is None:
        return "nothing"
    unit = " points" if is_share(metric) else ""
    ends = "" if low is None or high is None else f" [{shown(low, metric, '+')}, {shown(high, metric, '+')}]"
    return f"{shown(estimate, metric, '+')}{unit}{ends}"


def plain(estimate: float | None, low: float | None, high: float | None, form: str = ".3g") -> str:
    """A number with its interval.

    >>> plain(2.0, 1.9, 2.125), plain(0.5, None, None), plain(1.00714, 1.00713, 1.00715)
    ('2 [1.9, 2.12]', '0.5', '1.00714 [1.00713, 1.00715]')
    """
    if estimate is None:
        return "nothing"
    if low is not None and high is not None and f"{low:{form}}" == f"{high:{form}}":
        form = form.replace("3", "6")  # the ends are the same in three digits
    return f"{estimate:{form}}" + ("" if low is None or high is None else f" [{low:{form}}, {high:{form}}]")
