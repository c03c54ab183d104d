"""The file format of MNIST and its relatives."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_BYTES = 0x08


def read_idx(path: Path) -> Tensor:
    """The uint8 array in an IDX file (LeCun et al. 1998, as on the page of MNIST).

    The file holds two zero bytes, one for the type of the numbers, one for the number d of dimensions; d sizes,
    big-endian; and the numbers, the last index changing fastest.

    Raises:
        ValueError: the file holds something else, or ends too early.
        OSError: there is no such file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))  # bytes, one dimension of size 3
    ...     read_idx(path)
    tensor([7, 2, 1], dtype=torch.uint8)
    """
    content = path.read_bytes()
    if len(content) < 4 or content[:3] != bytes([0, 0, _BYTES]):
        raise ValueError(f"{path.name} is no IDX file of bytes")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(f"{path.name} is truncated")
    shape = [int(size) for size in np.frombuffer(content[4:start], ">u4")]
    if len(content) != start + math.prod(shape):
        raise ValueError(f"{path.name} is truncated")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=start).reshape(shape).copy())
