"""The ranks of a run whose batches several processes share: started here, or by torchrun.

Rank 0 is the process of the command: it plans, evaluates, prints, and writes every file. The others follow it. Each
builds the run from the configuration and the state that rank 0 sends, trains the epochs that it calls for, and writes
nothing.
"""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed

from samcli.allocator import keep_freed_memory
from samcli.config import RunConfig
from samcli.errors import ProcessError
from samcli.launched import launched, leave
from samcli.registry import load_plugin
from samcli.runs import checkpoint
from samcli.train.federated import session_kind
from samcli.train.group import end_with, fate, is_disconnection, joined, lost, on_loopback, patience, started
from samcli.train.meeting import meet
from samcli.train.session import Session
from samcli.train.sharing import sharing

EPOCH, END = "epoch", "end"

# Entered around an epoch that all ranks train.
Epoch = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class _Order:
    """A run that all ranks train: where it begins, and on what."""

    config: RunConfig
    data_dir: Path
    device: str
    state: bytes


@contextmanager
def joined_as_launched(device: torch.device) -> Iterator[int]:
    """Within the block this process is one of those that torchrun started; at its end rank 0 lets the others go.

    Yields:
        Its rank; 0 without torchrun, when nothing happens.
    """
    rank, size = launched()
    if size == 1:
        yield 0
        return
    with ExitStack() as interface:
        if os.environ.get("LOCAL_WORLD_SIZE") == str(size):  # all on this machine
            interface.enter_context(on_loopback())
        _choose_gpu(device)
        try:
            rendezvous = torch.distributed.rendezvous("env://", timeout=patience(rank))  # type: ignore[attr-defined]
            store, _, _ = next(rendezvous)
            torch.distributed.init_process_group(
                _backend(device),
                store=meet(store, rank, size),
                rank=rank,
                world_size=size,
                timeout=patience(rank),
            )
        except RuntimeError as error:
            if not is_disconnection(error):
                raise
            raise ProcessError(
                f"The {size} processes do not reach each other; set GLOO_SOCKET_IFNAME to the network interface that "
                "connects their machines."
            ) from error
    if rank:  # Ctrl-C and a request to terminate reach all ranks at once, and rank 0 decides what comes of them
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    try:
        yield rank
    finally:
        if torch.distributed.is_initialized():
            with suppress(RuntimeError):  # some are gone
                if rank == 0:
                    _tell(None)
            torch.distributed.destroy_process_group()


