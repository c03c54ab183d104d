"""Grey values of more than 8 bits brought to 8, by the range that all images of a folder hold together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

_BLOCK = 2**20  # values converted at a time: a large scan is in memory once


@dataclass(frozen=True)
class Depth:
    """The range of the values of deep images.

    Whole numbers lose their lowest bits, as many as are too many: values up to 119 none, those of a camera of 12 bits
    four, full-range ones of 16 bits eight. Where it saves bits, or values are negative, counting begins at the lowest.
    Fractions from 0 to 1 are multiplied by 255, those up to 255 lose what follows the point, and all others are
    brought to 0 to 255 linearly, the lowest value to 0, the highest to 255.

    Attributes:
        low, high: the smallest and the largest value.
        whole: whether all are whole numbers by their type.

    >>> Depth(0, 119, True).to_bytes(np.array([7, 119])), Depth(0, 4095, True).to_bytes(np.array([16, 4095]))
    (array([  7, 119], dtype=uint8), array([  1, 255], dtype=uint8))
    >>> Depth(-1.0, 1.0, False).to_bytes(np.array([-1.0, 0.2, 1.0]))
    array([  0, 153, 255], dtype=uint8)
    """

    low: float
    high: float
    whole: bool

    @staticmethod
    def of(values: npt.NDArray[Any]) -> Depth:
        """The range of one image.

        Raises:
            ValueError: a value is not finite.
        """
        low, high = values.min().item(), values.max().item()
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError("it holds values that are not finite")
        return Depth(low, high, values.dtype.kind in "iu")

    def __or__(self, other: Depth) -> Depth:
        """The range of both."""
        return Depth(min(self.low, other.low), max(self.high, other.high), self.whole and other.whole)

    def to_bytes(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        """Values of this range as 8 bits, (H, W) or (N,)."""
        made = np.empty(values.shape, np.uint8)
        rows = max(1, _BLOCK * len(values) // values.size)
        for start in range(0, len(values), rows):
            made[start : start + rows] = self._block_to_bytes(values[start : start + rows])
        return made

    def _block_to_bytes(self, values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        if self.whole:
            low, high = int(self.low), int(self.high)
            offset = low if low < 0 or ((high - low).bit_length() < high.bit_length() and high > 255) else 0
            shift = max(0, (high - offset).bit_length() - 8)
            return ((values.astype(np.int64) - offset if offset else values) >> shift).astype(np.uint8)
        exact = values.astype(np.float64)
        if self.low >= 0.0 and self.high <= 1.0:
            return (255.0 * exact).round().astype(np.uint8)
        if self.low >= 0.0 and self.high <= 255.0:
            return exact.astype(np.uint8)
        return ((exact - self.low) * (255.0 / (self.high - self.low or 1.0))).round().astype(np.uint8)
