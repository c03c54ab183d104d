"""Calling the command in this process."""

import pytest
from command import Called, Samcli

from samcli.cli.app import main


@pytest.fixture
def samcli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Samcli:
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
