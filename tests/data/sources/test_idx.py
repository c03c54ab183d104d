"""IDX files: the layout on disk, and what is wrong with one."""

from pathlib import Path

import pytest
import torch

from samcli.data.sources._idx import read_idx


def test_a_file_written_by_hand(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255]))
    assert torch.equal(read_idx(tmp_path / "x"), torch.tensor([[1, 2, 3], [4, 5, 255]], dtype=torch.uint8))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "no IDX file"),
        (bytes([0, 0, 0x0D, 1, 0, 0, 0, 0]), "no IDX file"),
        (bytes([0, 0, 8, 1, 0, 0]), "truncated"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2]), "truncated"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), "truncated"),
    ],
)
def test_damage(content: bytes, what: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ValueError, match=what):
        read_idx(tmp_path / "x")


def test_agrees_with_torchvision(tmp_path: Path) -> None:
    from torchvision.datasets import mnist

    (tmp_path / "x").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, *range(8)]))
    assert torch.equal(read_idx(tmp_path / "x"), mnist.read_image_file(str(tmp_path / "x")))
