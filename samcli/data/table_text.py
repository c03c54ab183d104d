"""The text of a file, a table or another one, whatever it is encoded in."""

from __future__ import annotations

import codecs
from pathlib import Path

from samcli.errors import DataError

_BINARY = {
    b"PK\x03\x04": ("a zip archive, as Excel files are", "save the sheet as CSV"),
    b"\xd0\xcf\x11\xe0": ("an old file of Excel", "save the sheet as CSV"),
    b"\x1f\x8b": ("compressed", "unpack it"),
    b"BZh": ("compressed", "unpack it"),
    b"\xfd7zXZ": ("compressed", "unpack it"),
    b"\x28\xb5\x2f\xfd": ("compressed", "unpack it"),
    b"PAR1": ("Parquet", "let its name end in .parquet"),
    b"%PDF": ("a PDF", "name a table of text"),
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before that of utf-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CONTROLS = dict.fromkeys((*range(9), 11, *range(14, 32)))


def decoded(data: bytes, path: Path, wanted: str = "a table of text, such as CSV") -> tuple[str, str]:
    r"""The text of a file and its encoding: by its mark, else UTF-8, else that of Windows in Western Europe.

    Args:
        data: all bytes of the file.
        path: its name, for messages.
        wanted: what it should be, for messages.

    Raises:
        DataError: it is no text.

    >>> decoded("name\nJosé".encode("cp1252"), Path("x.csv"))
    ('name\nJosé', 'cp1252')
    """
    for magic, (what, advice) in _BINARY.items():
        if data.startswith(magic):
            raise DataError(f"{path} is {what}; {advice} and name that.")
    text, encoding = _decoded(data)
    text = text.removesuffix("\x1a")  # the end of a file of DOS
    sample = text[: 2**20]
    if len(sample.translate(_CONTROLS)) < len(sample):
        raise DataError(f"{path} is no text, for it holds control characters; name {wanted}.")
    return text, encoding


def _decoded(data: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            try:
                return data.decode("utf-8-sig" if encoding == "utf-8" else encoding), encoding
            except UnicodeDecodeError:
                break
    for encoding in (*_sixteen_bits(data), "utf-8", "cp1252"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1"), "latin-1"


def _sixteen_bits(data: bytes) -> tuple[str, ...]:
    """The encoding of 16 bits that has no mark, told by the zeros in every second byte of Latin text."""
    sample = data[: 2**12]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if not sample or max(even, odd) < len(sample) / 4:
        return ()
    return ("utf-16-le",) if odd > even else ("utf-16-be",)
