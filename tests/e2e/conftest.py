"""No command outlives its test."""

from collections.abc import Iterator

import pytest
from real_command import STARTED


@pytest.fixture(autouse=True)
def no_command_left() -> Iterator[None]:
    yield
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()
    STARTED.clear()
