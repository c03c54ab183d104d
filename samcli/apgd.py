"""The step sizes of APGD, for perturbed weights and perturbed inputs alike.

F. Croce, M. Hein, "Reliable Evaluation of Adversarial Robustness with an Ensemble of Diverse Parameter-free Attacks"
(ICML 2020, algorithm 1).
"""

from __future__ import annotations

MOMENTUM = 0.75  # share of the new step; the rest is the previous one
ENOUGH_RISES = 0.75  # share of the steps since the last checkpoint that have to gain


def checkpoints(steps: int) -> list[int]:
    """The steps after which APGD decides about its step size: more and more often.

    >>> checkpoints(20)
    [5, 9, 12, 14, 16, 18, 19, 20]
    """
    percent, gap, found = 22, 22, []
    while percent <= 100:
        found.append(-(-percent * steps // 100))
        gap = max(gap - 3, 6)
        percent += gap
    return sorted(set(found))
