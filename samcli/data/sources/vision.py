"""The image data sets of torchvision, in torchvision's own layout on disk."""

from __future__ import annotations

import contextlib
import pickle
import shutil
import socket
import sys
import tempfile
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import torch

from samcli.data.base import DATASETS, Source
from samcli.data.sources._idx import read_idx
from samcli.data.sources._resized import Resized
from samcli.errors import DataError
from samcli.tasks import Classification

TIMEOUT = 30.0  # seconds without an answer, after which there is no network
_UNREADABLE = (RuntimeError, ValueError, KeyError, AssertionError, OSError, EOFError, pickle.UnpicklingError)


class Vision(Resized):
    """A data set of torchvision: read from the data folder, downloaded to it where it is absent.

    Attributes:
        place: its folder or file in the data folder.
    """

    place: ClassVar[str]

    @abstractmethod
    def read(self, root: Path, *, train: bool, download: bool) -> Any:
        """The training or test part, with `data`, `targets` and `classes` as torchvision calls them."""

    def is_at_hand(self, data_dir: Path) -> bool:
        return (data_dir.expanduser() / self.place).exists()

    def source(self, data_dir: Path) -> Source:
        return self.resized(self._published(data_dir.expanduser()))

    def _published(self, root: Path) -> Source:
        """The data set as it was published, downloaded if it is not there."""
        try:
            return self._read_both(root, download=False)
        except _UNREADABLE:
            self._download(root)
        try:
            return self._read_both(root, download=False)
        except _UNREADABLE as error:
            raise DataError(
                f"{self.title} was downloaded to {root / self.place} and cannot be read ({_reason(error)}). "
                "Delete it there and try again."
            ) from error

    def _read_both(self, root: Path, *, download: bool) -> Source:
        # torchvision prints; standard output belongs to results
        with contextlib.redirect_stdout(sys.stderr):
            train, test = (self.read(root, train=part, download=download) for part in (True, False))
        names = tuple(str(name) for name in getattr(train, "classes", range(10)))
        return Source(
            _images(train.data), torch.as_tensor(train.targets).long(),
            _images(test.data), torch.as_tensor(test.targets).long(),
            Classification(len(names)), names,
        )  # fmt: skip

    def _download(self, root: Path) -> None:
        """Download beside the data and move complete files into place, so that half a file is never taken for one."""
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as temporary, _network_timeout():
                self._read_both(Path(temporary), download=True)
                _move_files(Path(temporary), root)
        except Exception as error:  # torchvision passes on whatever urllib, ssl, gzip, tarfile and the disk raise
            raise DataError(
                f"{self.title} is missing or damaged in {(root / self.place).absolute()} and could not be downloaded "
                f"({_reason(error)}). Pass --data-dir DIR with the folder that has it, or run once where there is a "
                "network."
            ) from error


def _images(data: Any) -> torch.Tensor:
    """(N, H, W) or (N, H, W, C) of any array type as (N, H, W, C) uint8."""
    images = torch.as_tensor(data)
    return (images.unsqueeze(-1) if images.dim() == 3 else images).contiguous()


def _reason(error: Exception) -> str:
    """The last line of an error's text, where torchvision puts the cause, without the full stop."""
    return (str(error).strip() or type(error).__name__).splitlines()[-1].strip().rstrip(".")


@contextlib.contextmanager
def _network_timeout() -> Iterator[None]:
    # A firewall that drops packets would otherwise let the user wait for minutes.
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _move_files(source: Path, destination: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix != ".gz":  # archives were unpacked beside themselves
            target = destination / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)


@DATASETS.register("mnist")
@dataclass(frozen=True, kw_only=True)
class MNIST(Vision):
    """70,000 handwritten digits, 28×28 grey images, 10 classes (LeCun et al. 1998)."""

    title: ClassVar[str] = "MNIST"
    place: ClassVar[str] = "MNIST"
    names: ClassVar[tuple[str, ...]] = tuple(map(str, range(10)))

    def read(self, root: Path, *, train: bool, download: bool) -> Any:
        if download:
            from torchvision import datasets

            return getattr(datasets, self.place)(root, train=train, download=True)
        # not through torchvision, whose import takes as long as torch's
        raw, part = root / self.place / "raw", "train" if train else "t10k"
        images, labels = read_idx(raw / f"{part}-images-idx3-ubyte"), read_idx(raw / f"{part}-labels-idx1-ubyte")
        return SimpleNamespace(data=images, targets=labels, classes=self.names)


@DATASETS.register("fashion-mnist")
@dataclass(frozen=True, kw_only=True)
class FashionMNIST(MNIST):
    """70,000 articles of clothing, 28×28 grey images, 10 classes (Xiao et al. 2017)."""

    title: ClassVar[str] = "Fashion-MNIST"
    place: ClassVar[str] = "FashionMNIST"
    names: ClassVar[tuple[str, ...]] = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )  # fmt: skip


@DATASETS.register("kmnist")
@dataclass(frozen=True, kw_only=True)
class KMNIST(MNIST):
    """70,000 cursive Japanese characters, 28×28 grey images, 10 classes (Clanuwat et al. 2018)."""

    title: ClassVar[str] = "KMNIST"
    place: ClassVar[str] = "KMNIST"
    names: ClassVar[tuple[str, ...]] = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


@DATASETS.register("cifar10")
@dataclass(frozen=True, kw_only=True)
class CIFAR10(Vision):
    """60,000 small photographs, 32×32 colour images, 10 classes (Krizhevsky 2009)."""

    title: ClassVar[str] = "CIFAR-10"
    place: ClassVar[str] = "cifar-10-batches-py"

    def read(self, root: Path, *, train: bool, download: bool) -> Any:
        from torchvision import datasets

        return datasets.CIFAR10(root, train=train, download=download)


@DATASETS.register("cifar100")
@dataclass(frozen=True, kw_only=True)
class CIFAR100(Vision):
    """60,000 small photographs, 32×32 colour images, 100 classes (Krizhevsky 2009)."""

    title: ClassVar[str] = "CIFAR-100"
    place: ClassVar[str] = "cifar-100-python"

    def read(self, root: Path, *, train: bool, download: bool) -> Any:
        from torchvision import datasets

        return datasets.CIFAR100(root, train=train, download=download)


@DATASETS.register("svhn")
@dataclass(frozen=True, kw_only=True)
class SVHN(Vision):
    """99,289 house numbers from photographs, 32×32 colour images, 10 classes (Netzer et al. 2011), without "extra"."""

    title: ClassVar[str] = "SVHN"
    place: ClassVar[str] = "train_32x32.mat"

    def read(self, root: Path, *, train: bool, download: bool) -> Any:
        from torchvision import datasets

        part = datasets.SVHN(root, split="train" if train else "test", download=download)
        part.data, part.targets = part.data.transpose(0, 2, 3, 1), part.labels
        return part
