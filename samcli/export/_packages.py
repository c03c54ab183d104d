"""The packages of trackers: whether they are there, and what they are told before they are imported."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from samcli.errors import ConfigError
from samcli.words import joined

EXTRA = "pip install 'samcli[trackers]'"
# packages look at these when they are imported, and some report home unless told not to
SILENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "WANDB_ERROR_REPORTING": "false",
    "WANDB_MODE": "offline",
    "DO_NOT_TRACK": "true",
}


def require(form: str, packages: Sequence[str]) -> None:
    """Return if the packages of a format can be imported.

    Raises:
        ConfigError: one is missing.

    >>> require("parquet", ["no_such_package"])
    Traceback (most recent call last):
    samcli.errors.ConfigError: --to parquet needs no_such_package; install it with: pip install 'samcli[trackers]'
    """
    missing = []
    with environment(SILENT):
        for package in packages:
            try:
                importlib.import_module(package)
            except ImportError:
                missing.append(package)
    if missing:
        them = "it" if len(missing) == 1 else "them"
        raise ConfigError(f"--to {form} needs {joined(missing)}; install {them} with: {EXTRA}")


@contextmanager
def environment(values: Mapping[str, str], without: str | None = None) -> Iterator[None]:
    """Within the block the environment has these values, and no others whose names begin with `without`.

    >>> with environment({"WANDB_MODE": "offline"}, without="WANDB_"):
    ...     [name for name in os.environ if name.startswith("WANDB_")]
    ['WANDB_MODE']
    """
    before = dict(os.environ)
    for name in before:
        if without is not None and name.startswith(without):
            del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)
