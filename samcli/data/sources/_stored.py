"""One stored image: a file of its own, or a stretch of a file that holds many."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a file.

    Attributes:
        path: the file.
        offset: bytes before the stretch.
        size: bytes in it.
        name: what it is called within the file, in messages.

    >>> print(Region(Path("pets.tar"), 512, 99, "cat.jpg"))
    pets.tar: cat.jpg
    """

    path: Path
    offset: int
    size: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}: {self.name}"

    def open(self) -> BinaryIO:
        """The stretch as a file that is read from its beginning and ends where it ends.

        It is opened anew each time, so that threads and processes read the same file without knowing of one another.

        Raises:
            OSError: the file cannot be opened, or has become shorter.
        """
        if self.size > _BUFFER:
            return io.BufferedReader(_Window(self), _BUFFER)
        with io.FileIO(self.path) as file:
            file.seek(self.offset)
            content = file.read(self.size) or b""
        if len(content) < self.size:
            raise self.shortened()
        return io.BytesIO(content)

    def shortened(self) -> OSError:
        """The error of a stretch that does not lie in the file any more."""
        return OSError(f"{self.path} has become shorter")


StoredImage: TypeAlias = Path | Region
_BUFFER = 2**16  # bytes that are read of a stretch at a time, as many as Pillow asks for; most images have fewer


def opened(stored: StoredImage) -> AbstractContextManager[Path | BinaryIO]:
    """What Pillow is given to open an image; where that is an open file, the block closes it.

    >>> with opened(Path("cat.jpg")) as file:
    ...     print(file)
    cat.jpg
    """
    return nullcontext(stored) if isinstance(stored, Path) else stored.open()


class _Window(io.RawIOBase):
    """The bytes of a region, read when they are asked for: a header takes no more than its block."""

    def __init__(self, region: Region) -> None:
        super().__init__()
        self._region, self._at = region, 0
        self._file = io.FileIO(region.path)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._region.size}[whence]
        if start + offset < 0:
            raise ValueError(f"There is no place {start + offset} in a file.")
        self._at = start + offset
        return self._at

    def readinto(self, into: WriteableBuffer, /) -> int:
        room = memoryview(into)
        wanted = min(len(room), max(0, self._region.size - self._at))
        if not wanted:
            return 0
        self._file.seek(self._region.offset + self._at)
        got = self._file.readinto(room[:wanted]) or 0
        if not got:
            raise self._region.shortened()
        self._at += got
        return got

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()
