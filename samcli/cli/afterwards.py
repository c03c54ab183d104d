"""Commands that look at the networks of an experiment once its runs are trained."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from samcli.cli import bound, robustness, sharpness
from samcli.cli.command import Command
from samcli.cli.output import hint, is_quiet
from samcli.errors import ConfigError

COMMANDS: dict[str, Callable[..., None]] = {
    "sharpness": sharpness.sharpness,
    "robustness": robustness.robustness,
    "bound": bound.bound,
}


def check_afterwards(commands: Sequence[str]) -> None:
    """Refuse commands whose options cannot be read, before anything is trained.

    Args:
        commands: each with its options, as on the command line, without samcli and the runs.

    Raises:
        ConfigError: one has an option that the command does not have, or that lacks its value.
    """
    for command in commands:
        name, words = _words(command, Path("results"))
        with _in_sentences(command):
            _command(name).make_context("samcli", words)


def look_at_networks(commands: Sequence[str], experiment: Path, *, data_dir: Path, device: str) -> None:
    """Call commands on all runs of an experiment; what they found before is not looked for again.

    Args:
        commands: see `check_afterwards`.
        experiment: the folder with the runs.
        data_dir: where data sets lie.
        device: where the networks compute.

    Raises:
        ConfigError: an option has a value that it cannot have, or a network cannot be looked at.
        SamcliError: whatever else ends such a command.
    """
    for command in commands:
        name, words = _words(command, experiment)
        hint(shlex.join(["samcli", name, *words]))
        words += ["--data-dir", str(data_dir), "--device", device, "--format", "json"]
        words += ["--quiet"] if is_quiet() else []  # the command says for itself how much it tells
        code = 0
        try:
            # its values are kept beside the checkpoints
            with contextlib.redirect_stdout(io.StringIO()), _in_sentences(command):
                _command(name).main(args=words, prog_name="samcli", standalone_mode=False)
        except typer.Exit as ended:
            code = ended.exit_code
        if code:
            raise ConfigError(f"afterwards: {command}: not all networks of {experiment} could be looked at; see above.")


def _words(command: str, experiment: Path) -> tuple[str, list[str]]:
    """The name of a command, and its arguments.

    Raises:
        ConfigError: a quotation that does not end.
    """
    try:
        name, *options = shlex.split(command)
    except ValueError as error:
        raise ConfigError(f"afterwards: {command}: {error}; close the quotation.") from error
    return name, [str(experiment), *options]


def _command(name: str) -> Any:
    one = typer.Typer(add_completion=False)
    one.command(name, cls=Command)(COMMANDS[name])
    return typer.main.get_command(one)


@contextlib.contextmanager
def _in_sentences(command: str) -> Iterator[None]:
    """Within the block what is wrong with the words of a command is told as of the claim's file."""
    try:
        yield
    except Exception as error:
        if not hasattr(error, "format_message"):  # which what click raises for the words of a command line has
            raise
        raise ConfigError(f"afterwards: {command}: {error.format_message()}") from error
