"""The training of one run into its folder: what was finished stays finished, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

from samcli.config import RunConfig
from samcli.errors import CheckpointError, Interrupted
from samcli.runs import checkpoint
from samcli.runs.files import write_atomic
from samcli.runs.folder import RunFolder
from samcli.runs.rows import EpochMetrics
from samcli.train.device import resolve_precision
from samcli.train.partner import halved_threads, partner
from samcli.train.provenance import now, provenance
from samcli.train.saver import Saver
from samcli.train.session import Session, diverged


def train_run(
    config: RunConfig,
    folder: RunFolder,
    *,
    data_dir: Path,
    device: torch.device,
    on_epoch: Callable[[EpochMetrics], None] = lambda row: None,
) -> str:
    """Train a run, from the beginning or from its last finished epoch.

    After each epoch the checkpoint is replaced, then `metrics.csv` is rewritten from the rows in it, both while the
    next epoch trains; a kill at any moment therefore loses at most the epoch under way and one whose files were being
    written, and the rows of an interrupted and resumed run are those of an uninterrupted one.

    >>> from tempfile import TemporaryDirectory
    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> text = "{dataset: wine, model: linear, optimizer: sgd, epochs: 2}"
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with TemporaryDirectory() as folder:
    ...     train_run(config, RunFolder(Path(folder)), data_dir=Path("data"), device=torch.device("cpu"))
    ...     sorted(file.name for file in Path(folder).iterdir())
    'finished'
    ['checkpoint.pt', 'config.yaml', 'metrics.csv', 'run.json']

    Args:
        config: the run.
        folder: where its files go. A checkpoint in it is continued; one that cannot be read is kept as
            `checkpoint.damaged`.
        data_dir: where data sets lie.
        device: where to train.
        on_epoch: called with each new row; its files are written after the call.

    Returns:
        The status it ended with: `finished` or `diverged`.

    Raises:
        Interrupted: on KeyboardInterrupt; the run can be resumed.
        SamcliError: missing data, a model that does not fit them, a second process that died.
    """
    config = resolve_precision(config, device)
    folder.path.mkdir(parents=True, exist_ok=True)
    write_atomic(folder.config, yaml.safe_dump(config.document(), sort_keys=False, allow_unicode=True))
    status: dict[str, Any] = {"status": "running", "started": now(), "ended": None, "error": None}
    status |= provenance(config, device, data_dir)
    session: Session | None = None
    try:
        with halved_threads(config, device):
            session = Session(config, data_dir=data_dir, device=device)
            if folder.checkpoint.exists():
                try:
                    session.restore(checkpoint.load(folder.checkpoint))
                except CheckpointError:  # keep it aside, and begin anew
                    folder.checkpoint.replace(folder.checkpoint.with_name("checkpoint.damaged"))
            status["parameters"] = sum(p.numel() for p in session.model.parameters())
            folder.write_status({**status, "epochs_done": session.epoch})
            with partner(config, folder, data_dir):
                status["status"] = _train_all(session, folder, status, on_epoch)
        if status["status"] == "diverged":
            status["error"] = _explain_divergence(session)
    except KeyboardInterrupt as error:
        status |= {"status": "interrupted"}
        raise Interrupted(f"Interrupted; the same command continues {folder.path.name} from its last epoch.") from error
    except Exception as error:
        status |= {"status": "failed", "error": f"{type(error).__name__}: {error}"}
        raise
    finally:
        done, replayed = (session.epoch, session.replay_status) if session else (0, None)
        folder.write_status({**status, "epochs_done": done, "replayed": replayed, "ended": now()})
    return str(status["status"])


def _train_all(
    session: Session, folder: RunFolder, status: dict[str, Any], on_epoch: Callable[[EpochMetrics], None]
) -> str:
    folder.write_metrics(session.rows)
    with Saver(folder, status) as saver:
        while not session.finished:
            row = session.train_epoch()
            if diverged(row):
                return "diverged"
            saver.save(session.state())
            on_epoch(row)
    return "finished"


def _explain_divergence(session: Session) -> str:
    optimizer = session.config.optimizer
    settings = [f"{name} {optimizer[name]:g}" for name in ("lr", "rho") if name in optimizer]
    return f"The loss was not finite in epoch {session.epoch + 1}; a smaller value of {' or '.join(settings)} may help."
