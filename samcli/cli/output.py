"""One way out: results to standard output, everything else to standard error; both pass through `samcli.escape`."""

from __future__ import annotations

import csv
import io
import os
import shlex
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from samcli.errors import ConfigError
from samcli.escape import STAND_IN, csv_cell, json_text, spelled_out, visible

NARROWEST, WIDEST = 20, 10_000  # characters in a line that tables are made for


def take_any_character() -> None:
    """Let both streams write what their encoding lacks in words: rho for ρ where there are no Greek letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=STAND_IN)


def laid_out(clauses: Sequence[str], indent: int = 0) -> list[str]:
    """The lines of several clauses: one where it has room for all, else each has lines of its own below the first.

    Args:
        clauses: at least one.
        indent: characters that stand before the first.

    >>> laid_out(["wine: 178 examples", "3 columns"])
    ['wine: 178 examples, 3 columns']
    >>> laid_out(["a.csv: 9 rows", "word " * 14 + "end", "id left out"])[2:]
    ['  id left out']
    """
    width = terminal_width() or shutil.get_terminal_size().columns
    line = ", ".join(clauses)
    if indent + len(line) <= width:
        return [line]
    first, further = (" " * (indent + step) for step in (2, 4))
    lines = [
        part
        for clause in clauses[1:]
        for part in textwrap.wrap(
            clause,
            max(width, NARROWEST),
            initial_indent=first,
            subsequent_indent=further,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
    return [clauses[0], *lines]


def result(text: str) -> None:
    """Print a result.

    >>> result("results/quickstart")
    results/quickstart
    """
    _write(visible(text, keep="\n") + "\n", sys.stdout)


def document(content: Any) -> None:
    """Print one JSON document; what JSON has no number for becomes null.

    >>> document({"rho": 0.05, "sharpness": float("nan")})
    {
      "rho": 0.05,
      "sharpness": null
    }
    """
    _write(json_text(strict(content)) + "\n", sys.stdout)


def comma_separated(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as CSV, with a column for whatever any of them has; what a row has not, or is None, stays empty.

    >>> comma_separated([{"run": "a", "trace": 9.5}, {"run": "b", "epoch": 3}])
    run,trace,epoch
    a,9.5,
    b,,3
    """
    _write(csv_text(rows), sys.stdout)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows that `comma_separated` prints."""
    columns = dict.fromkeys(key for row in rows for key in row)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(csv_cell, columns))
    writer.writerows([csv_cell(row.get(column, "")) for column in columns] for row in rows)
    return text.getvalue()


def text(lines: str) -> None:
    r"""Print a result that brings its line breaks and is safe for a terminal, such as a table of the room `report`.

    >>> text("a table\nof two lines\n")
    a table
    of two lines
    """
    _write(spelled_out(lines, sys.stdout.encoding or "utf-8"), sys.stdout)


def shows_bold() -> bool:
    """Whether standard output is a terminal that shows bold text.

    >>> shows_bold()  # in a file, as here
    False
    """
    from rich.console import Console

    return Console(file=sys.stdout).color_system is not None


def terminal_width() -> int | None:
    """The characters in a line: COLUMNS of the environment, else those of the terminal; None where there is none.

    >>> from unittest.mock import patch
    >>> with patch.dict(os.environ, COLUMNS="60"):
    ...     terminal_width()
    60
    """
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return min(max(int(asked), NARROWEST), WIDEST)
    return max(shutil.get_terminal_size().columns, NARROWEST) if sys.stdout.isatty() else None


def aside(text: str) -> str:
    r"""The text as it is shown beside results: in a name of several lines none can pose as one of samcli's own.

    >>> aside("no run named 'a\nsamcli: all is well\x07'")
    "no run named 'a\n  samcli: all is well\\x07'"
    """
    return visible(text, keep="\n").replace("\n", "\n  ")


_HINTS, _DETAILS = 1, 2
_said = [_HINTS]  # how much is said on standard error


_typed: list[str] = []  # the arguments of the command


def typed() -> str:
    """The command as it was typed, to be typed again with something more."""
    return shlex.join(["samcli", *_typed])


def begin(arguments: Sequence[str]) -> None:
    """Begin a command as it was typed, with the usual hints."""
    _typed[:] = arguments
    say()


def say(*, quiet: bool = False, verbose: bool = False) -> None:
    """How much is said besides the result: only errors and warnings, hints too, or details too."""
    if quiet and verbose:
        raise ConfigError("--quiet and --verbose exclude each other; leave one out.")
    _said[0] = 0 if quiet else _DETAILS if verbose else _HINTS


def is_quiet() -> bool:
    """Whether only errors, warnings and the result are wanted."""
    return _said[0] == 0


def warn(text: str) -> None:
    """Say on standard error what is to be known in any case: an error, a warning."""
    _write(_broken(aside(text)) + "\n", sys.stderr)


def _broken(text: str) -> str:
    """The text with its lines broken between words, where a terminal would break them anywhere."""
    if not sys.stderr.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, NARROWEST)
    lines = (
        textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False, drop_whitespace=True) or [""]
        for line in text.split("\n")
    )
    return "\n".join(part for line in lines for part in line)


def hint(text: str) -> None:
    """Say on standard error something that is no result: progress, what to do next.

    >>> hint("The table again: samcli compare results/quickstart")
    """
    if _said[0] >= _HINTS:
        warn(text)


def detail(text: str) -> None:
    """Say on standard error what only who asks for it wants to know."""
    if _said[0] >= _DETAILS:
        warn(text)


def status(text: str) -> None:
    """Say on a terminal what is being done; the next text takes its place, and an empty one ends it.

    >>> status("  lambda-max ...")
    >>> status("")
    """
    if sys.stderr.isatty() and not is_quiet():
        _write(f"\r\x1b[K{visible(text)}", sys.stderr)


def _write(text: str, stream: TextIO) -> None:
    """Write to a stream; when nobody reads it any more (`samcli list | head -1`) the command goes on in silence."""
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def strict(content: Any) -> Any:
    """The same content in the types of JSON.

    >>> strict({"a": (1, float("inf")), "b": None})
    {'a': [1, None], 'b': None}
    """
    if isinstance(content, dict):
        return {str(key): strict(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [strict(value) for value in content]
    if isinstance(content, float):
        return content if abs(content) < float("inf") else None
    return content if content is None or isinstance(content, (bool, int, str)) else str(content)
