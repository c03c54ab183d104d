"""Whatever a user holds as raw inputs of a network: images, tables and texts, read as those of training were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from samcli.data import tables
from samcli.data.one_image import ImageReading, image_pixels, reading_of
from samcli.data.table_file import read_table
from samcli.data.tables import numbers_of, texts_of
from samcli.data.texts import inputs_and_cut
from samcli.errors import ConfigError, DataError, SamcliError
from samcli.home.known import Known
from samcli.words import joined

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")

_CALLED = {"images": "images", "table": "rows of a table", "tokens": "texts"}


def raw_inputs(inputs: Any, known: Known) -> Tensor:
    """A batch of raw inputs: images (N, H, W, C) uint8, rows (N, F) float32, tokens (N, T) int64.

    Args:
        inputs: one input or several. For images: a path, an image of Pillow, an array of 8 bits, or a list of these;
            for tables: a frame of pandas, a dictionary of columns or of one row, the path of a CSV file, or an array of
            numbers; for texts: a text or a list of texts, or an array of tokens.
        known: what the network is given.

    Raises:
        DataError: a file cannot be read, a column is missing, or an array has another shape.
        ConfigError: inputs of another kind than the network takes.
    """
    if isinstance(inputs, np.ndarray | Tensor):
        return _of_array(_tensor(inputs), known)
    if known.kind == "images":
        reading = image_reading_of(known)
        return torch.stack([_image(one, reading, known) for one in _several(inputs)])
    if known.kind == "tokens":
        return tokens_of([_text(one) for one in _several(inputs)], known)[0]
    return rows_of(frame_of(inputs, columns_of(known)), known)


def image_reading_of(known: Known) -> ImageReading:
    """How an image becomes pixels; where the data set did not say, from the shape alone.

    Raises:
        DataError: images of so many channels cannot be read from files.
    """
    channels, height, width = known.shape
    try:
        return reading_of(known.reading or {"size": [height, width], "channels": channels})
    except ValueError as error:
        raise DataError(
            f"The checkpoint does not say how images of its shape are read from files ({error}); give arrays of "
            f"{height} × {width} × {channels} numbers of 8 bits in Python."
        ) from None


def frame_of(inputs: Any, expected: Sequence[str] = ()) -> pd.DataFrame:
    """A table of pandas: itself, that of a dictionary of columns or of one row, or of a file.

    Args:
        inputs: the table, or the path of its file.
        expected: names of columns that it should have, which help to tell how a file is written.

    Raises:
        DataError: the file cannot be read.
        ConfigError: it is no table.

    >>> frame_of({"age": 3, "name": "x"}).shape
    (1, 2)
    """
    import pandas as pd

    if isinstance(inputs, pd.DataFrame):
        return inputs
    if isinstance(inputs, Mapping):
        plain = {key: [value] if np.ndim(value) == 0 else value for key, value in inputs.items()}
        return pd.DataFrame(plain)
    if isinstance(inputs, str | Path):
        return read_table(Path(inputs), expected).frame
    raise _refusal(inputs, "table")


def columns_of(known: Known) -> tuple[str, ...]:
    """The names of the columns that a table must have, as far as the checkpoint tells."""
    told = known.reading.get("features") or known.reading.get("columns")
    columns = told if isinstance(told, list | tuple) else ()
    names = [one.get("name") if isinstance(one, Mapping) else one for one in columns]
    return tuple(str(name) for name in names if name is not None)


def rows_of(frame: pd.DataFrame, known: Known) -> Tensor:
    """The rows of a table as the network takes them, (N, F) float32.

    Raises:
        DataError: a column is missing, or holds what it did not hold in training.
    """
    names = columns_of(known)
    if missing := [name for name in names if name not in frame.columns]:
        raise DataError(
            f"The table has no column {joined([repr(name) for name in missing[:3]])}; the network was trained on "
            f"{', '.join(names[:20])}."
        )
    if "features" in known.reading or not known.reading:
        rows = _plain_rows(frame, known)
    else:
        rows = _made(tables.inputs_of, frame, known)
    return _of_array(rows, known)


def surprises_of(frame: pd.DataFrame, known: Known) -> list[str]:
    """What rows hold that the training part had not, in clauses, as far as their data set tells; after `rows_of`."""
    return list(tables.surprises(frame, known.reading)) if "columns" in known.reading else []


def tokens_of(texts: Sequence[str], known: Known) -> tuple[Tensor, int]:
    """Texts as the network takes them, (N, T) int64, and how many were longer and cut off.

    Raises:
        DataError: the checkpoint does not say how texts become tokens.
    """
    rows, cut = _made(inputs_and_cut, texts, known)
    return _of_array(rows, known), cut


def _made(inputs_of: Callable[[Any, Any], T], given: Any, known: Known) -> T:
    """Inputs by the reading of the checkpoint, which may be a stranger's."""
    try:
        return inputs_of(given, known.reading)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, SamcliError):
            raise
        raise DataError(
            f"What the checkpoint says of its inputs is not sound ({type(error).__name__}: {error}); use the samcli "
            "that wrote it."
        ) from error


