"""Values of several checkpoints, in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any

import typer

from samcli.cli.output import comma_separated, document, hint, shows_bold, terminal_width, text


class Format(StrEnum):
    """The ways to write the values."""

    table = "table"
    csv = "csv"
    json = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="How the values are written.")]


def show_values(
    form: Format,
    *,
    table: Callable[..., str],
    records: Callable[[], list[dict[str, Any]]],
    documents: Callable[[], Any],
    legend: Sequence[str],
) -> None:
    """Print a row for each checkpoint; what explains the table goes to standard error.

    Args:
        form: in which way.
        table: of a width and a choice of bold text.
        records: the rows of a CSV.
        documents: the same with every detail, as plain values for JSON.
        legend: sentences.
    """
    if form is Format.json:
        document(documents())
    elif form is Format.csv:
        comma_separated(records())
    else:
        text(table(width=terminal_width(), color=shows_bold()))
        for line in legend:
            hint(line)
