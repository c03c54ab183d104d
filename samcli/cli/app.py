"""The command `samcli`."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

import typer

from samcli.allocator import keep_freed_memory
from samcli.cli import check, compare, landscape, listing, sharpness, train
from samcli.cli.output import hint, take_any_character
from samcli.errors import SamcliError

app = typer.Typer(
    name="samcli",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Does sharpness-aware minimisation (SAM) help on your problem, at which radius, and at what cost?",
    epilog="Start with: samcli train",
)
app.command("train", epilog=train.EXAMPLE)(train.train)
app.command("compare", epilog=compare.EXAMPLE)(compare.compare)
app.command("sharpness", epilog=sharpness.EXAMPLE)(sharpness.sharpness)
app.command("landscape", epilog=landscape.EXAMPLE)(landscape.landscape)
app.command("list", epilog=listing.EXAMPLE)(listing.listing)
app.command("check", epilog=check.EXAMPLE)(check.check)


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version.", is_eager=True),
) -> None:
    if version:
        from samcli import __version__

        typer.echo(f"samcli {__version__}")
        raise typer.Exit
    keep_freed_memory()  # before a command makes its first tensor


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and end the process with its exit code.

    An error that a user can cause ends as a sentence; any other keeps its traceback.
    """
    take_any_character()
    try:
        app(args=arguments, prog_name="samcli")
    except SystemExit as ended:
        if ended.code != 130:  # what typer makes of a Ctrl-C that nobody caught: while modules load
            raise
        hint("samcli: Interrupted; the same command begins again, or continues.")
        sys.exit(75)
    except SamcliError as error:
        hint(f"samcli: {error}")
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in _SENTENCES:
            raise
        where = f" ({error.filename})" if error.filename else ""
        hint(f"samcli: {_SENTENCES[error.errno]}{where}")
        sys.exit(2)
    return 0


_SENTENCES = {
    errno.ENOSPC: "The disk is full; free some space and run the same command again, finished epochs are kept.",
    errno.EDQUOT: "The disk quota is used up; free some space and run the same command again.",
    errno.EACCES: "Permission denied; choose another folder with --results, or change its permissions.",
    errno.EPERM: "Permission denied; choose another folder with --results, or change its permissions.",
    errno.EROFS: "The file system is read-only; choose another folder with --results.",
    errno.ENOTDIR: "A file stands where a folder is needed; choose another folder with --results.",
}
