"""Values that flags give: names, and shorthands for what everybody sets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from samcli.config.draft import Draft
from samcli.config.pattern import patterns_of_flags
from samcli.config.source import parse_scalar
from samcli.errors import ConfigError

SHORTHANDS = {
    "lr": "optimizer.lr",
    "rho": "optimizer.rho",
    "batch-size": "batch_size",
    "label-noise": "dataset.label_noise",
    "epochs": "epochs",
}


def names_in(texts: Sequence[str]) -> list[str]:
    r"""The names in the values of a flag, which may be repeated and may hold several with commas between them.

    A path that exists is not cut at its commas, nor is anything at `\,`.

    >>> names_in(["sgd, sam", "asam"]), names_in([r"image-folder:/a\,b,digits"])
    (['sgd', 'sam', 'asam'], ['image-folder:/a,b', 'digits'])

    Raises:
        ConfigError: an empty name.
    """
    names = [name for text in texts for name in _cut(text)]
    if not all(names):
        shown = " ".join(map(repr, texts))
        raise ConfigError(f"An empty name in {shown}; write names with commas between them.")
    return list(dict.fromkeys(names))


def _cut(text: str) -> list[str]:
    parts = [part.replace("\\,", ",") for part in re.split(r"(?<!\\),", text)]
    names = []
    while parts:
        count = next((n for n in range(len(parts), 1, -1) if _is_path(",".join(parts[:n]))), 1)
        names.append(",".join(parts[:count]).strip())
        parts = parts[count:]
    return names


def _is_path(name: str) -> bool:
    """Whether a name is that of a file or folder, or has one after or before its colon."""
    file, _, kind = name.rpartition(":")  # FILE.py:NAME, whose name has no comma
    candidates = [name, name.partition(":")[2], "" if "," in kind else file]
    try:
        return any(Path(candidate).exists() for candidate in candidates if candidate)
    except (OSError, ValueError):  # too long, or a character that no path has
        return False


def values_in(texts: Sequence[str]) -> Any:
    """The value that a flag gives: one, or a list of several, whether repeated, with commas, or written as in a file.

    >>> values_in(["0.05"]), values_in(["0.05,0.1"]), values_in(["[0.05, 0.1]", "0.2"])
    (0.05, [0.05, 0.1], [0.05, 0.1, 0.2])
    """
    values: list[Any] = []
    for text in texts:
        for part in [text] if text.lstrip().startswith("[") else text.split(","):
            value = parse_scalar(part)
            values += value if isinstance(value, list) else [value]
    return values[0] if len(values) == 1 else values


def apply_shorthand(draft: Draft, flag: str, texts: Sequence[str]) -> None:
    """Set what a flag is short for, in every block that has such an option.

    Raises:
        ConfigError: none has it.

    >>> from samcli.config.source import parse
    >>> from samcli.train import CATALOGUE
    >>> draft = Draft.of(parse("{optimizer: [sgd, sam]}", "x.yaml"), CATALOGUE)
    >>> apply_shorthand(draft, "rho", ["0.1,0.2"])
    >>> [run.optimizer.get("rho") for run in draft.expand()]
    [None, 0.1, 0.2]
    """
    key, value = SHORTHANDS[flag], values_in(texts)
    section, dot, inner = key.partition(".")
    if not dot:
        draft.assign(key, value)
    elif not draft.set_in_blocks(section, inner, value):
        example = {"rho": "--optimizer sgd,sam"}.get(flag, f"--{section} with another name")
        names = ", ".join(sorted({str(name) for name in draft.names(section)}))
        raise ConfigError(f"--{flag}: {names} has no option {inner}; choose one that has it, as with {example}.")


def keep_only(draft: Draft, texts: Sequence[str]) -> None:
    """Keep the runs that all of some `KEY=VALUE` hold for, besides what the document keeps.

    Raises:
        ConfigError: not of this form; what no run has is told when the draft is expanded.

    >>> from samcli.config.source import parse
    >>> from samcli.train import CATALOGUE
    >>> draft = Draft.of(parse("{optimizer: [sgd, sam, asam], seeds: 0-4}", "x.yaml"), CATALOGUE)
    >>> keep_only(draft, ["optimizer=sgd,sam", "seeds=0-1"])
    >>> [(run.optimizer["name"], run.seed) for run in draft.expand()], draft.left_out
    ([('sgd', 0), ('sam', 0), ('sgd', 1), ('sam', 1)], 11)
    """
    if texts:
        draft.selection.only.append(patterns_of_flags(texts, names_in))
