"""Paths of a user's own data: the same file or folder from wherever it is named."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from samcli.errors import ConfigError, require_utf8


class OfPath:
    """What data sets have in common whose name is `PREFIX:PATH`.

    Attributes:
        FORM: how the name is written.
        NOUN: what the path is one of.
        argument: the path, absolute in a configuration.
    """

    FORM: ClassVar[str]
    NOUN: ClassVar[str] = "file"
    argument: str

    @property
    def label(self) -> str:
        """The name of the file or folder itself."""
        return Path(self.argument).name or self.argument

    @classmethod
    def canonical(cls, argument: str) -> str:
        """The absolute path: the same from wherever it is named, and never another one.

        Raises:
            ConfigError: it is no path, or one that cannot be written into a configuration.
        """
        return resolved(argument, cls.FORM, cls.NOUN)


def resolved(argument: str, form: str, noun: str = "file") -> str:
    """The absolute path that the argument of a data set's name stands for, and never another one.

    Args:
        argument: as a user wrote it.
        form: how the name is written: `csv:FILE`.
        noun: what the path is one of.

    Raises:
        ConfigError: it is no path, or one that cannot be written into a configuration.

    >>> resolved("/data/../data/a.csv", "csv:FILE")
    '/data/a.csv'
    """
    require_utf8(argument)
    try:
        return require_utf8(str(Path(argument).expanduser().resolve()))
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"{form.partition(':')[0]}:{argument} names no {noun} ({error}); give {form}.") from error


def resolved_file(path: str | None) -> str | None:
    """The absolute path of a file that an option names, if it names one.

    Raises:
        ConfigError: as for `resolved`.

    >>> resolved_file("/data/../data/a.csv")
    '/data/a.csv'
    """
    if path is None:
        return None
    try:
        return require_utf8(str(Path(require_utf8(path)).expanduser().resolve()))
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigError(f"{path!r:.100} names no file ({error}).") from error


def is_file_of(name: str, suffixes: tuple[str, ...]) -> bool:
    """Whether a name that is no data set's is the path of a file with one of these suffixes.

    >>> is_file_of("nowhere.csv", (".csv",))
    False
    """
    try:
        return Path(name).suffix.lower() in suffixes and Path(name).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):  # no name that a file has
        return False
