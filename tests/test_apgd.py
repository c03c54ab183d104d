"""The steps at which APGD looks at its step size."""

import pytest

from samcli.apgd import checkpoints


@pytest.mark.parametrize("steps", [1, 2, 10, 100, 1000])
def test_checkpoints_are_those_of_the_paper(steps: int) -> None:
    """p_0 = 0, p_1 = 0.22, p_(j+1) = p_j + max(p_j - p_(j-1) - 0.03, 0.06), w_j = ⌈p_j N⌉, in exact hundredths."""
    p = [0, 22]
    while p[-1] + max(p[-1] - p[-2] - 3, 6) <= 100:
        p.append(p[-1] + max(p[-1] - p[-2] - 3, 6))
    assert checkpoints(steps) == sorted({-(-one * steps // 100) for one in p[1:]})
