"""A call of the command in the process of the tests."""

from dataclasses import dataclass
from typing import Protocol


@dataclass
class Called:
    """What a call came to: its exit code, and what it printed to standard output and standard error."""

    code: int
    out: str
    err: str


class Samcli(Protocol):
    """Calls the command with these arguments; whatever it is, a path or a number, becomes a text."""

    def __call__(self, *arguments: object) -> Called: ...
