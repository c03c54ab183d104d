"""What the help of every command has in common: words for values, and lines that break where the terminal ends."""

from __future__ import annotations

import inspect
import re
from typing import Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from samcli.errors import ConfigError

SETTINGS = {"help_option_names": ["-h", "--help"]}

# what typer calls a type, and what a person would
_WORDS = {
    "<str>": "TEXT",
    "<path>": "PATH",
    "<int>": "N",
    "<int range>": "N",
    "<float>": "X",
    "<float range>": "X",
    "<list[str]>": "TEXT",
}


class Command(TyperCommand):
    """A command with such help."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.help = joined(self.help or "")

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments that are left; a value that does not fit is told in a sentence of ours.

        Raises:
            ConfigError: it does not fit.
        """
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            if not isinstance(error.__cause__, ValueError):  # not one of a type that pydantic checks
                raise
            raise ConfigError(_misfit(error)) from None

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]


class Group(TyperGroup):
    """The command that has the others, with such help; a command's name may be two words."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first words name, and what follows them."""
        if " ".join(args[:2]) in self.commands:
            args = [" ".join(args[:2]), *args[2:]]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """What the TAB key offers; the second of two words is offered after the first."""
        return [item for item in super().shell_complete(ctx, incomplete) if " " not in item.value]

    def get_params(self, ctx: Any) -> list[Any]:
        """The options."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]


def joined(text: str) -> str:
    r"""The text with each paragraph in one line.

    >>> joined("A sentence that goes\non.\n\nAnother.")
    'A sentence that goes on.\n\nAnother.'
    """
    return "\n\n".join(re.sub(r"\s*\n\s*", " ", part) for part in re.split(r"\n\s*\n", inspect.cleandoc(text)))


def _misfit(error: Any) -> str:
    """What a value must be, and what it is."""
    param, given = error.param, error.__cause__.errors()[0]["input"]
    kind = param.display_type(error.ctx)
    if "|" in kind:
        must = f"one of {', '.join(kind.strip('<>').split('|'))}"
    else:
        must = "a whole number" if "int" in kind else "a number" if "float" in kind else "another value"
        bounds = (("at least", getattr(param, "min", None)), ("at most", getattr(param, "max", None)))
        must += " and".join(f" {words} {bound:g}" for words, bound in bounds if bound is not None)
    name = param.opts[0] if isinstance(param, TyperOption) else param.metavar or param.name
    return f"{name} must be {must}, not {str(given)!r}."


def _in_words(param: Any, ctx: Any) -> Any:
    """The parameter with a word for its values; if it is one of a few words, its help lists them."""
    kind = param.display_type(ctx) or ""
    if "|" in kind and not getattr(param, "is_flag", False):
        choices = ", ".join(kind.strip("<>").split("|"))
        if choices not in (param.help or ""):
            param.help = f"{(param.help or '').rstrip('.')}: {choices}."
    if isinstance(param, TyperArgument):  # the name stands in the column before
        param.display_type_rich = lambda ctx: ""  # type: ignore[method-assign]
    elif isinstance(param, TyperOption) and param.metavar is None:
        param.metavar = "" if param.is_flag else _WORDS.get(kind, "WORD")
    return param
