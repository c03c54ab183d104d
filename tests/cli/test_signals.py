"""Signals that ask a command to stop."""

import os
import signal

import pytest

from samcli.cli import signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_interrupts_once_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with signals.signals_as_interrupt():
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), other)  # while what was finished is written
    assert signal.getsignal(number) is before


def test_after_a_while_a_second_one_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "SECONDS_OF_PATIENCE", -1.0)
    with signals.signals_as_interrupt():
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)


def test_what_nohup_ignores_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.signals_as_interrupt():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