def _plain_rows(frame: pd.DataFrame, known: Known) -> Tensor:
    """Columns of numbers by their names, or all of them in order where nobody named them."""
    names: Sequence[Any] = columns_of(known) or list(frame.columns)
    columns = []
    for name in names:
        numbers = numbers_of(frame[name])
        unread = np.isnan(numbers) & (texts_of(frame[name]) != "")
        if unread.any():
            odd = frame[name].iloc[int(unread.nonzero()[0][0])]
            raise DataError(f"The column {name!r} must hold numbers, and holds {str(odd)[:40]!r}.")
        columns.append(numbers)
    rows = torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))
    if not bool(rows.isfinite().all()):
        first = int((~rows.isfinite()).any(1).nonzero()[0])
        raise DataError(f"Row {first + 1} of the table has no number in some column; fill it in, or leave it out.")
    return rows


def _of_array(values: Tensor, known: Known) -> Tensor:
    """An array as a batch, once it is seen to be of the network's shape and type."""
    shape = (*known.shape[1:], known.shape[0]) if known.kind == "images" else tuple(known.shape)
    batch = values[None] if values.dim() == len(shape) else values
    if batch.dim() != len(shape) + 1 or tuple(batch.shape[1:]) != shape:
        wanted = " × ".join(map(str, ("N", *shape)))
        raise DataError(f"The network takes arrays of {wanted}, not {' × '.join(map(str, values.shape))}.")
    if known.kind == "images":
        if batch.dtype != torch.uint8:
            raise DataError(f"Arrays of images hold numbers of 8 bits from 0 to 255, torch.uint8, not {batch.dtype}.")
        return batch
    if known.kind == "table":
        return batch.to(torch.float32)
    if batch.is_floating_point() or (batch.numel() and not 0 <= int(batch.min()) <= int(batch.max()) < _end(known)):
        raise DataError(f"Tokens are whole numbers from 0 to {_end(known) - 1}.")
    return batch.to(torch.int64)


def _tensor(values: Any) -> Tensor:
    # torch warns of arrays that may not be written to, such as those that Pillow gives
    return values.cpu() if isinstance(values, Tensor) else torch.from_numpy(np.array(values))


def _end(known: Known) -> int:
    return known.shape.vocabulary


def _image(one: Any, reading: ImageReading, known: Known) -> Tensor:
    from PIL import Image

    if isinstance(one, np.ndarray | Tensor):
        return _of_array(_tensor(one), known)[0]
    if isinstance(one, str | Path):
        one = Path(one)
    elif not isinstance(one, Image.Image):
        raise _refusal(one, "images")
    return _of_array(image_pixels(one, reading), known)[0]


def _text(one: Any) -> str:
    if not isinstance(one, str):
        raise _refusal(one, "tokens")
    return one


def _several(inputs: Any) -> Sequence[Any]:
    several: Sequence[Any] = inputs if isinstance(inputs, list | tuple) else [inputs]
    if not several:
        raise ConfigError("There are no inputs; give at least one.")
    return several


def _refusal(given: object, kind: str) -> ConfigError:
    return ConfigError(f"The network takes {_CALLED[kind]}, not a {type(given).__name__}.")
