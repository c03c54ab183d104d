"""Something done to each of many stored images by threads, and one sentence for all that cannot be read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from samcli.data.sources._stored import Region, StoredImage
from samcli.errors import DataError

_CHUNK = 64  # images for a thread at a time

Item = TypeVar("Item")
Result = TypeVar("Result")


def of_each(
    pool: ThreadPoolExecutor | None,
    do: Callable[[Item], Result],
    items: Sequence[Item],
    files: Sequence[StoredImage] | None = None,
    advance: Callable[[int], object] = lambda n: None,
) -> list[Result]:
    """What a function makes of each item, in their order.

    >>> with ThreadPoolExecutor(2) as pool:
    ...     of_each(pool, len, ["a.png", "of.png"])
    [5, 6]

    Args:
        pool: the threads; None for this one.
        do: the function; whatever it raises is taken for a fault of the file.
        items: the files, or what stands for them.
        files: the files by the order of the items, if these are something else.
        advance: told how many more are done.

    Raises:
        DataError: it fails for some; the message names the first file and says how many there are.
    """

    def of_chunk(chunk: Sequence[Item]) -> list[Result | Exception]:
        made: list[Result | Exception] = []
        for item in chunk:
            try:
                made.append(do(item))
            except Exception as error:  # decoders raise whatever a damaged file leads them to
                made.append(error)
        advance(len(chunk))
        return made

    chunks = [items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK)]
    results = list(itertools.chain.from_iterable((pool.map if pool else map)(of_chunk, chunks)))
    failed = [(i, result) for i, result in enumerate(results) if isinstance(result, Exception)]
    if failed:
        first, error = failed[0]
        names: Sequence[object] = items if files is None else files
        raise _unreadable(names[first], error, others=len(failed) - 1) from error
    return [result for result in results if not isinstance(result, Exception)]


def _unreadable(stored: object, error: Exception, others: int) -> DataError:
    if isinstance(error, MemoryError):
        reason = "there is not enough memory to decode it"
    elif isinstance(stored, Region) and type(error).__name__ == "UnidentifiedImageError":
        reason = "Pillow knows no such format"  # its own sentence names an open file, and no image
    else:
        reason = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
    noun, place = ("image", "shard") if isinstance(stored, Region) else ("file", "folder")
    if not others:
        return DataError(f"{stored} is not a readable image ({reason}); repair it or take it out of the {place}.")
    more = f"1 other {noun}" if others == 1 else f"{others:,} other {noun}s"
    return DataError(
        f"{stored} is not a readable image ({reason}), and neither {'is' if others == 1 else 'are'} {more}; "
        f"repair them or take them out of the {place}."
    )
