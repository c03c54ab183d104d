"""The second process of a run whose optimizer takes two: it trains in step with the first, and writes nothing.

The process that trains the run is the first, of rank 0: it starts the other one, evaluates, and writes the run's files.
The second begins where the first does, from the same configuration and the same checkpoint, and ends with it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from samcli.allocator import keep_freed_memory
from samcli.config import Draft, RunConfig, read
from samcli.errors import ConfigError
from samcli.runs import checkpoint
from samcli.runs.folder import RunFolder
from samcli.train.catalogue import CATALOGUE
from samcli.train.components import wants_partner
from samcli.train.group import end_with, fate, is_disconnection, joined, lost, started
from samcli.train.session import Session


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
                        raise lost(f"The second process of the run {fate(process, meeting / 'errors')}")
                    time.sleep(0.02)
                with joined(meeting, rank=0):
                    yield
            except RuntimeError as error:
                if not is_disconnection(error):
                    raise
                raise lost(f"The second process of the run {fate(process, meeting / 'errors')}") from error


@contextmanager
def _started(folder: RunFolder, data_dir: Path, meeting: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The second process; it is ended with the block."""
    arguments = [folder.path, data_dir, meeting, torch.get_num_threads(), os.getpid()]
    with started("from samcli.train.partner import main; main()", arguments, meeting / "errors") as process:
        yield process


def main(arguments: Sequence[str] | None = None) -> None:
    """Be the partner of a run.

    Args:
        arguments: the run's folder, the data directory, the folder to meet in, the number of threads, and the process
            to end with; those of the command line if left out.
    """
    folder, data_dir, meeting, threads, parent = sys.argv[1:] if arguments is None else arguments
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C reaches both processes, and the first one decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    watch = threading.Thread(target=end_with, args=(int(parent), Path(meeting)), daemon=True)
    watch.start()
    keep_freed_memory()  # as the command does: the slower process sets the pace
    torch.set_num_threads(int(threads))
    run = RunFolder(Path(folder))
    (config,) = Draft.of(read(run.config), CATALOGUE).expand()
    session = Session(config, data_dir=Path(data_dir), device=torch.device("cpu"), begins=not run.checkpoint.exists())
    if run.checkpoint.exists():
        session.restore(checkpoint.load(run.checkpoint))
    Path(meeting, "ready").touch()  # from now on the first process may replace the checkpoint
    with joined(Path(meeting), rank=1):
        try:
            while not session.finished:
                session.train_unmeasured()
        except RuntimeError as error:
            if not is_disconnection(error):
                raise
        # the first process is gone, or will end this one when it has read the last message
        watch.join()
