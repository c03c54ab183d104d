"""One run of a grid, and training it: the function that every engine calls."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from samcli.config import RunConfig
from samcli.errors import Interrupted, ResultsError, SamcliError
from samcli.runs import EpochMetrics
from samcli.runs.folder import RunFolder
from samcli.train import train_run


@dataclass(frozen=True)
class Cell:
    """One run of a grid.

    Attributes:
        config: the run.
        folder: where its files are.
        state: `new`, `resume` (stopped after some epochs), `finished`, `diverged`, or `busy` (another process is
            training it).
        epochs_done: finished epochs so far.
    """

    config: RunConfig
    folder: RunFolder
    state: str
    epochs_done: int

    @property
    def to_do(self) -> bool:
        """Whether training it is left to do."""
        return self.state in ("new", "resume")


def train_cell(
    config: RunConfig,
    folder: RunFolder,
    *,
    data_dir: Path,
    device: torch.device,
    on_epoch: Callable[[EpochMetrics], None] = lambda row: None,
) -> tuple[str, str]:
    """Train a run so that whatever goes wrong in it does not stop the others.

    An unexpected error ends this run and is told with its traceback. What would meet every run goes through.

    Args:
        config: the run.
        folder: where its files go.
        data_dir: where data sets lie.
        device: where to train.
        on_epoch: called with each new row.

    Returns:
        The status it ended with, `finished`, `diverged` or `failed`, and an explanation unless it finished.

    Raises:
        Interrupted: on Ctrl-C; whatever was finished is kept.
        ResultsError: the results cannot be written.
        OSError: an error of the operating system, such as a full disk.

    >>> import tempfile
    >>> from samcli.config import Draft, parse
    >>> from samcli.train import CATALOGUE
    >>> text = "{dataset: wine, epochs: 2, optimizer: sgd, sharpness: {every: 0}}"
    >>> (config,) = Draft.of(parse(text, "wine.yaml"), CATALOGUE).expand()
    >>> with tempfile.TemporaryDirectory() as results:
    ...     train_cell(config, RunFolder(Path(results, "run")), data_dir=Path(), device=torch.device("cpu"))
    ('finished', '')
    """
    try:
        status = train_run(config, folder, data_dir=data_dir, device=device, on_epoch=on_epoch)
    except (Interrupted, ResultsError, OSError):
        raise
    except SamcliError as error:
        return "failed", str(error)
    except Exception:
        return "failed", traceback.format_exc()
    return status, "" if status == "finished" else str(folder.read_status().get("error") or "")
