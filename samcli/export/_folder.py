"""A folder that is written as a whole, and that replaces nothing but an earlier one of its kind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import samcli
from samcli.errors import ConfigError, ResultsError

MARK = "samcli-export.json"
_OF_TOOLS = (".synced", "-journal", "-wal", "-shm")  # what wandb sync and SQLite leave beside the files that they read


@contextmanager
def whole_folder(output: Path, form: str) -> Iterator[Path]:
    """A temporary folder beside `output` that gets its name when the block ends well.

    It is marked with a file that names its form and its files. If the block raises anything, Ctrl-C included, what
    stood there stays as it was; a killed process leaves a hidden folder `.NAME.HEX.tmp`, which may be deleted.

    Args:
        output: the folder to make or to replace.
        form: a key of `samcli.export.FORMATS`.

    Raises:
        ConfigError: what stands there is no export of this form, or holds files that samcli did not write.
        ResultsError: the disk is full, or the folder may not be written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_folder(Path(folder, "out"), "wandb") as temporary:
    ...         _ = Path(temporary, "a").write_text("b")
    ...     sorted(file.name for file in Path(folder, "out").iterdir())
    ['a', 'samcli-export.json']
    """
    check(output, form)
    temporary = output.with_name(f".{output.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        mark = {"samcli": samcli.__version__, "export": form, "files": _files(temporary)}
        (temporary / MARK).write_text(json.dumps(mark, indent=1) + "\n", encoding="utf-8")
        check(output, form)  # it may have changed meanwhile
        _swap(temporary, output)
    except OSError as error:
        raise ResultsError(
            f"Cannot write {output}: {error.strerror or error}. Make room there, or name another place with -o."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check(output: Path, form: str) -> None:
    """Return if a folder may be made there, or replaced.

    Raises:
        ConfigError: what stands there is no export of this form, or holds files that samcli did not write.

    >>> check(Path("nowhere"), "wandb")
    """
    if not os.path.lexists(output) or (output.is_dir() and not any(output.iterdir())):
        return
    mark = _mark(output)
    if mark.get("export") != form:
        raise refusal(output, form)
    known = mark.get("files")
    foreign = sorted(set(_files(output)) - {MARK} - set(known if isinstance(known, list) else []))
    foreign = [name for name in foreign if not name.endswith(_OF_TOOLS)]
    if foreign:
        raise ConfigError(
            f"{output} holds {foreign[0]}, which samcli did not write; move it away, or name another place with -o."
        )


def refusal(output: Path, form: str) -> ConfigError:
    """The error for a place where something else stands.

    >>> print(refusal(Path("thesis"), "wandb"))
    thesis is there and is no export of samcli to wandb; name another place with -o.
    """
    return ConfigError(f"{output} is there and is no export of samcli to {form}; name another place with -o.")


def _mark(folder: Path) -> dict[str, object]:
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _files(folder: Path) -> list[str]:
    """The files in a folder, and links, which are not followed, by their paths in it."""
    found = []
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        found += [Path(root, name).relative_to(folder).as_posix() for name in (*names, *links)]
    return sorted(found)


def _swap(temporary: Path, output: Path) -> None:
    """Give the folder its name, once an earlier one is put aside: no rename replaces a folder that holds something."""
    aside = output.with_name(f".{output.name}.{secrets.token_hex(4)}.tmp")
    if output.exists():
        output.rename(aside)
    try:
        temporary.rename(output)
    except OSError:
        with suppress(OSError):
            aside.rename(output)
        raise
    shutil.rmtree(aside, ignore_errors=True)
