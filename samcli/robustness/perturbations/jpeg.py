"""Compression."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from samcli.errors import NotApplicable
from samcli.robustness.base import PERTURBATIONS
from samcli.robustness.perturbations._corruption import Corruption


@PERTURBATIONS.register("jpeg")
@dataclass(frozen=True, kw_only=True)
class Jpeg(Corruption):
    """Accuracy after the images were JPEG files of quality 80 to 40; needs Pillow, and 1 or 3 channels."""

    LEVELS: ClassVar[tuple[float, ...]] = (80.0, 65.0, 58.0, 50.0, 40.0)

    def corrupted(self, images: Tensor, level: float, generators: Iterator[torch.Generator]) -> Tensor:
        try:
            from PIL import Image
        except ImportError as error:
            raise NotApplicable("it needs Pillow; pip install pillow") from error
        if images.shape[1] not in (1, 3):
            raise NotApplicable(f"a JPEG file has 1 or 3 channels, and these images have {images.shape[1]}")
        stored = (images * 255.0).round().to(torch.uint8).cpu().permute(0, 2, 3, 1)
        again = []
        for image in stored.numpy():
            file = BytesIO()
            Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image).save(file, "JPEG", quality=int(level))
            with Image.open(file) as opened:
                again.append(torch.from_numpy(np.array(opened)).view(image.shape))
        return torch.stack(again).permute(0, 3, 1, 2).to(images) / 255.0
