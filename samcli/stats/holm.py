"""Several tests at once: p-values that keep the chance of any false finding at the level of one."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm's step-down method, in their order.

    The smallest of k is multiplied by k, the next by k - 1, and so on; each is at least the one before, and at most 1.
    Whoever calls those below α findings is wrong about any of them with a probability of at most α, whatever the tests
    have to do with each other (Holm, "A simple sequentially rejective multiple test procedure", 1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
