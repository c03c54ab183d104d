"""The server of processes: who stops the command does not stop it in the midst of an import."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = """
import signal, sys, time
from samcli import forkserver
handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
forkserver.PRELOADED[:] = ["slow_to_import"]
forkserver.begin()
assert handlers == [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
print("begun", flush=True)
try:
    time.sleep(30)
except KeyboardInterrupt:
    sys.exit(75)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no fork server")
def test_ctrl_c_while_it_imports_is_the_commands_alone(tmp_path: Path) -> None:
    (tmp_path / "slow_to_import.py").write_text("import time; time.sleep(1.0)")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - async-signal-safe
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=30)[1]
    assert (process.returncode, err) == (75, "")
