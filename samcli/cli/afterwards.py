"""Commands that look at the networks of an experiment once its runs are trained."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from samcli.cli import bound, robustness, sharpness
from samcli.cli.command import Command
from samcli.cli.output import hint, is_quiet, warn
from samcli.errors import ConfigError
from samcli.words import joined

COMMANDS: dict[str, Callable[..., None]] = {
    "sharpness": sharpness.sharpness,
    "robustness": robustness.robustness,
    "bound": bound.bound,
}
ASKED_FOR: dict[str, tuple[Callable[..., object], tuple[str, ...]]] = {  # who reads values, and which options have them
    "sharpness": (sharpness.asked_for, ("measure", "rho", "eta", "m", "set_")),
    "robustness": (robustness.asked_for, ("test", "eps", "shift", "other_classes", "set_")),
    "bound": (dict, ()),
}
NOWHERE = Path("results")  # stands for the runs, where there are none yet


def check_afterwards(commands: Sequence[str]) -> None:
    """Refuse commands with options or values that they cannot have, before anything is trained.

    Args:
        commands: each with its options, as on the command line, without samcli and the runs.

    Raises:
        ConfigError: one has an option that the command does not have, or that lacks its value; names runs or what
            there is none of; asks for nothing but help.
    """
    for command in commands:
        name, words = _words(command, NOWHERE)
        with _in_sentences(command):
            given = _parsed(name, words)
            if others := [str(one) for one in given["checkpoints"] if Path(one) != NOWHERE]:
                raise ConfigError(
                    f"{joined(others)} stands for runs of others; leave it out, for the command looks at those of the "
                    "claim, or put the option before it that it is meant for."
                )
            _check_values(name, given)


def _parsed(name: str, words: list[str]) -> Mapping[str, Any]:
    """The values of a command's options.

    Raises:
        ConfigError: one of the options is --help, or a value does not fit.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return dict(_command(name).make_context("samcli", words).params)
    except typer.Exit:
        raise ConfigError("help looks at no network; leave --help out.") from None


def _check_values(name: str, given: Mapping[str, Any]) -> None:
    """Refuse what the command itself would refuse of its values, by the same functions.

    Raises:
        ConfigError: no such measure, test or parameter, or a value that it cannot have.
    """
    from samcli.registry import load_plugin

    for file in given["plugin"] or ():
        load_plugin(file)
    asked_for, keys = ASKED_FOR[name]
    asked_for(**{key: given[key] for key in keys})


def look_at_networks(commands: Sequence[str], experiment: Path, *, data_dir: Path, device: str) -> bool:
    """Call commands on all runs of an experiment; what they found before is not looked for again.

    Args:
        commands: see `check_afterwards`.
        experiment: the folder with the runs.
        data_dir: where data sets lie.
        device: where the networks compute.

    Returns:
        Whether all networks could be looked at; which could not is told.

    Raises:
        ConfigError: an option has a value that it cannot have.
        SamcliError: whatever else ends such a command.
    """
    complete = True
    for command in commands:
        name, words = _words(command, experiment)
        hint(shlex.join(["samcli", name, *words]))
        words += ["--data-dir", str(data_dir), "--device", device, "--format", "json"]
        words += ["--quiet"] if is_quiet() else []  # the command says for itself how much it tells
        # its values are kept beside the checkpoints
        with contextlib.redirect_stdout(io.StringIO()), _in_sentences(command):
            code = _command(name).main(args=words, prog_name="samcli", standalone_mode=False)
        if code:
            warn(
                f"warning: afterwards: {command}: not all networks of {experiment} could be looked at, and the verdict "
                "is without those; see above."
            )
            complete = False
    return complete


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
    except ConfigError as error:
        raise ConfigError(f"afterwards: {command}: {error}") from error
    except Exception as error:
        if not hasattr(error, "format_message"):  # which what click raises for the words of a command line has
            raise
        raise ConfigError(f"afterwards: {command}: {error.format_message()}") from error
