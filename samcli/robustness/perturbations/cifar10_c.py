"""The published corruptions of CIFAR-10."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from samcli.errors import DataError, NotApplicable
from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome, mean_of
from samcli.robustness.subject import Subject

SEVERITIES = 5
BATCH = 500  # images in a forward pass


@PERTURBATIONS.register("cifar10-c")
@dataclass(frozen=True, kw_only=True)
class PublishedCorruptions(Perturbation):
    """Mean accuracy over the kinds and severities of CIFAR-10-C, from its files KIND.npy and labels.npy in a folder.

    D. Hendrycks, T. Dietterich (ICLR 2019). Each file has all test images at severity 1, then all at 2, up to 5. As
    many of each severity are taken as there are examples, the same at all. The files have an order and labels of their
    own, so that these are other images than those of the other tests.
    """

    ARGUMENT = "dir"

    dir: str = option("", "the folder of the published files")

    def of(self, subject: Subject) -> Outcome:
        if subject.need_classes() != 10 or tuple(subject.batches[0][0].shape[1:]) != (3, 32, 32):
            raise NotApplicable("CIFAR-10-C has ten classes and images of 3×32×32")
        folder = Path(self.dir).expanduser()
        files = sorted(path for path in folder.glob("*.npy") if path.name != "labels.npy") if self.dir else []
        if not files:
            raise DataError(
                f"There are no files of CIFAR-10-C in {self.dir or 'no folder'}; name it: cifar10-c:FOLDER."
            )
        labels = _array(folder / "labels.npy")
        if labels.ndim != 1 or len(labels) % SEVERITIES or not np.isin(labels, np.arange(10)).all():
            raise DataError(f"{folder / 'labels.npy'} does not hold classes from 0 to 9, as many for each severity.")
        each = len(labels) // SEVERITIES
        chosen = torch.randperm(each, generator=next(subject.generators("cifar10-c", slice(0, 1))))[: subject.n]
        chosen = chosen.sort().values
        found = torch.stack([self._right(subject, file, labels, chosen) for file in files]).double()
        kinds = {file.stem: values.mean().item() for file, values in zip(files, found, strict=True)}
        details = {"kinds": kinds, "severities": found.mean((0, 2)).tolist(), "seed": subject.seed}
        return mean_of(found.mean((0, 1)), "accuracy", **details)

    def _right(self, subject: Subject, file: Path, labels: np.ndarray, chosen: torch.Tensor) -> torch.Tensor:
        """Whether each image is right at each severity, (5, n)."""
        images = _array(file)
        if images.shape != (len(labels), 32, 32, 3) or images.dtype != np.uint8:
            raise DataError(f"{file} must hold {len(labels)} images of 32×32×3 in uint8, not {images.shape}.")
        each, device, found = len(labels) // SEVERITIES, subject.batches[0][0].device, []
        for severity in range(SEVERITIES):
            batches = []
            for part in torch.split(chosen, BATCH):
                rows = (part + severity * each).numpy()
                pixels = torch.from_numpy(images[rows]).to(device).permute(0, 3, 1, 2).float() / 255.0
                targets = torch.from_numpy(labels[rows].astype(np.int64)).to(device)
                batches.append((subject.pixels.to_inputs(pixels), targets))
            found.append(subject.values_on(batches))
        return torch.stack(found)


def _array(file: Path) -> np.ndarray:
    """An array of a file, whose pages are read when they are asked for.

    Raises:
        DataError: it is missing, or no array of plain numbers.
    """
    try:
        array: np.ndarray = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{file} cannot be read as an array of numbers ({error}).") from error
    return array
