"""The training of one run into its folder: what was finished stays finished, whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from samcli.config import RunConfig, trainings_of
from samcli.errors import Interrupted, ProcessError, SamcliError, meets_every_run
from samcli.registry import is_plugins_own
from samcli.runs import checkpoint
from samcli.runs.confusion import write_confusion
from samcli.runs.files import remove_leftovers
from samcli.runs.folder import RunFolder
from samcli.runs.lease import Lease
from samcli.runs.rows import EpochMetrics
from samcli.runs.stages_file import stage_row, write_stages
from samcli.train.best import best_epoch, settle_best
from samcli.train.continuing import restore_files, session_of, status_of
from samcli.train.device import resolve_precision
from samcli.train.digests import data_of
from samcli.train.ending import diverged
from samcli.train.initial import told_of
from samcli.train.longer import go_on
from samcli.train.partner import halved_threads, partner
from samcli.train.provenance import earlier_provenance, now, provenance
from samcli.train.ranks import Epoch, other_ranks, shared_threads
from samcli.train.saver import Saver
from samcli.train.session import Session
from samcli.train.sharing import sharing, tell_of_ranks
from samcli.train.stages import Stage, Train, cost_of, trained_before, trainings_in

MOST_THREADS = 1024  # that a run.json may ask for


def train_run(
    config: RunConfig,
    folder: RunFolder,
    *,
    data_dir: Path,
    device: torch.device,
    take_over: bool = False,
    dead: str | None = None,
    shorter: RunFolder | None = None,
    processes: int = 1,
    conditions: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_epoch: Callable[[EpochMetrics], None] = lambda row: None,
    on_notice: Callable[[str], None] = lambda sentence: None,
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
    ['checkpoint.pt', 'config.yaml', 'confusion.csv', 'metrics.csv', 'run.json']

    Args:
        config: the run.
        folder: where its files go. A checkpoint in it is continued, see `session_of`. Files that a finished run has
            lost are restored from its checkpoint.
        data_dir: where data sets lie.
        device: where to train.
        take_over: whether the folder is taken from a process that may be gone, see `samcli.runs.lease`.
        dead: the claim of a process that was watched in vain; the folder is taken from that one alone.
        shorter: that of a finished run of fewer epochs, from which it goes on where it has no checkpoint of its own,
            see `samcli.train.longer`.
        processes: how many share each batch, see `samcli.train.ranks`.
        conditions: what `run.json` tells of the circumstances besides, such as how many runs train at once.
        should_stop: asked before each epoch whether the run is to be interrupted there.
        on_epoch: called with each new row; its files are written after the call.
        on_notice: is told in a sentence what a user should know, such as of a checkpoint that was put aside.

    Returns:
        The status it ended with: `finished` or `diverged`.

    Raises:
        RunBusy: another process trains it.
        RunLost: the folder was deleted, or taken over by another process, which has what is in it.
        Interrupted: on KeyboardInterrupt, or asked to stop; the run can be resumed.
        SamcliError: missing data, a model that does not fit them, a second process that died.
    """
    config = resolve_precision(config, device)
    before = status_of(config, folder)
    with Lease(folder.path, before, take_over=take_over, dead=dead) as lease:
        remove_leftovers(folder.path)
        folder.write_config(config.document())
        if shorter is not None and not folder.checkpoint.exists():
            go_on(config, folder, shorter, on_notice)
            before = status_of(config, folder)
        if before.get("status") == "finished" and restore_files(config, folder):
            folder.write_status({**before, "metrics_digest": folder.metrics_digest()})
            return "finished"
        with threads_of(before):
            told = {"processes": processes, **(conditions or {})}
            return _Run(config, folder, lease, before, told).train(data_dir, device, should_stop, on_epoch, on_notice)


