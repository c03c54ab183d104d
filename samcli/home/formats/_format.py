"""What every form has: how a network is written in it, and how what was written is run."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from samcli.home.network import Network
from samcli.home.program import Program

Predict = Callable[[Tensor], Tensor]
EXTRA_FILE = "samcli.json"  # what is known of the network, in archives that have room for files


@dataclass(frozen=True)
class Format:
    """A form.

    Attributes:
        suffix: of the file.
        packages: what has to be importable.
        extra: that of samcli which brings them.
        encode: the bytes of the file, from the program on the CPU, raw inputs to follow it with, and what is known of
            the network.
        opened: a function from raw inputs to predictions that runs the file, for the network that it was made of.
        use: what runs it, for people.
    """

    suffix: str
    packages: tuple[str, ...]
    extra: str
    encode: Callable[[Program, Tensor, Mapping[str, str]], bytes]
    opened: Callable[[Path, Network], Predict]
    use: Callable[[str], str]


def as_json(about: Mapping[str, str]) -> str:
    """What is known of a network as one JSON document, of values that are JSON each.

    >>> as_json({"classes": '["cat"]'})
    '{"classes": ["cat"]}'
    """
    return json.dumps({key: json.loads(value) for key, value in about.items()}, ensure_ascii=False)


@contextmanager
def silence() -> Iterator[None]:
    """Within the block torch keeps to itself what it thinks of its own exporters."""
    nowhere = io.StringIO()  # where a graph goes that torch prints when it fails
    logger = logging.getLogger("torch")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(nowhere), redirect_stderr(nowhere):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
