"""Images that are not in memory: only those are read that are asked for."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Protocol

import torch
from torch import Tensor

from samcli.data.reading import reading

AHEAD = 2  # batches that are read beside those under way
_CHUNK = 2**22  # bytes of images that a pass over all of them has at a time


class Stored(Protocol):
    """Images somewhere, (N, H, W, C) uint8; other processes get it with the arguments they are started with."""

    @property
    def shape(self) -> tuple[int, ...]:
        """N, H, W and C."""

    def take(self, indices: Tensor, threads: int = 1) -> Tensor:
        """Some of them in memory, (B, H, W, C), whichever thread asks."""


def cores() -> int:
    """How many cores this process may use.

    >>> cores() > 0
    True
    """
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LazyImages:
    """A choice of stored images, which is indexed as a tensor of them, and gives tensors.

    What a pass over images finds out is kept for all choices of the same images.

    >>> class Squares:
    ...     shape = (9, 1, 1, 1)
    ...     def take(self, indices: Tensor, threads: int = 1) -> Tensor:
    ...         return (indices**2).to(torch.uint8).view(-1, 1, 1, 1)
    >>> images = LazyImages(Squares()).index_select(0, torch.tensor([2, 5, 3]))
    >>> images.shape, images[1:].flatten()
    (torch.Size([3, 1, 1, 1]), tensor([25,  9], dtype=torch.uint8))

    Args:
        stored: the images.
        indices: which of them, (N,) int64 on the host; all if left out.
        device: where tensors of them are wanted.
        found: what is known of the stored images.

    Attributes:
        dtype: that of the tensors.
        layout: likewise.
        device: likewise.
        shape: (N, H, W, C).
    """

    dtype = torch.uint8
    layout = torch.strided
    requires_grad = False

    def __init__(
        self,
        stored: Stored,
        indices: Tensor | None = None,
        device: torch.device | str = "cpu",
        found: dict[str, Any] | None = None,
    ) -> None:
        self._stored = stored
        self._indices = torch.arange(stored.shape[0]) if indices is None else indices
        self._found = {} if found is None else found
        self.device = torch.device(device)
        self.shape = torch.Size((len(self._indices), *stored.shape[1:]))

    def __len__(self) -> int:
        return len(self._indices)

    def dim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def numel(self) -> int:
        """The number of pixels, times that of channels."""
        return self.shape.numel()

    def __getitem__(self, wanted: slice | Tensor) -> Tensor:
        return self._placed(self._stored.take(self._host(wanted), cores()))

    def index_select(self, dim: int, index: Tensor) -> LazyImages:
        """Some of these, none of which is read."""
        assert dim == 0
        return self._choice(self._host(index))

    def split(self, sizes: Sequence[int]) -> tuple[LazyImages, ...]:
        """These in pieces of so many, none of which is read."""
        return tuple(map(self._choice, torch.split(self._indices, list(sizes))))

    def to(self, device: torch.device) -> LazyImages:
        """These images, tensors of which are wanted on another device."""
        return LazyImages(self._stored, self._indices, device, self._found)

    def ahead(self, batches: Iterable[Tensor]) -> Iterator[Tensor]:
        """The images of each batch of indices, read by threads while earlier ones are at work.

        Args:
            batches: (B,) int64 on the host.
        """
        waiting: deque[Future[Tensor]] = deque()
        threads = cores()
        pool = ThreadPoolExecutor(threads)
        try:
            for batch in batches:
                waiting.append(pool.submit(self._stored.take, self._indices[batch]))
                if len(waiting) >= threads + AHEAD:
                    yield self._placed(waiting.popleft().result())
            while waiting:
                yield self._placed(waiting.popleft().result())
        finally:
            pool.shutdown(cancel_futures=True)

    def histograms(self) -> Tensor:
        """How often each value from 0 to 255 occurs in each channel, (C, 256) int64; one pass over the images."""
        key = f"histograms of {hashlib.sha256(self._indices.numpy().data).hexdigest()}"
        if key not in self._found:
            self._found[key] = sum(
                torch.stack([images[..., c].flatten().bincount(minlength=256) for c in range(images.shape[-1])])
                for images in self._pass()
            )
        counts: Tensor = self._found[key]
        return counts

    def hashes(self) -> list[int]:
        """A number of 64 bits for each image, the same for equal ones; those that no pass has met are read."""
        known = self._known()
        if len(unknown := self._indices[~known[0][self._indices]]):
            for _ in self._choice(unknown)._pass():
                pass
        numbers: list[int] = known[1][self._indices].tolist()
        return numbers

    def _known(self) -> tuple[Tensor, Tensor]:
        """Of which stored images the hash is known, and the hashes."""
        n = self._stored.shape[0]
        pair: tuple[Tensor, Tensor] = self._found.setdefault(
            "hashes", (torch.zeros(n, dtype=torch.bool), torch.zeros(n, dtype=torch.int64))
        )
        return pair

    def _pass(self) -> Iterator[Tensor]:
        """All of them on the host, some at a time, whose hashes are kept."""
        size = max(1, _CHUNK * len(self) // max(self.numel(), 1))
        known, hashes = self._known()
        host = self.to(torch.device("cpu"))
        batches = torch.split(torch.arange(len(self)), size)
        with reading(len(self)) as advance:
            for batch, images in zip(batches, host.ahead(batches), strict=True):
                chosen = self._indices[batch]
                hashes[chosen] = torch.tensor([_hash(image.tobytes()) for image in images.numpy()])
                known[chosen] = True
                yield images
                advance(len(batch))

    def _choice(self, indices: Tensor) -> LazyImages:
        return LazyImages(self._stored, indices, self.device, self._found)

    def _host(self, wanted: slice | Tensor) -> Tensor:
        return self._indices[wanted if isinstance(wanted, slice) else wanted.cpu()]

    def _placed(self, images: Tensor) -> Tensor:
        if self.device.type == "cuda":  # only from pinned memory can the copy run beside the host
            return images.pin_memory().to(self.device, non_blocking=True)
        return images.to(self.device)


def same_inputs(one: Tensor | LazyImages, other: Tensor | LazyImages) -> bool:
    """Whether inputs are equal; images that are not in memory are read for it, some at a time.

    >>> same_inputs(torch.zeros(3, 2), torch.zeros(3, 2)), same_inputs(torch.zeros(3, 2), torch.ones(3, 2))
    (True, False)
    """
    chunks = (slice(start, start + 1024) for start in range(0, len(one), 1024))
    return one.shape == other.shape and all(torch.equal(one[chunk], other[chunk]) for chunk in chunks)


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little", signed=True)
