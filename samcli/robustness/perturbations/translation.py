"""Images that are not in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import SIDE, Corruption, shorter_side

DIRECTIONS = ((0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1))


@PERTURBATIONS.register("translation")
@dataclass(frozen=True, kw_only=True)
class Translation(Corruption):
    """Accuracy where each image is moved by 1 to 6 pixels of a side of 32, but at least one, to one of eight sides.

    What comes in is black. Not of Hendrycks and Dietterich.
    """

    LEVELS: ClassVar[tuple[float, ...]] = (1.0, 2.0, 3.0, 4.0, 6.0)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        by = max(1, round(level * shorter_side(images) / SIDE))
        moved = []
        for image, generator in zip(images, generators, strict=True):
            down, right = DIRECTIONS[int(torch.randint(len(DIRECTIONS), (), generator=generator))]
            moved.append(_moved(image, down * by, right * by))
        return torch.stack(moved)


def _moved(image: Tensor, down: int, right: int) -> Tensor:
    """(C, H, W), moved by so many pixels; zeros come in."""
    height, width = image.shape[1:]
    found = torch.zeros_like(image)
    if abs(down) < height and abs(right) < width:
        rows, columns = (slice(max(by, 0), side + min(by, 0)) for by, side in ((down, height), (right, width)))
        from_rows, from_columns = (
            slice(max(-by, 0), side + min(-by, 0)) for by, side in ((down, height), (right, width))
        )
        found[:, rows, columns] = image[:, from_rows, from_columns]
    return found
