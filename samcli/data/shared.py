"""Raw data that are loaded once, and mapped by every process that needs them."""

from __future__ import annotations

import dataclasses
import mmap
import os
import pickle
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import reduction
from typing import Any

import torch
from torch import Tensor

from samcli.data.base import Source
from samcli.data.lazy import LazyImages

ALIGNMENT = 64  # bytes, as torch's own


class SharedSource:
    """The tensors of a `Source` in a file without a name, which lies in memory where the system has such files.

    A process that gets one with the arguments it is started with maps the same memory: nothing is copied before it is
    written to, and nothing is left when the last of them ends, however it ends.

    >>> from pathlib import Path
    >>> from samcli.data import DATASETS
    >>> source = DATASETS.create("wine").source(Path())
    >>> mapped = SharedSource(source).source()
    >>> torch.equal(mapped.inputs, source.inputs), mapped.task == source.task
    (True, True)

    Args:
        source: the data; `notes`, names and task go with the tensors.

    Raises:
        OSError: there is no room for it, or the system has no such files.
        pickle.PicklingError: its task is of a kind that no other process knows by name, such as a plug-in's.
    """

    def __init__(self, source: Source) -> None:
        parts: list[Any] = [tensor for _, *part in source.parts() for tensor in part]
        lazy = {number: images for number, images in enumerate(parts) if isinstance(images, LazyImages)}
        tensors = [torch.empty(0) if number in lazy else tensor.contiguous() for number, tensor in enumerate(parts)]
        self._layout, self._size = _layout(tensors)
        self._rest = _dumped(source, lazy)
        self._file = _nameless()
        try:
            os.ftruncate(self._file, self._size)
            with os.fdopen(os.dup(self._file), "wb") as file:
                for tensor, (_, _, start) in zip(tensors, self._layout, strict=True):
                    file.seek(start)
                    file.write(tensor.reshape(-1).view(torch.uint8).numpy().data)
        except OSError:
            self.close()
            raise

    def source(self) -> Source:
        """The data, in memory that all processes share."""
        memory = mmap.mmap(self._file, self._size, flags=mmap.MAP_PRIVATE)
        rest: dict[str, Any] = pickle.loads(self._rest)
        lazy = rest.pop("lazy")
        inputs, targets, test_inputs, test_targets, *validation = (
            lazy[number]
            if number in lazy
            else torch.frombuffer(memory, dtype=dtype, count=shape.numel(), offset=start).reshape(shape)
            if shape.numel()
            else torch.empty(shape, dtype=dtype)
            for number, (dtype, shape, start) in enumerate(self._layout)
        )
        own = (validation[0], validation[1]) if validation else None
        return Source(inputs, targets, test_inputs, test_targets, validation=own, **rest)

    def close(self) -> None:
        """Give the file back; what was mapped stays."""
        with suppress(OSError):
            os.close(self._file)

    def __reduce__(self) -> tuple[Any, ...]:
        # only with the arguments of a process that is being started can a descriptor travel
        return _received, (reduction.DupFd(self._file), self._layout, self._size, self._rest)


def _received(file: Any, layout: list[Any], size: int, rest: bytes) -> SharedSource:
    shared = SharedSource.__new__(SharedSource)
    shared._file, shared._layout, shared._size, shared._rest = file.detach(), layout, size, rest
    return shared


def _layout(tensors: Sequence[Tensor]) -> tuple[list[tuple[torch.dtype, torch.Size, int]], int]:
    """Type, shape and place of each tensor, and the bytes of all."""
    layout, end = [], 0
    for tensor in tensors:
        layout.append((tensor.dtype, tensor.shape, end))
        end += -(-tensor.nbytes // ALIGNMENT) * ALIGNMENT
    return layout, max(end, ALIGNMENT)


def _dumped(source: Source, lazy: dict[int, LazyImages]) -> bytes:
    """What a source has besides its tensors: where images lie that are not in memory, and what is known of them."""
    fields = (
        "task",
        "class_names",
        "notes",
        "guessed",
        "digest",
        "categories",
        "vocabulary",
        "reading",
        "groups",
        "are_in_order",
    )
    assert {field.name for field in dataclasses.fields(source)} == {
        *fields,
        *("inputs", "targets", "test_inputs", "test_targets", "validation"),
    }
    return pickle.dumps({"lazy": lazy} | {name: getattr(source, name) for name in fields})


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("samcli-data")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
