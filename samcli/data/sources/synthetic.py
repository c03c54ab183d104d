"""Two synthetic problems of the SAM tutorials, drawn from known distributions and the same in every run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.streams import stream
from samcli.tasks import Binary, Regression


@DATASETS.register("linear")
@dataclass(frozen=True, kw_only=True)
class Linear(DatasetKind):
    """Linear regression: 512 examples of 10 normal features, y = ⟨w, x⟩ + 0.7 + noise, w alternating 1 and -0.5.

    The noise has standard deviation 0.1, so that the best model has a mean squared error of 0.01. The test part is as
    large, and drawn in the same way.
    """

    title: ClassVar[str] = "linear"
    is_images: ClassVar[bool] = False
    is_regression: ClassVar[bool] = True

    def source(self, data_dir: Path) -> Source:
        generator = stream(0, "linear")
        x = torch.randn(2 * 512, 10, generator=generator)
        w = torch.tensor([1.0, -0.5]).repeat(5)
        y = x @ w + 0.7 + 0.1 * torch.randn(len(x), generator=generator)
        return Source(x[:512], y[:512], x[512:], y[512:], Regression())


@DATASETS.register("blobs")
@dataclass(frozen=True, kw_only=True)
class Blobs(DatasetKind):
    """Logistic regression: two overlapping 2-D Gaussians, 200 examples a class, and as many for the test.

    Their means are (-1, -1) and (1, 1) and their covariance is the identity: the best classifier is right with
    probability Φ(√2) = 0.921.
    """

    title: ClassVar[str] = "blobs"
    is_images: ClassVar[bool] = False

    def source(self, data_dir: Path) -> Source:
        y = torch.arange(2).repeat(2 * 200)
        x = torch.randn(len(y), 2, generator=stream(0, "blobs")) + (2.0 * y - 1.0)[:, None]
        return Source(x[:400], y[:400], x[400:], y[400:], Binary(), ("lower", "upper"))
