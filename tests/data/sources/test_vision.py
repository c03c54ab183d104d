import pickle
import struct
import subprocess
import sys
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import scipy.io
import torch
from torchvision import datasets

from samcli.data import DATASETS, load
from samcli.errors import DataError


def write_idx(path: Path, array: npt.NDArray[np.uint8]) -> None:
    header = struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    path.write_bytes(header + array.tobytes())


def write_mnist(root: Path, folder: str, train: int = 30, test: int = 10) -> None:
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    for name, n in [("train", train), ("t10k", test)]:
        pixels = np.arange(n * 784, dtype=np.uint32).astype(np.uint8).reshape(n, 28, 28)
        write_idx(raw / f"{name}-images-idx3-ubyte", pixels)
        write_idx(raw / f"{name}-labels-idx1-ubyte", (np.arange(n) % 10).astype(np.uint8))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every download fails as it does without a name server."""

    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError("<urlopen error [Errno -3] Temporary failure in name resolution>")

    monkeypatch.setattr("urllib.request.urlopen", refuse)


@pytest.mark.parametrize("name, folder", [("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), ("kmnist", "KMNIST")])
def test_the_layout_of_mnist(
    tmp_path: Path, name: str, folder: str, no_network: None, capsys: pytest.CaptureFixture[str]
) -> None:
    write_mnist(tmp_path, folder)
    dataset = load(DATASETS.create(name, augment=("crop",)), seed=0, data_dir=tmp_path, device="cpu")
    assert dataset.shape == (1, 28, 28)
    assert (len(dataset.train), len(dataset.test)) == (30, 10)
    assert len(dataset.class_names) == dataset.task.classes == 10
    assert dataset.train.inputs[1, 0, :3, 0].tolist() == [(784 + i) % 256 for i in range(3)]
    assert dataset.test.targets.tolist() == list(range(10))
    assert capsys.readouterr().out == ""


def test_mnist_is_read_without_importing_torchvision(tmp_path: Path) -> None:
    """Which takes as long as to import torch."""
    write_mnist(tmp_path, "MNIST")
    code = (
        "import sys; from pathlib import Path; from samcli.data import DATASETS\n"
        "DATASETS.create('mnist').source(Path(sys.argv[1])); assert 'torchvision' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)


@pytest.mark.parametrize("name, kind, labels", [("cifar10", "CIFAR10", 10), ("cifar100", "CIFAR100", 100)])
def test_the_layout_of_cifar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str, labels: int, no_network: None
) -> None:
    cls = getattr(datasets, kind)
    folder = tmp_path / cls.base_folder
    folder.mkdir()
    key = "labels" if labels == 10 else "fine_labels"

    def write(file: str, content: dict[str, Any]) -> str:
        data = pickle.dumps(content)
        (folder / file).write_bytes(data)
        return md5(data).hexdigest()

    def batch(file: str) -> list[str]:
        pixels = np.arange(20 * 3072, dtype=np.uint32).astype(np.uint8).reshape(20, 3072)
        return [file, write(file, {"data": pixels, key: [i % labels for i in range(20)]})]

    # torchvision accepts only files with the published checksums, so those of these small ones take their place
    monkeypatch.setattr(cls, "train_list", [batch(file) for file, _ in cls.train_list])
    monkeypatch.setattr(cls, "test_list", [batch(file) for file, _ in cls.test_list])
    names = [f"class {i}" for i in range(labels)]
    checksum = write(cls.meta["filename"], {cls.meta["key"]: names})
    monkeypatch.setattr(cls, "meta", {**cls.meta, "md5": checksum})

    source = DATASETS.create(name).source(tmp_path)
    assert source.inputs.shape == (20 * len(cls.train_list), 32, 32, 3)
    assert source.inputs[0, 0, 0].tolist() == [0, 1024 % 256, 2048 % 256]
    assert source.inputs[0, 0, 5].tolist() == [5, 5, 5]  # the planes of the file became channels
    assert source.class_names == tuple(names)
    assert source.task.outputs == labels
    assert source.test_targets.dtype == torch.int64


def test_the_layout_of_svhn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_network: None) -> None:
    pixels = np.arange(32 * 32 * 3 * 20, dtype=np.uint32).astype(np.uint8).reshape(32, 32, 3, 20)
    lists = {}
    for part in ("train", "test"):
        file = tmp_path / f"{part}_32x32.mat"
        scipy.io.savemat(file, {"X": pixels, "y": (np.arange(20) % 10 + 1).astype(np.uint8)[:, None]})
        lists[part] = ["http://nowhere.invalid", file.name, md5(file.read_bytes()).hexdigest()]
    monkeypatch.setattr(datasets.SVHN, "split_list", lists)
    source = DATASETS.create("svhn").source(tmp_path)
    assert torch.equal(source.inputs, torch.from_numpy(pixels).permute(3, 0, 1, 2))
    assert source.targets[:10].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]  # the file calls the digit 0 ten


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "kmnist", "cifar10", "cifar100", "svhn"])
def test_missing_without_a_network(
    tmp_path: Path, name: str, no_network: None, capsys: pytest.CaptureFixture[str]
) -> None:
    kind = DATASETS.kind(name)
    with pytest.raises(DataError) as caught:
        DATASETS.create(name).source(tmp_path)
    sentence = str(caught.value)
    assert sentence.startswith(f"{kind.title} is missing or damaged in {tmp_path / kind.place} and could not be ")
    assert "Temporary failure in name resolution" in sentence
    assert sentence.endswith("Pass --data-dir DIR with the folder that has it, or run once where there is a network.")
    assert list(tmp_path.iterdir()) == []  # nothing that looks like the data set, and no temporary folder
    assert capsys.readouterr().out == ""


def test_a_broken_download_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(self: datasets.MNIST) -> None:
        raw = Path(self.raw_folder)
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(b"half")
        raise ConnectionResetError("Connection reset by peer")

    monkeypatch.setattr(datasets.MNIST, "download", half)
    with pytest.raises(DataError, match="Connection reset by peer"):
        DATASETS.create("mnist").source(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_download_ends_in_the_layout_of_torchvision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fetch(self: datasets.MNIST) -> None:
        print("Downloading")
        if self.train:
            write_mnist(Path(self.root), "MNIST")

    monkeypatch.setattr(datasets.MNIST, "download", fetch)
    data_dir = tmp_path / "not" / "there"
    source = DATASETS.create("mnist").source(data_dir)
    assert len(source.inputs) == 30
    assert [path.name for path in data_dir.iterdir()] == ["MNIST"]
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(datasets.MNIST, "download", lambda self: pytest.fail("it is there already"))
    assert torch.equal(DATASETS.create("mnist").source(data_dir).inputs, source.inputs)


def test_a_truncated_file_is_damaged(tmp_path: Path, no_network: None) -> None:
    write_mnist(tmp_path, "MNIST")
    file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(DataError, match="MNIST is missing or damaged in"):
        DATASETS.create("mnist").source(tmp_path)


def test_a_data_folder_that_is_a_file(tmp_path: Path, no_network: None) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataError, match="File exists"):
        DATASETS.create("mnist").source(tmp_path / "data")
