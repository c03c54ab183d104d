"""Whether a mean difference lies within a margin: two one-sided tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from samcli.stats._summary import summarise


@dataclass(frozen=True)
class Equivalence:
    """The outcome of two one-sided t tests.

    Attributes:
        within: p-value of "the mean lies between -margin and margin": small where it does.
        beyond: p-value of "it lies outside", on the side where the mean is: small where it does.
    """

    within: float
    beyond: float


def equivalence(differences: Sequence[float], margin: float) -> Equivalence | None:
    """Two one-sided t tests of a mean difference against a margin; None for fewer than two pairs.

    `within` is the larger of the p-values of d̄ > -margin and d̄ < margin, t with n - 1 degrees of freedom; it is below
    α exactly where the interval of confidence 1 - 2α lies inside the margin (Schuirmann, "A comparison of the two
    one-sided tests procedure and the power approach", 1987).

    Args:
        differences: treatment minus baseline, one for each pair.
        margin: above zero, in their unit.

    Raises:
        ValueError: the margin is not above zero.

    >>> found = equivalence([0.01, -0.02, 0.015, 0.0, -0.005], margin=0.05)
    >>> found.within < 0.01, found.beyond > 0.99
    (True, True)
    """
    if not margin > 0.0:
        raise ValueError(f"A margin must be above zero, not {margin}.")
    found = summarise(differences)
    if found.mean is None or found.sd is None:
        return None
    error = found.sd / math.sqrt(found.n)
    return Equivalence(
        within=max(_upper(found.mean + margin, error, found.n), _upper(margin - found.mean, error, found.n)),
        beyond=_upper(abs(found.mean) - margin, error, found.n),
    )


def _upper(mean: float, error: float, n: int) -> float:
    """The one-sided p-value of "the mean is above zero".

    Of equal values t makes certainty; they get what n signs alone can say.
    """
    from scipy.special import stdtr

    if error <= 1e-12 * abs(mean):
        return 0.5**n if mean > 0.0 else 1.0
    return float(stdtr(n - 1, -mean / error))
