"""What the help of every command has in common: words for values, and lines that break where the terminal ends."""

from __future__ import annotations

import inspect
import re
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

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

    def get_params(self, ctx: Any) -> list[Any]:
        """The options and arguments."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]


class Group(TyperGroup):
    """The command that has the others, with such help."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options."""
        return [_in_words(param, ctx) for param in super().get_params(ctx)]


def joined(text: str) -> str:
    r"""The text with each paragraph in one line.

    >>> joined("A sentence that goes\non.\n\nAnother.")
    'A sentence that goes on.\n\nAnother.'
    """
    return "\n\n".join(re.sub(r"\s*\n\s*", " ", part) for part in re.split(r"\n\s*\n", inspect.cleandoc(text)))


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
