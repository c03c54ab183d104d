"""The continuing of a run from its checkpoint, which is looked at before it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from samcli.config import RunConfig, identity_of
from samcli.errors import CheckpointError, ResultsError, UnusableCheckpoint
from samcli.optim import Ranks
from samcli.runs import checkpoint
from samcli.runs.documents import CheckpointDocument, fault_of
from samcli.runs.door import plain_fault
from samcli.runs.files import put_aside
from samcli.runs.folder import RunFolder
from samcli.runs.rows import rows_fault
from samcli.train.ending import ends_with
from samcli.train.federated import session_kind
from samcli.train.session import Session


def session_of(
    config: RunConfig,
    folder: RunFolder,
    *,
    data_dir: Path,
    device: torch.device,
    sharing: Callable[[nn.Module], Ranks] | None = None,
    on_notice: Callable[[str], None] = lambda sentence: None,
) -> Session:
    """A session that goes on where the checkpoint of its folder ends; without one it begins.

    A checkpoint that does not serve is put aside, as `checkpoint.damaged`, or as `checkpoint.foreign` where it belongs
    to another run or does not fit; one that cannot be read for the moment is not.

    Args:
        config: the run.
        folder: where its files are.
        data_dir: where data sets lie.
        device: where to train.
        sharing: the processes that share each batch, see `Session`.
        on_notice: is told in a sentence of a checkpoint put aside.

    Raises:
        CheckpointError: there is one that cannot be read for the moment, or is of a later version.
        SamcliError: missing data, a model that does not fit them.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> text = "{dataset: wine, model: linear, optimizer: sgd}"
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as name:
    ...     session_of(config, RunFolder(Path(name)), data_dir=Path("data"), device=torch.device("cpu")).epoch
    0
    """
    begin = partial(session_kind(config), config, data_dir=data_dir, device=device, sharing=sharing)
    session = begin(begins=not folder.checkpoint.exists())
    if not folder.checkpoint.exists():
        return session
    kept_as = "checkpoint.damaged"
    try:
        content = checkpoint.load(folder.checkpoint)
        kept_as = "checkpoint.foreign"
        _restore(session, checked_state(content, config.document(), folder.checkpoint), folder.checkpoint)
    except UnusableCheckpoint as error:
        aside = put_aside(folder.checkpoint, folder.path / kept_as)
        reason = str(error).partition(";")[0]
        on_notice(f"{reason}. It is kept as {aside.name}, and the run begins anew.")
        return begin()  # the first may be half restored
    return session


def status_of(config: RunConfig, folder: RunFolder) -> dict[str, Any]:
    """The content of a run's `run.json`; empty if there is none, or it is damaged or of another run.

    What counts then is in the checkpoint.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> (config,) = Draft.of(parse("{optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> status_of(config, RunFolder(Path("nowhere")))
    {}
    """
    try:
        status = folder.read_status()
    except ResultsError:
        return {}
    return status if status.get("identity") in (None, config.identity) else {}


def restore_files(config: RunConfig, folder: RunFolder) -> bool:
    """Write the `metrics.csv` of a finished run anew from its checkpoint, which holds all rows.

    Returns:
        Whether it could be: the checkpoint can be read, is of this run, and of its last epoch.

    >>> from samcli.config import Draft, parse
    >>> from samcli.train.catalogue import CATALOGUE
    >>> (config,) = Draft.of(parse("{optimizer: sgd}", "x.yaml"), CATALOGUE).expand()
    >>> restore_files(config, RunFolder(Path("nowhere")))
    False
    """
    try:
        state = checked_state(checkpoint.load(folder.checkpoint), config.document(), folder.checkpoint)
    except CheckpointError:
        return False
    rows = state["rows"]
    if not rows or not ends_with(config.training, rows[-1]):
        return False
    folder.write_metrics(rows)
    return True


def checked_state(content: Mapping[str, Any], run: Mapping[str, Any] | None, file: Path) -> dict[str, Any]:
    """The content of a checkpoint, once it is seen to be that of a session, and of this run.

    Args:
        content: as read.
        run: the run's configuration as a document; None if it may be any run.
        file: the checkpoint, for messages.

    Raises:
        UnusableCheckpoint: it is another run's, or lacks something, or its rows are not those that a run records.

    >>> checked_state({"config": {}}, None, Path("checkpoint.pt"))
    Traceback (most recent call last):
    samcli.errors.UnusableCheckpoint: checkpoint.pt has no model; move its folder away and train the run again.
    """
    fault = fault_of(content, CheckpointDocument) or plain_fault(content["config"])
    if not fault and run is not None and identity_of(content["config"]) != identity_of(run):
        fault = f"belongs to another run ({_difference(content['config'], run)})"
    if not fault and (odd := rows_fault(content["rows"])):
        fault = f"does not fit: its table {odd}"
    if not fault and content["epoch"] != len(content["rows"]):
        fault = f"does not fit: it is of epoch {content['epoch']} and has {len(content['rows'])} rows"
    if fault:
        raise UnusableCheckpoint(f"{file} {fault}; move its folder away and train the run again.")
    return dict(content)


def _restore(session: Session, state: dict[str, Any], file: Path) -> None:
    try:
        session.restore(state)
    except (RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError) as error:
        # what torch raises for tensors of another shape and states of another optimizer
        reason = str(error).partition("\n")[0].rstrip(".:")
        raise UnusableCheckpoint(
            f"{file} does not fit this run ({reason}); move its folder away and train the run again."
        ) from error


def _difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """The first setting in which two runs differ, in words."""
    flat = [
        {(key, *inner): value for key, block in document.items() for inner, value in _entries(block)}
        for document in (theirs, ours)
    ]
    for key in dict.fromkeys((*flat[1], *flat[0])):
        if key[0] not in ("name", "plugins") and flat[0].get(key) != flat[1].get(key):
            there, here = (repr(one[key]) if key in one else "not set" for one in flat)
            return f"{'.'.join(key)} is {there:.60} there and {here:.60} here"
    return "its settings are others"


def _entries(block: Any) -> list[tuple[tuple[str, ...], Any]]:
    return [((key,), value) for key, value in block.items()] if isinstance(block, Mapping) else [((), block)]
