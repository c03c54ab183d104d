"""Processes that train one run together: how they are started, meet, and notice that one is gone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import torch

from samcli.errors import ProcessError

# The variables by which gloo and NCCL are told the network interface to use.
INTERFACES = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")
# The first process waits for a pass over one batch at most. The others also wait while it evaluates, for as long as
# that takes: they end with it, and need no limit of their own.
PATIENCE_OF_FIRST, PATIENCE = timedelta(minutes=10), timedelta(days=30)


def patience(rank: int) -> timedelta:
    """How long a process waits for the others.

    >>> patience(0) < patience(1)
    True
    """
    return PATIENCE if rank else PATIENCE_OF_FIRST


@contextmanager
def on_loopback() -> Iterator[None]:
    """Within the block connections are opened on the loopback interface, unless the user chose another.

    By itself gloo takes the address of the machine's name, which others reach, and which may not exist.

    >>> with on_loopback():
    ...     os.environ["GLOO_SOCKET_IFNAME"] in ("lo", "lo0", os.environ.get("GLOO_SOCKET_IFNAME"))
    True
    """
    chosen = {name: os.environ.get(name) for name in INTERFACES}
    for name, interface in chosen.items():
        os.environ[name] = interface or ("lo0" if sys.platform == "darwin" else "lo")
    try:
        yield
    finally:
        for name, interface in chosen.items():
            if interface is None:
                del os.environ[name]


@contextmanager
def joined(meeting: Path, *, rank: int, size: int = 2, backend: str = "gloo") -> Iterator[None]:
    """Within the block this process is one of several of torch.distributed, all on this machine.

    Args:
        meeting: a folder that all of them know.
        rank: the number of this one.
        size: how many there are.
        backend: of torch.distributed.
    """
    with on_loopback():
        store = torch.distributed.FileStore(str(meeting / "store"), size)  # type: ignore[attr-defined]
        torch.distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=patience(rank))
    try:
        yield
    finally:
        if torch.distributed.is_initialized():
            torch.distributed.destroy_process_group()


@contextmanager
def started(
    code: str,
    arguments: Sequence[object],
    errors: Path,
    variables: Mapping[str, str] | None = None,
    ending: signal.Signals = signal.SIGTERM,
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs Python code; it is ended with the block.

    >>> with started("print(1)", [], Path(os.devnull)) as process:
    ...     process.wait()
    0

    Args:
        code: to be run.
        arguments: its `sys.argv[1:]`, as texts.
        errors: the file for its standard error.
        variables: of its environment, besides those here.
        ending: the signal that it is sent at the end of the block, before it is killed.
    """
    # modules come from where they come from here, and -P keeps those of the current folder out; not -m, which would
    # run a module a second time
    command = [sys.executable, "-P", "-c", code, *map(str, arguments)]
    path = {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    with errors.open("wb") as file:
        process = subprocess.Popen(
            command,
            env=os.environ | path | dict(variables or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=file,
        )
    try:
        yield process
    finally:
        try:
            process.send_signal(ending)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        finally:  # a second Ctrl-C comes here at once
            process.kill()
            process.wait()


def is_disconnection(error: RuntimeError) -> bool:
    """Whether an error says that another process cannot be reached; torch has no class of its own for all of them.

    >>> is_disconnection(RuntimeError("[gloo/transport/tcp/pair.cc:547] Connection closed by peer"))
    True
    """
    return isinstance(error, torch.distributed.DistError) or "gloo" in str(error)


def fate(process: subprocess.Popen[bytes], errors: Path, patience: float = 5.0) -> str:
    """What became of a process that does not take part any more, in words that follow its name.

    Args:
        process: the one.
        errors: the file of its standard error.
        patience: seconds to wait for its end.

    >>> with started("raise SystemExit('no memory')", [], Path("errors.txt")) as process:
    ...     fate(process, Path("errors.txt"))
    'stopped (no memory)'
    >>> Path("errors.txt").unlink()
    """
    try:
        code = process.wait(timeout=patience)
    except subprocess.TimeoutExpired:
        return "does not answer"
    lines = errors.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {code}")
    return f"was ended by signal {-code}" if code < 0 else f"stopped ({last.rstrip('.')})"


def lost(words: str) -> ProcessError:
    """The error for a run of which a process is gone.

    >>> print(lost("The second process of the run does not answer"))
    The second process of the run does not answer; the same command continues from the last epoch.
    """
    return ProcessError(f"{words}; the same command continues from the last epoch.")


def end_with(parent: int, meeting: Path) -> None:
    """Wait for the parent's end, however it came; tidy up in its place, and end this process wherever it is."""
    while os.getppid() == parent:
        time.sleep(0.5)
    shutil.rmtree(meeting, ignore_errors=True)
    os._exit(1)
