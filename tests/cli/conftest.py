"""Calling the command in this process, with runs that train in it too unless a test says otherwise."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from command import Called, Samcli

from samcli.cli.app import main
from samcli.signals import STOP_SIGNALS


@pytest.fixture
def samcli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Samcli:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Called:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended, kept_handlers():
            main(in_this_process([str(argument) for argument in arguments]))
        captured = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Called(code or 0, captured.out, captured.err)

    return call


@contextmanager
def kept_handlers() -> Iterator[None]:
    """A command that was interrupted ignores further signals while its process ends, and this one does not end."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_this_process(arguments: list[str]) -> list[str]:
    """The arguments with `--jobs 0` for `train`, so that what a test patches is patched in the runs."""
    told = any(argument.startswith(("--jobs", "--engine", "-h", "--help")) for argument in arguments)
    return arguments if told or arguments[:1] != ["train"] else [*arguments, "--jobs", "0"]