@contextmanager
def shared_threads(processes: int) -> Iterator[None]:
    """Within the block this process has its share of the threads; those of torchrun have theirs already.

    >>> before = torch.get_num_threads()
    >>> with shared_threads(10**6):
    ...     torch.get_num_threads()
    1
    >>> torch.get_num_threads() == before
    True
    """
    threads = torch.get_num_threads()
    if launched()[1] == 1:
        torch.set_num_threads(max(1, threads // processes))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def other_ranks(session: Session, data_dir: Path, processes: int) -> Iterator[Epoch]:
    """Within the block the other ranks train with this one, rank 0; nothing happens with one process.

    Args:
        session: where the run begins.
        data_dir: where data sets lie.
        processes: how many ranks there are.

    Yields:
        What calls for the next epoch, and is to be entered while this process trains it.

    Raises:
        ProcessError: another rank ended too early, or does not answer.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> (config,) = Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> with other_ranks(Session(config, data_dir=Path(), device=torch.device("cpu")), Path(), 1) as epoch:
    ...     with epoch():
    ...         print("trained alone")
    trained alone
    """
    if processes == 1:
        yield nullcontext
        return
    order = _Order(session.config, data_dir, session.device.type, checkpoint.encode(session.state()))
    if launched()[1] > 1:
        if not torch.distributed.is_initialized():
            raise lost("The other processes of this command are gone since an earlier run")
        try:
            with _led(order) as epoch:
                yield epoch
        except RuntimeError as error:
            if not is_disconnection(error):
                raise
            raise lost("Another process of the run is gone, or does not answer") from error
        return
    with TemporaryDirectory(prefix="samcli-") as name, ExitStack() as stack:
        meeting = Path(name)
        others = [stack.enter_context(_started(meeting, rank, processes, session)) for rank in range(1, processes)]
        try:
            _wait_for(others, meeting)
            with joined(meeting, rank=0, size=processes, backend=_backend(session.device)), _led(order) as epoch:
                yield epoch
        except RuntimeError as error:
            if not is_disconnection(error):
                raise
            raise _lost(others, meeting) from error


@contextmanager
def _led(order: _Order) -> Iterator[Epoch]:
    """Within the block the others train the run. Whatever ends it, they wait for the next one, or are rid of."""
    _tell(order)
    trains = False

    @contextmanager
    def epoch() -> Iterator[None]:
        nonlocal trains
        trains = True
        _tell(EPOCH)
        yield
        trains = False

    try:
        yield epoch
    except BaseException:
        if trains:  # no word calls the others back from the midst of an epoch
            torch.distributed.destroy_process_group()
        else:
            _tell(END)
        raise
    _tell(END)


def follow() -> None:
    """Take part in every run that rank 0 trains, until it says that there is no more.

    Raises:
        ProcessError: rank 0 is gone.
        SamcliError: a run cannot be built here, such as for want of its data.
    """
    try:
        while isinstance(order := _told(), _Order):
            _take_part(order)
    except RuntimeError as error:
        if not is_disconnection(error):
            raise
        raise lost("The first process of the run is gone") from error


def _take_part(order: _Order) -> None:
    for file in order.config.plugins:
        load_plugin(file)
    rank, size = torch.distributed.get_rank(), torch.distributed.get_world_size()
    device = _choose_gpu(torch.device(order.device))
    shared = sharing(order.config, size, rank)
    session = session_kind(order.config)(
        order.config, data_dir=order.data_dir, device=device, sharing=shared, begins=False
    )
    session.restore(torch.load(io.BytesIO(order.state), map_location="cpu", weights_only=True))
    while _told() == EPOCH:
        session.train_unmeasured()


def _backend(device: torch.device) -> str:
    """Words go over gloo on any device, tensors of a GPU over NCCL."""
    return "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"


def _choose_gpu(device: torch.device) -> torch.device:
    """The device of this rank: of several GPUs, its own."""
    if device.type != "cuda":
        return device
    own = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(own)
    return own


def _tell(word: Any) -> None:
    torch.distributed.broadcast_object_list([word], 0, device=torch.device("cpu"))


def _told() -> Any:
    word: list[Any] = [None]
    torch.distributed.broadcast_object_list(word, 0, device=torch.device("cpu"))
    return word[0]


def _errors(meeting: Path, rank: int) -> Path:
    return meeting / f"errors-{rank}"


@contextmanager
def _started(meeting: Path, rank: int, size: int, session: Session) -> Iterator[Popen[bytes]]:
    arguments = [meeting, rank, size, _backend(session.device), torch.get_num_threads(), os.getpid()]
    code = "from samcli.train.ranks import main; main()"
    with started(code, arguments, _errors(meeting, rank), {"LOCAL_RANK": str(rank)}, signal.SIGKILL) as process:
        yield process


def _wait_for(others: Sequence[Popen[bytes]], meeting: Path) -> None:
    while not all((meeting / f"ready-{rank}").exists() for rank in range(1, len(others) + 1)):
        if any(process.poll() is not None for process in others):
            raise _lost(others, meeting)
        time.sleep(0.02)


def _lost(others: Sequence[Popen[bytes]], meeting: Path) -> Exception:
    """The error that names the rank which is gone; the others, which notice it, end without an error."""
    end, first = time.monotonic() + 5.0, None
    while first is None and time.monotonic() < end:
        first = next((i for i, process in enumerate(others) if process.poll() not in (None, 0)), None)
        time.sleep(0.02)
    first = first or 0
    words = fate(others[first], _errors(meeting, first + 1))
    return lost(f"Process {first + 2} of the {len(others) + 1} of the run {words}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Be a rank of a run that another process leads.

    Args:
        arguments: the folder to meet in, rank, number of ranks, backend, threads, and the process to end with; those
            of the command line if left out.
    """
    folder, rank, size, backend, threads, parent = sys.argv[1:] if arguments is None else arguments
    meeting = Path(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # signals reach all processes, and the first one decides
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    threading.Thread(target=end_with, args=(int(parent), meeting), daemon=True).start()
    keep_freed_memory()  # as the command does: the slowest process sets the pace
    torch.set_num_threads(int(threads))
    (meeting / f"ready-{rank}").touch()
    with joined(meeting, rank=int(rank), size=int(size), backend=backend), suppress(ProcessError):
        follow()
    if arguments is None:
        leave()
