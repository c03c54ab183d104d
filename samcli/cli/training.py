"""How the runs of a command are trained: what `samcli train` and `samcli tune` have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from samcli import forkserver
from samcli.cli.engine import Engine, Where
from samcli.cli.jobs import check_in_this_process, jobs_of, sharing_of
from samcli.cli.output import detail, warn
from samcli.cli.planned import tell_changes, tell_contents, tell_earlier, tell_left_out
from samcli.cli.reading import reading_shown, use_cache_dir
from samcli.errors import Interrupted

if TYPE_CHECKING:
    import torch
    import typer

    from samcli.config import Draft, RunConfig
    from samcli.launch import Cell, Slot, Terms
    from samcli.launch.estimate import Estimate


@dataclass(frozen=True)
class Training:
    """The flags on how runs are trained, checked.

    Attributes:
        where: the engine.
        device: where each run computes.
        at_once: how many runs train at once; 0 in this process, None as many as suit the machine.
        sharing: how many processes share the batches of each run.
        jobs_per_gpu: how many runs share a GPU.
        results: the results folder.
        data_dir: where data sets lie.
        timeout, most_failures: see `samcli.launch.Terms`.
        retry_failed, reuse_changed, take_over: see `samcli.launch.plan`.
    """

    where: Where
    device: torch.device
    at_once: int | None
    sharing: int
    jobs_per_gpu: int | None
    results: Path
    data_dir: Path
    timeout: float | None
    most_failures: int | None
    retry_failed: bool
    reuse_changed: bool
    take_over: bool

    @classmethod
    def of(
        cls,
        *,
        where: Where,
        device: str,
        jobs: str,
        jobs_per_gpu: int | None,
        processes: int | None,
        results: Path,
        data_dir: Path,
        cache_dir: Path | None = None,
        timeout: float | None = None,
        most_failures: int | None = None,
        retry_failed: bool = False,
        reuse_changed: bool = False,
        take_over: bool = False,
        begins: bool = True,
    ) -> Training:
        """The flags as they were given, see `use_cache_dir`; without `begins` nothing is prepared for training.

        Raises:
            ConfigError: flags that exclude each other, or a device that is not there.
        """
        use_cache_dir(cache_dir)
        sharing, at_once = sharing_of(processes, jobs_of(jobs), jobs_per_gpu)
        if at_once == 0:
            given = {"--timeout": timeout, "--threads": where.threads, "--jobs-per-gpu": jobs_per_gpu}
            check_in_this_process(jobs, given)
        where.check(jobs, jobs_per_gpu, sharing)
        if where.engine == Engine.LOCAL and at_once != 0 and begins:
            forkserver.begin()  # it imports torch while this process does
        return cls(
            where,
            where.device(device),
            at_once,
            sharing,
            jobs_per_gpu,
            results,
            data_dir,
            timeout,
            most_failures,
            retry_failed,
            reuse_changed,
            take_over,
        )

    def is_followed(self, ctx: typer.Context) -> bool:
        """Whether this is a process of torchrun that follows another one, and has done so until the end."""
        from samcli.train.ranks import follow, joined_as_launched

        if ctx.with_resource(joined_as_launched(self.device)) == 0:
            return False
        follow()
        return True

    def checked(self, draft: Draft) -> list[RunConfig]:
        """The runs of a draft with their precision resolved, once they are known to be trainable so.

        Raises:
            ConfigError: they are not.
        """
        from samcli.train.device import resolve_precision
        from samcli.train.sharing import check_sharing

        expanded = draft.expand()
        self.where.check_precision(expanded, self.device)
        runs = [resolve_precision(run, self.device) for run in expanded]
        tell_left_out(draft.left_out)
        check_sharing(runs, self.sharing, self.device, elsewhere=self.where.engine != Engine.LOCAL)
        return runs

    def plan(self, runs: Sequence[RunConfig]) -> list[Cell]:
        """Each run with its folder and the state that it is in."""
        from samcli import launch

        return launch.plan(
            runs,
            self.results,
            data_dir=self.data_dir,
            reuse_changed=self.reuse_changed,
            take_over=self.take_over,
            retry_failed=self.retry_failed,
        )

    def slots(self, cells: Sequence[Cell]) -> list[Slot]:
        """The places on this machine for what is left to do; none where runs train in this process."""
        from samcli import launch

        return launch.slots_of(
            sum(cell.to_do or cell.state == "busy" for cell in cells),
            launch.available_cores(),
            launch.devices_like(self.device),
            jobs=self.at_once,
            jobs_per_gpu=self.jobs_per_gpu,
            threads=self.where.threads,
        )

    @property
    def terms(self) -> Terms:
        """What the runs have in common."""
        from samcli import launch

        return launch.Terms(self.data_dir, self.device, self.timeout, self.most_failures, self.sharing)

    def estimate(self, cells: Sequence[Cell], slots: Sequence[Slot]) -> Estimate:
        """How long what is left to do takes, from finished runs of the experiment, or else of all results."""
        from samcli.launch import available_cores
        from samcli.launch.estimate import estimate, trainings_left

        places = dict.fromkeys(cell.folder.path.parent for cell in cells)
        device = slots[0].device.type if slots else "cpu"
        return estimate(
            trainings_left(cells),
            [*places, self.results],
            jobs=max(len(slots), 1),
            threads=slots[0].threads if slots else None,
            device=device,
            cores=len(available_cores()) if device == "cpu" else None,
        )

    def train(
        self,
        cells: list[Cell],
        slots: Sequence[Slot],
        before: Callable[[], None] = lambda: None,
        again: bool = False,
        part: str = "test",
    ) -> dict[str, str]:
        """Train what is left to do under a progress display; Ctrl-C and a request to terminate stop it resumably.

        Args:
            cells: the plan.
            slots: the places.
            before: called once it is known that nothing stands in the way.
            again: whether the command has trained such runs already, so that what the data hold has been said.
            part: of the data, whose score is shown on the way.

        Returns:
            The outcome of each run, by the name of its folder.

        Raises:
            Interrupted: somebody asked to stop.
            SamcliError: something stands in the way of a run, see `samcli.train.rehearsal`.
        """
        from samcli.cli.progress import progress_for
        from samcli.train.rehearsal import rehearse

        for cell in cells:
            detail(f"{cell.state:<9} {cell.folder.path} on {self.device}, {cell.config.training.precision}")
        tell_earlier(cells)
        tell_changes(cells)
        to_do = [cell.config for cell in cells if cell.to_do]
        try:
            with reading_shown():
                rehearse(to_do, self.data_dir, on_notice=(lambda sentence: None) if again else warn)
                before()
                if not again:
                    tell_contents(to_do, self.data_dir)
            with progress_for(cells, max(len(slots), 1), part) as observer:
                return self.where.train(cells, self.terms, observer, slots)
        except KeyboardInterrupt as error:
            raise Interrupted("Interrupted between two runs; the same command continues.") from error
