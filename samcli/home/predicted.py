"""What a network says of files: of each image or text one row, of a table one for each of its rows or texts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from samcli.data.one_image import image_pixels
from samcli.data.sources._folder import SUFFIXES as IMAGE_SUFFIXES
from samcli.data.sources._text import SUFFIXES as TEXT_SUFFIXES
from samcli.data.texts import TABLES, texts_in
from samcli.errors import ConfigError, DataError
from samcli.home.network import BATCH_SIZE, Network
from samcli.home.raw import columns_of, frame_of, image_reading_of, surprises_of, tokens_of
from samcli.words import count

SUFFIXES = {"images": IMAGE_SUFFIXES, "table": TABLES, "tokens": (*TEXT_SUFFIXES, *TABLES)}


@dataclass(frozen=True, eq=False)
class Predicted:
    """One row.

    Attributes:
        file: that it is of.
        row: of a table, from 1; None for an image or the text of a file.
        prediction: probabilities of the classes, (classes,), or a value, ().
    """

    file: Path
    row: int | None
    prediction: Tensor

    def record(self, classes: Sequence[str]) -> dict[str, Any]:
        """The row in plain values: file, row, class and probability, or value.

        >>> Predicted(Path("a.png"), None, torch.tensor([0.25, 0.75])).record(["cat", "dog"])
        {'file': 'a.png', 'class': 'dog', 'probability': 0.75}
        """
        where: dict[str, Any] = {"file": str(self.file)} | ({} if self.row is None else {"row": self.row})
        if not classes:
            return where | {"value": _short(self.prediction)}
        best = int(self.prediction.argmax())
        return where | {"class": classes[best], "probability": _short(self.prediction[best])}

    def probabilities(self, classes: Sequence[str]) -> dict[str, float]:
        """The probability of each class by its name.

        >>> Predicted(Path("a.png"), None, torch.tensor([0.25, 0.75])).probabilities(["cat", "dog"])
        {'cat': 0.25, 'dog': 0.75}
        """
        return dict(zip(classes, map(_short, self.prediction), strict=True))


def files_of(paths: Sequence[Path], kind: str) -> list[Path]:
    """The files that paths stand for: a file for itself, a folder for those of a fitting suffix at any depth.

    What begins with a dot in a folder is passed over.

    Raises:
        ConfigError: there are none.

    >>> files_of([Path("a.png")], "images")
    [PosixPath('a.png')]
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        below = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES[kind] and file.is_file())
        found += [file for file in below if not any(part.startswith(".") for part in file.relative_to(path).parts)]
    if not found:
        shown = ", ".join(suffix.removeprefix(".") for suffix in SUFFIXES[kind][:8])
        raise ConfigError(f"There are no files for this network in {paths[0]}; it takes {shown} and the like.")
    return list(dict.fromkeys(found))


def predict_files(
    network: Network,
    files: Sequence[Path],
    on_fault: Callable[[str], None],
    on_surprise: Callable[[str], None] = lambda sentence: None,
) -> Iterator[Predicted]:
    """What a network says of files; one that cannot be read is told, and the others go on.

    Args:
        network: see `samcli.load`.
        files: see `files_of`.
        on_fault: is told of each file that cannot be read, in a sentence.
        on_surprise: is told what a table holds that the training part had not, such as another category, and how many
            texts are longer than what the network reads of them.

    Raises:
        ConfigError: the network predicts something else than a class or a value for each input.
        DataError: the checkpoint does not say how images are read.
    """
    if network.task.classes is None and network.task.target_dims > 1:
        raise ConfigError(
            f"The network is a {network.task.name} and says neither a class nor a value of a file; "
            "use samcli.load in Python."
        )
    if network.known.kind == "images":
        yield from _images(network, files, on_fault)
        return
    texts, cut = 0, 0
    for file in files:
        try:
            if network.known.kind == "tokens":
                found, longer = _texts(network, file, on_fault)
                texts, cut = texts + len(found), cut + longer
            else:
                found = list(_rows(network, file, on_surprise))
        except DataError as error:
            message = str(error)
            on_fault(message if str(file) in message else f"{file}: {message}")
            continue
        yield from found
    if cut:
        length, are = network.known.shape[0], "is" if cut == 1 else "are"
        on_surprise(
            f"{cut:,} of {count(texts, 'text')} {are} longer than the {length:,} tokens that the network reads; the "
            "rest was left out."
        )


def _rows(network: Network, file: Path, on_surprise: Callable[[str], None]) -> Iterator[Predicted]:
    """What a network says of each row of a table."""
    frame = frame_of(file, columns_of(network.known))
    predictions = network.predict(frame)
    for surprise in surprises_of(frame, network.known):
        on_surprise(f"{file}: {surprise}.")
    yield from (Predicted(file, row, prediction) for row, prediction in enumerate(predictions, 1))


def _images(network: Network, files: Sequence[Path], on_fault: Callable[[str], None]) -> Iterator[Predicted]:
    reading = image_reading_of(network.known)

    def read(file: Path) -> Tensor | DataError:
        try:
            return image_pixels(file, reading)
        except DataError as error:
            return error

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(files), BATCH_SIZE):
            chunk = files[start : start + BATCH_SIZE]
            read_ones = list(zip(chunk, pool.map(read, chunk), strict=True))
            for _, one in read_ones:
                if isinstance(one, DataError):
                    on_fault(str(one))
            sound = [(file, one) for file, one in read_ones if isinstance(one, Tensor)]
            if sound:
                predictions = network.predict(torch.stack([pixels for _, pixels in sound]))
                yield from (Predicted(file, None, p) for (file, _), p in zip(sound, predictions, strict=True))


def _texts(network: Network, file: Path, on_fault: Callable[[str], None]) -> tuple[list[Predicted], int]:
    """What a network says of each text of a file that is not empty, and how many of them were cut."""
    there = []
    for row, text in texts_in(file, network.known.reading):
        if text:
            there.append((row, text))
        else:
            on_fault(f"{file}{'' if row is None else f', row {row},'} has no text.")
    if not there:
        return [], 0
    tokens, cut = tokens_of([text for _, text in there], network.known)
    found = [Predicted(file, row, p) for (row, _), p in zip(there, network.predict(tokens), strict=True)]
    return found, cut


def _short(number: Tensor) -> float:
    """The number with as many digits as tell it from others in 32 bits."""
    return float(str(number.numpy()))
