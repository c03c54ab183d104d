"""Signals that ask a command to stop."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from samcli.cli import signals

ALL = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    usual = {signal.SIGINT: signal.default_int_handler}  # whatever the tests were started under, as nohup
    before = {number: signal.signal(number, usual.get(number, signal.SIG_DFL)) for number in ALL}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ALL)
def test_each_interrupts_once(number: signal.Signals) -> None:
    with signals.signals_as_interrupt():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        for other in ALL:
            os.kill(os.getpid(), other)  # while what was finished is written
    for other in ALL:
        os.kill(os.getpid(), other)  # while the process ends


def test_after_a_while_a_second_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "SECONDS_OF_PATIENCE", -1.0)
    with signals.signals_as_interrupt():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)


def test_without_any_the_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in ALL]
    with signals.signals_as_interrupt():
        assert signal.getsignal(signal.SIGHUP) is not before[2]
    assert [signal.getsignal(number) for number in ALL] == before


def test_what_nohup_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with signals.signals_as_interrupt():
        os.kill(os.getpid(), signal.SIGHUP)


def test_an_interrupt_of_an_executed_text_changes_no_exit_code(tmp_path: Path) -> None:
    """As one does that comes while a module is imported that makes a dataclass."""
    (tmp_path / "interrupted.py").write_text(
        "from samcli.cli import app\n"
        "def text(**options):\n"
        "    exec('raise KeyboardInterrupt')\n"
        "app.app = text\n"
        "app.main([])\n"
    )
    called = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert called.returncode == 75, called.stderr
    assert "samcli: Interrupted; the same command begins again" in called.stderr
