"""The wheel, installed outside of the repository: what comes with it runs by its name."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT = ("samcli", "experiments", "pyproject.toml", "README.md", "LICENSE")
BUILD = "import hatchling.build, sys; print(getattr(hatchling.build, sys.argv[1])(sys.argv[2]))"


def run(*command: str | Path, folder: Path, modules: Path | None = None) -> str:
    """What a command prints, run in a folder with nothing of the repository but these modules to import."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "COLUMNS": "100"} | ({"PYTHONPATH": str(modules)} if modules else {})
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(words, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def built(kind: str, source: Path) -> Path:
    """What the build of a kind, as an installer asks for it, makes of a source tree."""
    return source / "dist" / run("-c", BUILD, f"build_{kind}", "dist", folder=source).split()[-1]


def files_in(wheel: Path) -> set[str]:
    """The names of the files in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of all that a build reads, with one experiment more."""
    source = tmp_path / "source"
    source.mkdir()
    for name in BUILT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    plugged = "{plugins: [rescaling.py], dataset: wine, model: mlp, optimizer: rescaling, epochs: 1}"
    (source / "experiments" / "claims" / "tiny_one.yaml").write_text(plugged)  # the plug-in lies beside it
    return source


def test_an_experiment_of_the_wheel_runs_by_its_name(tmp_path: Path, source: Path) -> None:
    unpacked, installed, elsewhere = (tmp_path / name for name in ("unpacked", "installed", "elsewhere"))
    elsewhere.mkdir()
    with tarfile.open(built("sdist", source)) as archive:  # pip install of a source distribution goes this way
        archive.extractall(unpacked, filter="data")
    wheel = built("wheel", next(unpacked.iterdir()))
    assert files_in(wheel) == files_in(built("wheel", source))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)  # all that installing such a wheel does, but for the command
    shutil.rmtree(source)
    shutil.rmtree(unpacked)

    where = run("-c", "import samcli; print(samcli.__file__)", folder=elsewhere, modules=installed)
    assert Path(where.strip()).is_relative_to(installed)
    listed = run("-m", "samcli", "list", "experiments", folder=elsewhere, modules=installed)
    assert {"quickstart", "label-noise", "claims/tiny-one"} <= {line.split(" ")[0] for line in listed.splitlines()}
    small = ("--set", "dataset.train_examples=60", "--epochs", "1", "--seeds", "0")
    table = run("-m", "samcli", "train", "quickstart", *small, folder=elsewhere, modules=installed)
    assert "sam rho=0.3" in table
    assert len(list((elsewhere / "results").glob("quickstart/*/metrics.csv"))) == 2
    run("-m", "samcli", "train", "claims/tiny-one", "--dry-run", folder=elsewhere, modules=installed)


def test_an_editable_install_has_the_experiments_of_the_checkout_and_no_copy(tmp_path: Path, source: Path) -> None:
    wheel, installed = built("editable", source), tmp_path / "installed"
    assert not [name for name in files_in(wheel) if name.endswith((".yaml", ".py"))]
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)
    (names_folder,) = installed.glob("*.pth")
    folder = names_folder.read_text().strip()  # Python puts it on its path
    found = run(
        "-c", "from samcli import shipped; print(shipped.path_of('quickstart'))", folder=tmp_path, modules=Path(folder)
    )
    assert Path(found.strip()) == source / "experiments" / "quickstart.yaml"
