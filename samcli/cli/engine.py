"""The engine of `samcli train`: where runs are trained, with the flags that each one has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from shutil import which
from typing import TYPE_CHECKING

from samcli.errors import ConfigError

if TYPE_CHECKING:
    import torch

    from samcli.config import RunConfig
    from samcli.launch import Cell, Observer, Slot, Terms


class Engine(StrEnum):
    """Where runs are trained."""

    LOCAL = "local"
    RAY = "ray"
    SLURM = "slurm"


# what an engine needs besides samcli: the module, and its name in words
_NEEDS = {Engine.RAY: ("ray", "Ray"), Engine.SLURM: ("submitit", "submitit")}
# the engines that know a flag of their own
_ENGINES_OF = {
    "--cpus-per-run": (Engine.RAY, Engine.SLURM),
    "--ray-address": (Engine.RAY,),
    "--partition": (Engine.SLURM,),
    "--time": (Engine.SLURM,),
    "--gpus": (Engine.SLURM,),
    "--max-concurrent": (Engine.SLURM,),
    "--jobs": (Engine.LOCAL,),
    "--jobs-per-gpu": (Engine.LOCAL,),
    "--processes": (Engine.LOCAL, Engine.RAY),
}


@dataclass(frozen=True)
class Where:
    """The engine with its settings; None is what was not asked for.

    Attributes:
        engine: its name.
        cpus: that each run has on a cluster.
        threads: that each run computes with.
        address: of a Ray cluster's head.
        partition: of Slurm.
        minutes: that a job of Slurm has.
        gpus: that each run has on Slurm.
        concurrent: how many jobs of Slurm may run at once.
    """

    engine: Engine = Engine.LOCAL
    cpus: int | None = None
    threads: int | None = None
    address: str | None = None
    partition: str | None = None
    minutes: int | None = None
    gpus: int | None = None
    concurrent: int | None = None

    def check(self, jobs: str, jobs_per_gpu: int | None, processes: int) -> None:
        """Return if the engine is installed, and every flag is one of its own.

        Raises:
            ConfigError: it is not, or one is another engine's.

        >>> Where(address="10.0.0.1:6379").check("auto", None, 1)
        Traceback (most recent call last):
        samcli.errors.ConfigError: --ray-address is for --engine ray; add that, or leave --ray-address out.
        """
        module, name = _NEEDS.get(self.engine, ("", ""))
        if module and find_spec(module) is None:
            raise ConfigError(
                f'--engine {self.engine} needs {name}; install it with: pip install "samcli[{self.engine}]"'
            )
        if self.engine == Engine.SLURM and which("sbatch") is None:
            raise ConfigError("There is no sbatch here; --engine slurm is for a login node of a Slurm cluster.")
        given = {
            "--cpus-per-run": self.cpus,
            "--ray-address": self.address,
            "--partition": self.partition,
            "--time": self.minutes,
            "--gpus": self.gpus,
            "--max-concurrent": self.concurrent,
            "--jobs": None if jobs == "auto" else jobs,
            "--jobs-per-gpu": jobs_per_gpu,
            "--processes": None if processes == 1 else processes,
        }
        for flag, value in given.items():
            if value is not None and self.engine not in _ENGINES_OF[flag]:
                engines = " or ".join(f"--engine {name}" for name in _ENGINES_OF[flag])
                raise ConfigError(f"{flag} is for {engines}; add that, or leave {flag} out.")
        if self.address is not None and not (self.address == "auto" or _is_address(self.address)):
            raise ConfigError(
                f"--ray-address is HOST:PORT of the cluster's head, or auto on one of its nodes, not {self.address!r}."
            )

    def device(self, name: str) -> torch.device:
        """The device of the runs: on a cluster it need not be on this machine.

        Raises:
            ConfigError: as for `samcli.train.device.choose_device`, or a GPU by its number, which the cluster chooses.
        """
        import torch

        from samcli.train.device import choose_device

        if self.gpus and name == "auto":
            name = "cuda"
        if self.engine == Engine.LOCAL or not name.startswith("cuda"):
            return choose_device(name)
        if name != "cuda":
            raise ConfigError(f"A cluster chooses the GPU of each run; use --device cuda in place of {name}.")
        return torch.device("cuda")

    def check_precision(self, runs: Sequence[RunConfig], device: torch.device) -> None:
        """Return if the precision of every run is known here.

        Raises:
            ConfigError: it is `auto` for a GPU that only other machines have.
        """
        import torch

        unknown = device.type == "cuda" and not torch.cuda.is_available()
        if unknown and any(run.training.precision == "auto" for run in runs):
            raise ConfigError(
                "precision: auto means what suits the GPU, and this machine has none to look at; "
                "name it, e.g. --set precision=bf16."
            )

    def train(self, cells: Sequence[Cell], terms: Terms, observer: Observer, slots: Sequence[Slot]) -> dict[str, str]:
        """Train what is left to do: the outcome of each run, see the engines in `samcli.launch.engines`."""
        from samcli import launch

        if self.engine == Engine.RAY:
            from samcli.launch.engines.ray import run_on_ray

            cpus = self.cpus or terms.processes
            return run_on_ray(cells, terms, observer, address=self.address, cpus=cpus, threads=self.threads)
        if self.engine == Engine.SLURM:
            from samcli.launch.engines.slurm import Request, run_on_slurm

            gpus = (self.gpus or 1) if terms.device.type == "cuda" else 0
            request = Request(
                self.minutes or Request.minutes,
                self.partition,
                self.cpus or 1,
                gpus,
                self.threads,
                self.concurrent,
            )
            return run_on_slurm(cells, terms, observer, request)
        if not slots:
            return launch.run_all(cells, terms, observer)
        return launch.run_at_once(cells, terms, observer, slots)


def _is_address(text: str) -> bool:
    """Whether a text is HOST:PORT."""
    host, _, port = text.rpartition(":")
    return (
        bool(host)
        and "/" not in text
        and port.isdecimal()
        and port.isascii()
        and len(port) <= 5
        and 0 < int(port) < 65536
    )
