"""`samcli train --engine`: which flags belong to which engine, and what is said where one is missing."""

from importlib.machinery import ModuleSpec

import pytest
import torch
from command import Samcli

from samcli.cli import engine
from samcli.cli.engine import Engine, Where
from samcli.errors import ConfigError


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: ModuleSpec(name, None))
    monkeypatch.setattr(engine, "which", lambda name: f"/usr/bin/{name}")


@pytest.mark.parametrize(("name", "needed"), [("ray", "Ray"), ("slurm", "submitit")])
def test_a_missing_extra_is_a_sentence(samcli: Samcli, monkeypatch: pytest.MonkeyPatch, name: str, needed: str) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda module: None)
    called = samcli("train", "--engine", name)
    assert (called.code, called.out) == (2, "")
    assert f'--engine {name} needs {needed}; install it with: pip install "samcli[{name}]"' in called.err
    assert "Traceback" not in called.err


@pytest.mark.usefixtures("installed")
def test_slurm_where_there_is_none(samcli: Samcli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "which", lambda name: None)
    called = samcli("train", "--engine", "slurm")
    assert (called.code, called.out) == (2, "")
    assert "There is no sbatch here; --engine slurm is for a login node of a Slurm cluster." in called.err


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (
            ("--ray-address", "10.0.0.1:6379"),
            "--ray-address is for --engine ray; add that, or leave --ray-address out.",
        ),
        (("--cpus-per-run", "2"), "--cpus-per-run is for --engine ray or --engine slurm"),
        (("--partition", "long"), "--partition is for --engine slurm"),
        (("--time", "90"), "--time is for --engine slurm"),
        (("--engine", "ray", "--gpus", "1"), "--gpus is for --engine slurm"),
        (("--engine", "ray", "--max-concurrent", "1"), "--max-concurrent is for --engine slurm"),
        (("--engine", "slurm", "--ray-address", "a:1"), "--ray-address is for --engine ray"),
        (("--engine", "ray", "--jobs", "2"), "--jobs is for --engine local"),
        (("--engine", "ray", "--jobs-per-gpu", "2"), "--jobs-per-gpu is for --engine local"),
        (("--engine", "slurm", "--processes", "2"), "--processes is for --engine local or --engine ray"),
        (("--engine", "ray", "--ray-address", "ray://head:10001"), "HOST:PORT of the cluster's head"),
        (("--engine", "ray", "--ray-address", ""), "HOST:PORT of the cluster's head"),
        (("--engine", "ray", "--ray-address", "head"), "HOST:PORT of the cluster's head"),
        (("--engine", "ray", "--ray-address", "head:ssh"), "HOST:PORT of the cluster's head"),
        (("--engine", "ray", "--ray-address", "head:0"), "HOST:PORT of the cluster's head"),
        (("--engine", "ray", "--ray-address", "head:65536"), "HOST:PORT of the cluster's head"),
        (("--engine", "ray", "--device", "cuda:1"), "A cluster chooses the GPU of each run; use --device cuda"),
    ],
)
@pytest.mark.usefixtures("installed")
def test_flags_of_another_engine_are_refused(samcli: Samcli, flags: tuple[str, ...], sentence: str) -> None:
    called = samcli("train", "--dry-run", *flags)
    assert (called.code, called.out) == (2, "")
    assert sentence in " ".join(called.err.split())
    assert "Traceback" not in called.err


@pytest.mark.usefixtures("installed")
def test_a_gpu_of_the_cluster_need_not_be_here(samcli: Samcli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert Where(Engine.RAY).device("cuda") == torch.device("cuda")
    assert Where(Engine.SLURM, gpus=1).device("auto") == torch.device("cuda")
    assert Where(Engine.SLURM).device("auto") == torch.device("cpu")
    with pytest.raises(ConfigError, match="no GPU"):
        Where().device("cuda:99")
    called = samcli("train", "--engine", "ray", "--device", "cuda", "--set", "precision=auto", "--dry-run")
    assert called.code == 2
    assert "this machine has none to look at" in " ".join(called.err.split())
