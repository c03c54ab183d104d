"""What may be said of several treatments against a baseline, each tried with a few seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from samcli.stats._summary import summarise
from samcli.stats.effect import detectable, standardised, superiority
from samcli.stats.equivalence import equivalence
from samcli.stats.holm import holm
from samcli.stats.sign_flip import SMALLEST, sign_flip
from samcli.stats.step_down import step_down

LEVEL = 0.05  # of all comparisons of a table together


class Word(StrEnum):
    """A verdict in words."""

    BETTER = "better"
    WORSE = "worse"
    EQUAL = "practically equal"
    INCONCLUSIVE = "inconclusive"
    TOO_FEW = "too few seeds"


@dataclass(frozen=True)
class Verdict:
    """What may be said of one comparison.

    Attributes:
        word: the verdict.
        p: of the sign-flip test; None below six pairs, where it cannot reach 0.05.
        p_adjusted: the same adjusted for all comparisons with six pairs or more, see `step_down`.
        p_holm: the same adjusted by Holm's method, which needs more seeds for many comparisons.
        p_t: of the paired t test, unadjusted; None for fewer than two pairs.
        effect: d_z, the mean difference in units of the standard deviation of the differences.
        superiority: the share of pairs in which the treatment is better, ties counted one half.
        detectable: the mean difference that so many pairs find with a power of 80 % at the spread that was seen, in
            the unit of the values, at the level of one comparison divided by how many there are.
    """

    word: Word
    p: float | None
    p_adjusted: float | None
    p_holm: float | None
    p_t: float | None
    effect: float | None
    superiority: float | None
    detectable: float | None


def verdicts(
    comparisons: Sequence[Mapping[int, float]], *, margin: float | None = None, higher_is_better: bool = True
) -> list[Verdict]:
    """A verdict on each comparison, such that any false *better* or *worse* among them has a probability below 5 %.

    Better or worse is what the exact sign-flip test says, adjusted for all of them. Practically equal is what two
    one-sided t tests say of the margin, adjusted by Holm's method; it goes before the others, as a difference can be
    certain and of no importance.

    Args:
        comparisons: for each the differences, treatment minus baseline, by seed.
        margin: differences below it are of no importance, in the unit of the values; None calls nothing equal.
        higher_is_better: whether larger values are the better ones.

    Raises:
        ValueError: the margin is not above zero.

    >>> found = verdicts([dict(enumerate([1.0, 1.2, 0.9, 1.1, 1.3, 0.8])), {0: 0.1, 1: -0.2, 2: 0.1}])
    >>> [(str(one.word), one.p_adjusted) for one in found]
    [('better', 0.03125), ('too few seeds', None)]
    """
    if margin is not None and not margin > 0.0:
        raise ValueError(f"A margin must be above zero, not {margin}.")
    enough = [index for index, one in enumerate(comparisons) if len(one) >= SMALLEST]
    values = [list(one.values()) for one in comparisons]
    p_values = {index: sign_flip(values[index]) for index in enough}
    adjusted = dict(zip(enough, step_down([comparisons[index] for index in enough]), strict=True))
    by_holm = dict(zip(enough, holm([p_values[index] for index in enough]), strict=True))
    equal = {index: found.within for index in enough if margin and (found := equivalence(values[index], margin))}
    equal = dict(zip(equal, holm(list(equal.values())), strict=True))
    judged = []
    for index, differences in enumerate(values):
        better = [d if higher_is_better else -d for d in differences]
        judged.append(
            Verdict(
                word=_word(better, adjusted.get(index), equal.get(index)),
                p=p_values.get(index),
                p_adjusted=adjusted.get(index),
                p_holm=by_holm.get(index),
                p_t=_paired_t(differences),
                effect=standardised(differences),
                superiority=superiority(better),
                detectable=_detectable(differences, max(1, len(enough))),
            )
        )
    return judged


def _word(better: Sequence[float], p: float | None, p_equal: float | None) -> Word:
    if p is None:
        return Word.TOO_FEW
    if p_equal is not None and p_equal < LEVEL:
        return Word.EQUAL
    if p >= LEVEL:
        return Word.INCONCLUSIVE
    return Word.BETTER if math.fsum(better) > 0.0 else Word.WORSE


def _paired_t(differences: Sequence[float]) -> float | None:
    from scipy.special import stdtr

    effect = standardised(differences)
    if effect is None:
        return None
    n = len(differences)
    return 0.0 if math.isinf(effect) else float(2.0 * stdtr(n - 1, -abs(effect) * math.sqrt(n)))


def _detectable(differences: Sequence[float], comparisons: int) -> float | None:
    spread, effect = summarise(differences).sd, detectable(len(differences), LEVEL / comparisons)
    return None if spread is None or effect is None else spread * effect
