"""The published corruptions, from small files of their form."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from images import PIXELS
from torch import Tensor, nn

from samcli import robustness
from samcli.errors import DataError, NotApplicable
from samcli.tasks import Classification


class First(nn.Module):
    """Predicts the class that the first pixel's red says."""

    def forward(self, x: Tensor) -> Tensor:
        red = (PIXELS.from_inputs(x)[:, 0, 0, 0] * 255).round().long()
        return nn.functional.one_hot(red.clamp(max=9), 10).float()


DATA = [(torch.zeros(4, 3, 32, 32), torch.zeros(4, dtype=torch.int64))]


def files(folder: Path, n: int = 6) -> np.ndarray:
    labels = np.tile(np.arange(n) % 10, 5)
    images = np.zeros((5 * n, 32, 32, 3), np.uint8)
    images[:, 0, 0, 0] = labels
    np.save(folder / "labels.npy", labels.astype(np.uint8))
    np.save(folder / "fog.npy", images)
    spoilt = images.copy()
    spoilt[4 * n :, 0, 0, 0] = 11  # severity 5
    np.save(folder / "snow.npy", spoilt)
    return labels


def measured(folder: Path, data: Any = DATA, classes: int = 10) -> Any:
    found = robustness.measure(First(), Classification(classes), data, "cifar10-c", pixels=PIXELS, dir=str(folder))
    return found["cifar10-c"]


def test_kinds_and_severities(tmp_path: Path) -> None:
    files(tmp_path)
    found = measured(tmp_path)
    assert found.details["kinds"]["fog"] == 1.0
    assert 0.8 <= found.details["kinds"]["snow"] < 1.0
    assert found.details["severities"][:4] == [1.0] * 4
    assert found.n == 4
    assert found.value == pytest.approx((1.0 + found.details["kinds"]["snow"]) / 2)


@pytest.mark.parametrize("fault", ["no folder", "no labels", "labels", "shape", "pickle", "no array"])
def test_files_of_another_form_are_refused_in_a_sentence(tmp_path: Path, fault: str) -> None:
    files(tmp_path)
    folder = tmp_path / "elsewhere" if fault == "no folder" else tmp_path
    if fault == "no labels":
        (tmp_path / "labels.npy").unlink()
    elif fault == "labels":
        np.save(tmp_path / "labels.npy", np.full(30, 12))
    elif fault == "shape":
        np.save(tmp_path / "fog.npy", np.zeros((3, 32, 32, 3), np.uint8))
    elif fault == "pickle":
        np.save(tmp_path / "fog.npy", np.array([{}], dtype=object), allow_pickle=True)
    elif fault == "no array":
        (tmp_path / "fog.npy").write_text("fog")
    with pytest.raises(DataError):
        measured(folder)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    files(tmp_path)
    with pytest.raises(NotApplicable, match="3×32×32"):
        measured(tmp_path, [(torch.zeros(4, 3, 28, 28), torch.zeros(4, dtype=torch.int64))])
    with pytest.raises(NotApplicable, match="ten classes"):
        measured(tmp_path, classes=9)
