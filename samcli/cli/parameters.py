"""Parameters of measures and tests, as KEY=VALUE on the command line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from samcli.errors import ConfigError

if TYPE_CHECKING:
    from samcli.registry import Option


def assignments(flags: Mapping[str, Any], given: Sequence[str]) -> list[str]:
    """What flags and `--set` say together.

    Args:
        flags: values by the key that each flag stands for; None where it is left out.
        given: the texts of `--set`.

    Raises:
        ConfigError: a key is said by a flag and by `--set`.
    """
    for assignment in given:
        if flags.get(key := assignment.partition("=")[0]) is not None:
            raise ConfigError(f"--set {assignment} gives {key} a second time; leave one out.")
    return [*(f"{key}={value}" for key, value in flags.items() if value is not None), *given]


def parameters_of(
    given: Sequence[str],
    options: Mapping[str, Option],
    several: Collection[str],
    what: str,
    read: Mapping[str, Callable[[str], Any]],
) -> dict[str, Any]:
    """The values that assignments give, checked against the options; of some keys there may be several, with commas.

    Args:
        given: KEY=VALUE each.
        options: by their keys.
        several: the keys that may have several values, which are then a list.
        what: the options are of, for messages.
        read: by key, what makes a number of a text that YAML would not take for one.

    Raises:
        ConfigError: no such key, or a value that it cannot have.
    """
    from samcli.config import check_flags

    found: dict[str, Any] = {}
    for assignment in given:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise ConfigError(f"--set {assignment}: write KEY=VALUE, for example --set steps=50.")
        texts = text.split(",") if key in several else [text]
        if key in options and key in read:
            texts = [repr(read[key](part)) for part in texts]
        values = list(dict.fromkeys(check_flags(options, {key: part}, what)[key] for part in texts))
        found[key] = values if len(values) > 1 else values[0]
    return found
