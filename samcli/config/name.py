"""The name that an experiment has, and with it the folder of its results, where nobody gives it one."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import PurePath

LONGEST = 100  # characters, as of a name that is given
_SUFFIX = re.compile(r"(?<=.)\.[A-Za-z]{2,8}$")  # of a file; `pets.v2` has none


def default_name(
    dataset: str, *, beside: Collection[str] = (), known: Collection[str] = (), folders: Collection[str] = ()
) -> str:
    """The name of an experiment by its data set: of a path the last part, without what tells a file's form.

    Earlier versions took the whole path. A folder of that name goes on to be the experiment's, so that a command that
    is repeated finds what it has trained.

    Args:
        dataset: as a configuration has it, with an absolute path.
        beside: the data sets of the same command; two of one name keep their paths.
        known: the names of registered data sets, none of which stands for a file.
        folders: the names of folders that are in the results.

    >>> default_name("csv:/home/me/iris.csv"), default_name("image-folder:/home/me/my pets"), default_name("digits")
    ('iris', 'my-pets', 'digits')
    >>> default_name("csv:/home/me/wine.csv", known=["wine"])
    'csv-wine'
    >>> default_name("csv:/home/me/iris.csv", folders=["csv-home-me-iris-csv"])
    'csv-home-me-iris-csv'
    """
    whole = _plain(dataset)
    last = _last(dataset)
    if not last or whole in folders or sum(_last(other) == last for other in dict.fromkeys(beside)) > 1:
        return whole
    return f"{_plain(dataset.partition(':')[0])}-{last}"[:LONGEST] if last in known else last


def _last(dataset: str) -> str:
    """The last part of an absolute path that a data set's name holds, as the name of a folder; else nothing."""
    path = PurePath(dataset.partition(":")[2])
    return _plain(_SUFFIX.sub("", path.name))[:LONGEST].strip("-") if path.is_absolute() else ""


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")
