"""The wheel, installed outside of the repository: what comes with it runs by its name."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILT = ("samcli", "experiments", "pyproject.toml", "README.md", "LICENSE")


def run(*command: str | Path, folder: Path, modules: Path | None = None) -> str:
    """What a command prints, run in a folder with nothing of the repository but these modules to import."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "COLUMNS": "100"} | ({"PYTHONPATH": str(modules)} if modules else {})
    words = [sys.executable, *map(str, command)]
    done = subprocess.run(words, check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_experiment_of_the_wheel_runs_by_its_name(tmp_path: Path) -> None:
    source, installed, elsewhere = (tmp_path / name for name in ("source", "installed", "elsewhere"))
    source.mkdir()
    elsewhere.mkdir()
    for name in BUILT:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    (source / "experiments" / "claims").mkdir(exist_ok=True)
    (source / "experiments" / "claims" / "tiny_one.yaml").write_text("{dataset: wine, model: linear, epochs: 1}")
    run("-m", "hatchling", "build", "--target", "wheel", folder=source)
    (wheel,) = (source / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(installed)  # all that installing such a wheel does, but for the command
    shutil.rmtree(source)

    where = run("-c", "import samcli; print(samcli.__file__)", folder=elsewhere, modules=installed)
    assert Path(where.strip()).is_relative_to(installed)
    listed = run("-m", "samcli", "list", "experiments", folder=elsewhere, modules=installed)
    assert {"quickstart", "label-noise", "claims/tiny-one"} <= {line.split(" ")[0] for line in listed.splitlines()}
    small = ("--set", "dataset.train_examples=60", "--epochs", "1", "--seeds", "0")
    table = run("-m", "samcli", "train", "quickstart", *small, folder=elsewhere, modules=installed)
    assert "sam rho=0.3" in table
    assert len(list((elsewhere / "results").glob("quickstart/*/metrics.csv"))) == 2
    run("-m", "samcli", "train", "claims/tiny-one", "--dry-run", folder=elsewhere, modules=installed)
