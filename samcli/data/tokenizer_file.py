"""The file of a tokenizer, and that of the library `tokenizers`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from samcli.errors import DataError


def tokenizer_content(file: Path) -> bytes:
    """The bytes of a tokenizer's file.

    Raises:
        DataError: it cannot be read.
    """
    try:
        if not file.is_file():
            raise DataError(
                f"There is no tokenizer {file}; give dataset.tokenizer the path of a tokenizer's file, such as "
                "tokenizer.json."
            )
        return file.read_bytes()
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}); see to its permissions.") from None


def with_tokenizer(digest: str, file: Path | None) -> str:
    """The digest of files together with the tokenizer that reads them, if any.

    >>> with_tokenizer("ab12", None)
    'ab12'
    """
    if file is None:
        return digest
    return hashlib.sha256(digest.encode() + tokenizer_content(file)).hexdigest()


def library_tokenizer(content: bytes, name: str, otherwise: str) -> Any:
    """A tokenizer of the library `tokenizers`, which neither cuts nor pads.

    Args:
        content: of its `tokenizer.json`.
        name: of the file, for messages.
        otherwise: what there is without one, as the end of "or leave dataset.tokenizer out ...".

    Raises:
        DataError: it is none, or the library is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise DataError(
            "A tokenizer is read by the package tokenizers, which is not installed; install samcli[text], or leave "
            f"dataset.tokenizer out {otherwise}."
        ) from None
    try:
        tokenizer: Any = Tokenizer.from_buffer(content)
    except Exception as error:  # the library raises a plain one
        reason = str(error).splitlines()[0].rstrip(".")
        raise DataError(
            f"{name} is no tokenizer ({reason}); give the tokenizer.json of the library tokenizers."
        ) from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
