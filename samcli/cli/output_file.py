"""The file that `--output` names, looked at before anything is computed for it."""

from __future__ import annotations

import os
from pathlib import Path

from samcli.errors import ConfigError

PICTURES = (".png", ".svg", ".pdf")


def check_picture(output: Path) -> None:
    """Refuse a name that a picture cannot have.

    Raises:
        ConfigError: another suffix, or a folder that cannot be written to.

    >>> check_picture(Path("gap.jpg"))
    Traceback (most recent call last):
    samcli.errors.ConfigError: --output gap.jpg: a picture ends in .png, .svg or .pdf.
    """
    if output.suffix.lower() not in PICTURES:
        raise ConfigError(f"--output {output}: a picture ends in {', '.join(PICTURES[:-1])} or {PICTURES[-1]}.")
    check_output_file(output)


def check_output_file(output: Path) -> None:
    """Refuse a file that cannot be written.

    Raises:
        ConfigError: a folder stands there, or its folder cannot be written to.

    >>> check_output_file(Path("."))
    Traceback (most recent call last):
    samcli.errors.ConfigError: --output . cannot be written; name a file in a folder of yours.
    """
    folder = next(parent for parent in output.absolute().parents if parent.exists())
    if output.is_dir() or not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise ConfigError(f"--output {output} cannot be written; name a file in a folder of yours.")
