"""Calling the command in this process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from samcli.cli.app import main


@dataclass
class Called:
    code: int
    out: str
    err: str


@pytest.fixture
def samcli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Called]:
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Called:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Called(code or 0, captured.out, captured.err)

    return call
