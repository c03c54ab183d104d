"""The command `samcli`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from samcli.allocator import keep_freed_memory
from samcli.cli import (
    bound,
    check,
    claims,
    compare,
    export,
    export_model,
    landscape,
    listing,
    plot,
    predict,
    report,
    robustness,
    runs,
    sharpness,
    train,
    tune,
)
from samcli.cli.command import SETTINGS, Command, Group
from samcli.cli.output import begin, take_any_character, warn
from samcli.cli.signals import ignore_further, signals_as_interrupt
from samcli.errors import ConfigError, Interrupted, SamcliError, in_words
from samcli.launched import launched, leave

RUN, JUDGE, LOOK_INSIDE, TAKE_AWAY = "Run", "Judge", "Look inside", "Take away"  # panels of the help

app = typer.Typer(
    name="samcli",
    cls=Group,
    context_settings=SETTINGS,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Does sharpness-aware minimisation (SAM) help on your problem, at which radius, and at what cost?",
    epilog="Start with: samcli train",
)
app.command("train", rich_help_panel=RUN, cls=Command, epilog=train.EXAMPLE)(train.train)
app.command("tune", rich_help_panel=RUN, cls=Command, epilog=tune.EXAMPLE)(tune.tune)
app.command("claims", rich_help_panel=RUN, cls=Command, epilog=claims.EXAMPLE)(claims.claims)
app.command("runs", rich_help_panel=RUN, cls=Command, epilog=runs.EXAMPLE)(runs.runs)
app.command("runs rm", rich_help_panel=RUN, cls=Command, epilog=runs.REMOVAL_EXAMPLE)(runs.remove)
app.command("compare", rich_help_panel=JUDGE, cls=Command, epilog=compare.EXAMPLE)(compare.compare)
app.command("plot", rich_help_panel=JUDGE, cls=Command, epilog=plot.EXAMPLE)(plot.plot)
app.command("report", rich_help_panel=JUDGE, cls=Command, epilog=report.EXAMPLE)(report.report)
app.command("sharpness", rich_help_panel=LOOK_INSIDE, cls=Command, epilog=sharpness.EXAMPLE)(sharpness.sharpness)
app.command("robustness", rich_help_panel=LOOK_INSIDE, cls=Command, epilog=robustness.EXAMPLE)(robustness.robustness)
app.command("bound", rich_help_panel=LOOK_INSIDE, cls=Command, epilog=bound.EXAMPLE)(bound.bound)
app.command("landscape", rich_help_panel=LOOK_INSIDE, cls=Command, epilog=landscape.EXAMPLE)(landscape.landscape)
app.command("export", rich_help_panel=TAKE_AWAY, cls=Command, epilog=export.EXAMPLE)(export.export)
app.command("export-model", rich_help_panel=TAKE_AWAY, cls=Command, epilog=export_model.EXAMPLE)(
    export_model.export_model
)
app.command("predict", rich_help_panel=TAKE_AWAY, cls=Command, epilog=predict.EXAMPLE)(predict.predict)
app.command("list", rich_help_panel=RUN, cls=Command, epilog=listing.EXAMPLE)(listing.listing)
app.command("check", rich_help_panel=RUN, cls=Command, epilog=check.EXAMPLE)(check.check)


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

    An error that a user or the machine can cause ends as a sentence; any other keeps its traceback.
    """
    try:
        return _run(arguments)
    except SystemExit as ended:
        if arguments is None and launched()[1] > 1 and isinstance(ended.code, int | None):
            leave(ended.code or 0)
        raise


def _run(arguments: Sequence[str] | None) -> int:
    take_any_character()
    begin(sys.argv[1:] if arguments is None else arguments)
    try:
        with signals_as_interrupt():
            app(args=arguments, prog_name="samcli")
    except SystemExit as ended:
        if ended.code != 130:  # what typer makes of a Ctrl-C that nobody caught
            raise
        _end("Interrupted; the same command begins again, or continues.", Interrupted.exit_code)
    except KeyboardInterrupt:  # before typer began, or while it ended
        _end("Interrupted; the same command begins again, or continues.", Interrupted.exit_code)
    except SamcliError as error:
        _end(str(error), error.exit_code)
    except Exception as error:
        if (sentence := in_words(error)) is not None:
            _end(sentence, SamcliError.exit_code)
        from samcli.registry import plugin_fault

        if (sentence := plugin_fault(error)) is None:
            raise
        _end(sentence, ConfigError.exit_code)
    return 0


def _end(sentence: str, code: int) -> NoReturn:
    warn(f"samcli: {sentence}")
    if code == Interrupted.exit_code:
        ignore_further()
    sys.exit(code)
