"""Real data sets that ship inside scikit-learn, so that a first run needs no network.

None of them has an official test part: a fifth of the examples, stratified, drawn once by `split_seed` and the same
for all runs, is the test part.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from samcli.data.base import DATASETS, DatasetKind, Source
from samcli.data.sources._reading import feature_reading
from samcli.data.sources._resized import Resized
from samcli.data.split import split_source
from samcli.registry import option
from samcli.tasks import Binary, Classification, Regression


@dataclass(frozen=True, kw_only=True)
class Embedded(DatasetKind):
    """A data set of scikit-learn."""

    split_seed: int = option(0, "decides which fifth of the examples is the test part", minimum=0)


def _table(bunch: Any) -> tuple[Tensor, Tensor, tuple[str, ...]]:
    names = tuple(str(name) for name in bunch.target_names)
    return torch.from_numpy(bunch.data).float(), torch.from_numpy(bunch.target).long(), names


@DATASETS.register("digits")
@dataclass(frozen=True, kw_only=True)
class Digits(Resized, Embedded):
    """1,797 handwritten digits, 8×8 grey images, 10 classes (scikit-learn; UCI, Alpaydin and Kaynak 1998).

    Pixels counted from 0 to 16 become the nearest of 0 to 255 (v · 255/16, rounded), so that they are images like all
    others; the error is under 0.2 % of the range.
    """

    title: ClassVar[str] = "digits"

    def source(self, data_dir: Path) -> Source:
        from sklearn.datasets import load_digits

        bunch = load_digits()
        pixels = torch.from_numpy(bunch.images * (255.0 / 16.0)).round().to(torch.uint8)
        names = tuple(str(name) for name in bunch.target_names)
        targets = torch.from_numpy(bunch.target).long()
        return self.resized(split_source(pixels.unsqueeze(-1), targets, Classification(10), names, self.split_seed))


@DATASETS.register("breast-cancer")
@dataclass(frozen=True, kw_only=True)
class BreastCancer(Embedded):
    """569 tumours, 30 features, malignant or benign: logistic regression (scikit-learn; UCI, Wolberg et al. 1995)."""

    title: ClassVar[str] = "breast-cancer"
    is_images: ClassVar[bool] = False

    def source(self, data_dir: Path) -> Source:
        from sklearn.datasets import load_breast_cancer

        bunch = load_breast_cancer()
        inputs, targets, names = _table(bunch)
        source = split_source(inputs, targets, Binary(), names, self.split_seed)
        return replace(source, reading=feature_reading(bunch.feature_names))


@DATASETS.register("wine")
@dataclass(frozen=True, kw_only=True)
class Wine(Embedded):
    """178 wines, 13 features, 3 cultivars (scikit-learn; UCI, Aeberhard and Forina 1992)."""

    title: ClassVar[str] = "wine"
    is_images: ClassVar[bool] = False

    def source(self, data_dir: Path) -> Source:
        from sklearn.datasets import load_wine

        bunch = load_wine()
        inputs, targets, names = _table(bunch)
        source = split_source(inputs, targets, Classification(3), names, self.split_seed)
        return replace(source, reading=feature_reading(bunch.feature_names))


@DATASETS.register("diabetes")
@dataclass(frozen=True, kw_only=True)
class Diabetes(Embedded):
    """442 patients, 10 features, disease progression: linear regression (scikit-learn; Efron et al. 2004).

    The target is brought to mean 0 and standard deviation 1 of the training examples, so that a loss near 1 is that of
    predicting the mean; R² is the same with and without.
    """

    title: ClassVar[str] = "diabetes"
    is_images: ClassVar[bool] = False
    is_regression: ClassVar[bool] = True

    def source(self, data_dir: Path) -> Source:
        from sklearn.datasets import load_diabetes

        bunch = load_diabetes()
        inputs, targets = torch.from_numpy(bunch.data).float(), torch.from_numpy(bunch.target)
        raw = split_source(inputs, targets, Regression(), (), self.split_seed)
        std, mean = torch.std_mean(raw.targets, correction=0)
        train, test = ((part - mean) / std for part in (raw.targets, raw.test_targets))
        task, reading = Regression(float(mean), float(std)), feature_reading(bunch.feature_names)
        return Source(raw.inputs, train.float(), raw.test_inputs, test.float(), task, reading=reading)
