"""One way out: results to standard output, everything else to standard error."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any


def result(text: str) -> None:
    """Print a result."""
    print(text, file=sys.stdout, flush=True)


def document(content: Any) -> None:
    """Print one JSON document; what JSON has no number for becomes null."""
    result(json.dumps(strict(content), indent=2, ensure_ascii=False))


def comma_separated(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as CSV, with a column for whatever any of them has; what a row has not, or is None, stays empty."""
    columns = dict.fromkeys(key for row in rows for key in row)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    result(text.getvalue().rstrip("\n"))


def text(lines: str) -> None:
    """Print a result that ends with a line break, such as a table; an empty one prints nothing."""
    print(lines, end="", file=sys.stdout, flush=True)


def shows_bold() -> bool:
    """Whether standard output is a terminal that shows bold text."""
    from rich.console import Console

    return Console(file=sys.stdout).color_system is not None


def terminal_width() -> int:
    """Characters in a line: the terminal's, or 100 where there is none."""
    return shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100


def hint(text: str) -> None:
    """Say something that is no result: progress, a warning, what to do next."""
    print(text, file=sys.stderr, flush=True)


def status(text: str) -> None:
    """Say on a terminal what is being done; the next text takes its place, and an empty one ends it."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


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