class _Run:
    """A run under way in a folder that is this process's."""

    def __init__(
        self,
        config: RunConfig,
        folder: RunFolder,
        lease: Lease,
        before: dict[str, Any],
        conditions: Mapping[str, Any],
    ) -> None:
        self._config, self._folder, self._lease = config, folder, lease
        self._before, self._conditions = before, conditions
        self._processes: int = conditions["processes"]
        self._status: dict[str, Any] = {"status": "running", "started": now(), "ended": None, "error": None}
        self._session: Session | None = None
        self._saver: Saver | None = None

    def train(
        self,
        data_dir: Path,
        device: torch.device,
        should_stop: Callable[[], bool],
        on_epoch: Callable[[EpochMetrics], None],
        on_notice: Callable[[str], None],
    ) -> str:
        config, folder, status = self._config, self._folder, self._status
        status |= {**provenance(config, device, data_dir), **self._conditions, "stage": self._before.get("stage")}
        try:
            status["stages"] = trainings_in(self._before)
            session, before = self._begun(data_dir, device, should_stop, on_notice)
            self._session = session
            with halved_threads(config, device), shared_threads(self._processes):
                if before is not None:
                    session.go_on_from(before.content)
                    status |= {"stage": cost_of(before.content), "stages": before.trainings}
                    checkpoint.save(folder.checkpoint, session.state())  # where every process of the run begins
                settle_best(folder, session.epoch)
                status["dataset"] = data_of(config, data_dir)
                status["earlier"] = earlier_provenance(self._before, status)
                begun_with = session.initial or (before and before.initial)
                status["init"] = begun_with or self._before.get("init")
                if session.epoch and "goes_on_from" in self._before:
                    status["goes_on_from"] = self._before["goes_on_from"]
                if session.initial:
                    for sentence in told_of(session.initial, config, session.data.shape):
                        on_notice(sentence)
                status["parameters"] = sum(p.numel() for p in session.model.parameters())
                folder.write_status({**status, "epochs_done": session.epoch})
                tell_of_ranks(session, self._before, on_notice)
                with partner(config, folder, data_dir), other_ranks(session, data_dir, self._processes) as epoch:
                    status["status"] = self._train_all(session, epoch, should_stop, on_epoch)
            if status["status"] == "diverged":
                status["error"] = _explain_divergence(session)
        except KeyboardInterrupt as error:
            status |= {"status": "interrupted"}
            raise Interrupted(
                f"Interrupted; the same command continues {folder.path.name} from its last epoch."
            ) from error
        except Exception as error:
            of_machine = meets_every_run(error) and not is_plugins_own(error)
            can_go_on = of_machine or isinstance(error, ProcessError)  # not the run's own doing
            status |= {
                "status": "interrupted" if can_go_on else "failed",
                "error": str(error) if isinstance(error, SamcliError) else f"{type(error).__name__}: {error}",
            }
            raise
        finally:
            self._write_end()
        return str(status["status"])

    def _begun(
        self,
        data_dir: Path,
        device: torch.device,
        should_stop: Callable[[], bool],
        on_notice: Callable[[str], None],
    ) -> tuple[Session, Stage | None]:
        """The session, and the stage that it has to begin with, if there is one: not where a checkpoint goes on."""
        config, folder, before = self._config, self._folder, None
        if not folder.checkpoint.exists():
            if config.stages:  # they may take long, and a folder without its status looks like a damaged one
                folder.write_status({**self._status, "epochs_done": 0})
            before = trained_before(
                config,
                folder.path,
                self._of_stage(data_dir, device, should_stop, on_notice),
                data_dir=data_dir,
                should_stop=should_stop,
                on_notice=on_notice,
            )
        with halved_threads(config, device), shared_threads(self._processes):
            session = session_of(
                config,
                folder,
                data_dir=data_dir,
                device=device,
                sharing=sharing(config, self._processes),
                on_notice=on_notice,
            )
        if config.stages and before is None and not folder.checkpoint.exists():
            # it was put aside: to begin anew is to begin with the stage
            return self._begun(data_dir, device, should_stop, on_notice)
        return session, before

    def _of_stage(
        self,
        data_dir: Path,
        device: torch.device,
        should_stop: Callable[[], bool],
        on_notice: Callable[[str], None],
    ) -> Train:
        """Trains a stage as this run is trained, and tells nothing of its epochs."""

        def train(config: RunConfig, folder: RunFolder, *, dead: str | None) -> str:
            return train_run(
                config,
                folder,
                data_dir=data_dir,
                device=device,
                dead=dead,
                processes=self._processes,
                conditions=self._conditions,
                should_stop=should_stop,
                on_notice=on_notice,
            )

        return train

    def _train_all(
        self,
        session: Session,
        epoch: Epoch,
        should_stop: Callable[[], bool],
        on_epoch: Callable[[EpochMetrics], None],
    ) -> str:
        self._folder.write_metrics(session.rows)
        with Saver(self._folder, self._status, self._lease.check, saved=session.epoch) as saver:
            self._saver = saver
            while not session.finished:
                if should_stop():
                    raise KeyboardInterrupt
                with epoch():
                    row = session.train_epoch()
                if diverged(row):
                    return "diverged"
                saver.save(session.state(), is_best=self._best(session.rows) == session.epoch)
                on_epoch(row)
        if confusion := session.confusion():
            self._lease.check()
            write_confusion(self._folder.path, confusion)
        if self._config.stages:
            self._lease.check()
            told = [*self._status["stages"], stage_row(session.rows)]
            unknown = len(trainings_of(self._config)) - len(told)  # of stages that an earlier version trained
            write_stages(self._folder.path, [*[{}] * unknown, *told])
        return "finished"

    def _best(self, rows: Sequence[EpochMetrics]) -> int | None:
        """The epoch whose weights are kept as the best of those in the rows; None where none are."""
        if self._config.training.keep != "best" or self._session is None:
            return None
        return best_epoch(rows, self._session.task.metric)

    def _write_end(self) -> None:
        """Write how it ended, unless the folder is another's by now, or was deleted."""
        if not self._lease.held():
            return
        session = self._session
        done, replayed = (
            (session.epoch, session.replay_status) if session else (self._before.get("epochs_done", 0), None)
        )
        if self._saver and self._status["status"] in ("interrupted", "failed"):
            done = self._saver.saved  # an epoch that could not be written is to be trained again
        ended = {**self._status, "epochs_done": done, "replayed": replayed, "ended": now()}
        if session and (best := self._best(session.rows[:done])):
            ended["best_epoch"] = best
        if ended["status"] == "finished":
            ended["metrics_digest"] = self._folder.metrics_digest()
        self._folder.write_status(ended)


@contextmanager
def threads_of(before: Mapping[str, Any]) -> Iterator[None]:
    """Within the block torch has as many threads as a run began with: their number changes the last bits of results.

    Args:
        before: the content of the run's `run.json`; without finished epochs the number stays what it is.

    >>> with threads_of({"epochs_done": 3, "threads": 1}):
    ...     torch.get_num_threads()
    1
    """
    now_, began = torch.get_num_threads(), before.get("threads")
    if before.get("epochs_done") and isinstance(began, int) and 1 <= began <= MOST_THREADS:
        torch.set_num_threads(began)
    try:
        yield
    finally:
        torch.set_num_threads(now_)


def _explain_divergence(session: Session) -> str:
    optimizer = session.config.optimizer
    settings = [f"{name} {optimizer[name]:g}" for name in ("lr", "rho") if name in optimizer]
    return f"The loss was not finite in epoch {session.epoch + 1}; a smaller value of {' or '.join(settings)} may help."
