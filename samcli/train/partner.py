"""The second process of a run whose optimizer takes two: it trains in step with the first, and writes nothing.

The process that trains the run is the first, of rank 0: it starts the other one, evaluates, and writes the run's files.
The second begins where the first does, from the same configuration and the same checkpoint, and ends with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from samcli.allocator import keep_freed_memory
from samcli.config import Draft, RunConfig, read
from samcli.errors import ConfigError, ProcessError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train.catalogue import CATALOGUE
from samcli.train.components import wants_partner
from samcli.train.session import Session

INTERFACE = "GLOO_SOCKET_IFNAME"  # the variable by which gloo is told the network interface to use
# The first process waits for a pass over one batch at most. The second also waits while the first evaluates, for as
# long as that takes: it ends with the first, and needs no limit of its own.
PATIENCE = {0: timedelta(minutes=10), 1: timedelta(days=30)}


@contextmanager
def halved_threads(config: RunConfig, device: torch.device) -> Iterator[None]:
    """Within the block a run of two processes has half of the threads here; the other half is the partner's.

    Everything that computes belongs into the block, the data set included: its means may change with the number of
    threads.

    >>> from samcli.config import parse
    >>> text, threads = "{optimizer: {name: sampa, processes: 2}}", torch.get_num_threads()
    >>> (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    >>> with halved_threads(config, torch.device("cpu")):
    ...     torch.get_num_threads() == max(1, threads // 2)
    True

    Raises:
        ConfigError: the device is not the CPU, or torch cannot connect two processes.
    """
    if not wants_partner(config):
        yield
        return
    name = config.optimizer["name"]
    if device.type != "cpu":
        raise ConfigError(f"{name} with processes: 2 trains on the CPU only; use --device cpu, or set processes: 1.")
    if not torch.distributed.is_available():
        raise ConfigError(f"This torch is built without torch.distributed, which {name} needs; set processes: 1.")
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads // 2))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def partner(config: RunConfig, folder: RunFolder, data_dir: Path) -> Iterator[None]:
    """Within the block a partner takes part in every step of this process; it is gone afterwards, whatever happened.

    Nothing happens to a run that does not want one.

    >>> from samcli.config import parse
    >>> (config,) = Draft.of(parse("{optimizer: sam}", "x.yaml"), CATALOGUE).expand()
    >>> with partner(config, RunFolder(Path("results/run")), Path("data")):
    ...     print("trained alone")
    trained alone

    Args:
        config: the run.
        folder: the run's folder. The partner begins with its `config.yaml`, and with its checkpoint if there is one;
            nothing writes there before the block is entered.
        data_dir: where data sets lie.

    Raises:
        ProcessError: the partner ended too early, or does not answer.
    """
    if not wants_partner(config):
        yield
        return
    with TemporaryDirectory(prefix="samcli-") as name:
        meeting = Path(name)
        with _started(folder, data_dir, meeting) as process:
            try:
                while not (meeting / "ready").exists():
                    if process.poll() is not None:
                        raise _lost(process, meeting)
                    time.sleep(0.02)
                with _joined(meeting, rank=0):
                    yield
            except RuntimeError as error:
                if not _is_disconnection(error):
                    raise
                raise _lost(process, meeting) from error


@contextmanager
def _started(folder: RunFolder, data_dir: Path, meeting: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The second process; it is ended with the block."""
    arguments = [folder.path, data_dir, meeting, torch.get_num_threads(), os.getpid()]
    # modules come from where they come from here, and -P keeps those of the current folder out; not -m, which would
    # run this module a second time
    command = [sys.executable, "-P", "-c", "from samcli.train.partner import main; main()", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
    with (meeting / "errors").open("wb") as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
        )
    try:
        yield process
    finally:
        try:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=5)
        finally:  # a second Ctrl-C comes here at once
            process.kill()
            process.wait()


@contextmanager
def _joined(meeting: Path, *, rank: int) -> Iterator[None]:
    """Within the block this process is one of two of torch.distributed."""
    before = os.environ.get(INTERFACE)
    # by itself gloo takes the address of the machine's name, which others reach, and which may not exist
    os.environ[INTERFACE] = before or ("lo0" if sys.platform == "darwin" else "lo")
    try:
        store = torch.distributed.FileStore(str(meeting / "store"), 2)  # type: ignore[attr-defined]
        torch.distributed.init_process_group("gloo", store=store, rank=rank, world_size=2, timeout=PATIENCE[rank])
    finally:
        if before is None:
            del os.environ[INTERFACE]
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()


def _is_disconnection(error: RuntimeError) -> bool:
    """Whether an error says that the other process cannot be reached; torch has no class of its own for it."""
    return "gloo" in str(error)


def _lost(process: subprocess.Popen[bytes], meeting: Path) -> ProcessError:
    """The error for a partner that does not take part any more."""
    try:
        code = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        fate = "does not answer"
    else:
        lines = (meeting / "errors").read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), f"exit code {code}")
        fate = f"was ended by signal {-code}" if code < 0 else f"stopped ({last.rstrip('.')})"
    return ProcessError(f"The second process of the run {fate}; the same command continues from the last epoch.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Be the partner of a run.

    Args:
        arguments: the run's folder, the data directory, the folder to meet in, the number of threads, and the process
            to end with; those of the command line if left out.
    """
    folder, data_dir, meeting, threads, parent = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches both processes, and the first one decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    watch = threading.Thread(target=_end_with, args=(int(parent), Path(meeting)), daemon=True)
    watch.start()
    keep_freed_memory()  # as the command does: the slower process sets the pace
    torch.set_num_threads(int(threads))
    run = RunFolder(Path(folder))
    (config,) = Draft.of(read(run.config), CATALOGUE).expand()
    session = Session(config, data_dir=Path(data_dir), device=torch.device("cpu"))
    if run.checkpoint.exists():
        session.restore(checkpoint.load(run.checkpoint))
    Path(meeting, "ready").touch()  # from now on the first process may replace the checkpoint
    with _joined(Path(meeting), rank=1):
        try:
            while not session.finished:
                session.train_unmeasured()
        except RuntimeError as error:
            if not _is_disconnection(error):
                raise
        # the first process is gone, or will end this one when it has read the last message
        watch.join()


def _end_with(parent: int, meeting: Path) -> None:
    """Wait for the parent's end, however it came; tidy up in its place, and end this process wherever it is."""
    while os.getppid() == parent:
        time.sleep(0.5)
    shutil.rmtree(meeting, ignore_errors=True)
    os._exit(1)
