"""The difference between two treatments that were tried with the same seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from samcli.stats._summary import summarise


@dataclass(frozen=True)
class PairedDifference:
    """Mean of treatment minus baseline over the seeds that both have, in the unit of the values.

    Attributes:
        mean: None without a common seed.
        low, high: ends of the confidence interval; None for fewer than two pairs.
        n: number of pairs.
        confidence: level of the interval.
        only_treatment, only_baseline: seeds without a partner, which are in neither mean nor interval.
        by_seed: the difference of each pair.
    """

    mean: float | None
    low: float | None
    high: float | None
    n: int
    confidence: float
    only_treatment: tuple[int, ...]
    only_baseline: tuple[int, ...]
    by_seed: Mapping[int, float] = field(default_factory=dict)


def paired_difference(
    treatment: Mapping[int, float], baseline: Mapping[int, float], confidence: float = 0.95
) -> PairedDifference:
    """The mean difference paired by seed, with Student's t interval.

    With dᵢ = treatmentᵢ - baselineᵢ over n common seeds, d̄ their mean and s their sample standard deviation::

        d̄ ± t_{n-1, (1 + confidence)/2} · s / √n

    (Student, "The probable error of a mean", Biometrika 1908). A percentile bootstrap of three seeds holds the truth
    in 74 % of cases where it promises 95 %; Student's t keeps its promise for normal differences of any n, and errs on
    the safe side for heavier tails. Pairing takes out what a seed does to both: initialisation and order of the data.

    Args:
        treatment: a value for each seed.
        baseline: likewise.
        confidence: level of the interval, between 0 and 1.

    Raises:
        ValueError: the confidence is not between 0 and 1.

    >>> found = paired_difference({0: 3.0, 1: 5.0, 2: 7.0}, {0: 2.0, 1: 3.0, 2: 4.0, 3: 9.0})
    >>> found.mean, found.n, found.only_baseline
    (2.0, 3, (3,))
    >>> round(found.low, 3), round(found.high, 3)
    (-0.484, 4.484)
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"The confidence must lie between 0 and 1, not at {confidence}.")
    seeds = sorted(treatment.keys() & baseline.keys())
    differences = {seed: treatment[seed] - baseline[seed] for seed in seeds}
    found = summarise(differences.values())
    low = high = None
    if found.mean is not None and found.sd is not None:
        # the quantile from scipy.special: scipy.stats has the same one but takes a second to import
        from scipy.special import stdtrit

        half = float(stdtrit(found.n - 1, (1.0 + confidence) / 2.0)) * found.sd / math.sqrt(found.n)
        low, high = found.mean - half, found.mean + half
    return PairedDifference(
        mean=found.mean,
        low=low,
        high=high,
        n=found.n,
        confidence=confidence,
        only_treatment=tuple(sorted(treatment.keys() - baseline.keys())),
        only_baseline=tuple(sorted(baseline.keys() - treatment.keys())),
        by_seed=differences,
    )
