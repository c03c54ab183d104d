"""The expected calibration error: how far confidence and accuracy lie apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 15


def calibration_error(confidence: NDArray[Any], right: NDArray[Any], bins: int = BINS) -> float:
    """The mean over examples of |accuracy - mean confidence| of their bin (Guo et al., ICML 2017).

    Bins are of equal width, and each has its upper end.

    >>> import numpy as np
    >>> right = np.array([True, False, True])
    >>> round(calibration_error(np.array([0.9, 0.9, 0.6]), right, bins=10), 9)  # (2 · 0.4 + 0.4)/3
    0.4

    Args:
        confidence: the largest probability of each example, (n,) from 0 to 1.
        right: whether it is predicted rightly, (n,) bool.
        bins: how many.
    """
    import numpy as np

    places = np.clip(np.searchsorted(np.linspace(0.0, 1.0, bins + 1), confidence) - 1, 0, bins - 1)
    gaps = np.bincount(places, right - confidence, bins)
    return float(np.abs(gaps).sum() / len(right))
