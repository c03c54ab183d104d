"""The folder of a run: found by what it is, named by what tells it apart."""

import shutil
from pathlib import Path

import pytest

from samcli import launch
from samcli.config import Draft, RunConfig, parse
from samcli.launch.folders import names_of
from samcli.train import CATALOGUE


def runs(text: str) -> list[RunConfig]:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


GRID = """
name: grid
dataset: {name: digits, label_noise: [0.0, 0.4]}
model: mlp
epochs: 2
schedule: [cosine, constant]
optimizer: [sgd, {name: sam, rho: [0.05, 0.1]}]
"""


def test_names_tell_runs_apart() -> None:
    names = names_of(runs(GRID))
    assert [name[:-9] for name in names[:3]] == [
        "digits-mlp-sgd-label_noise0-schedulecosine-seed0",
        "digits-mlp-sam-rho0.05-label_noise0-schedulecosine-seed0",
        "digits-mlp-sam-rho0.1-label_noise0-schedulecosine-seed0",
    ]
    assert len({name[:-9] for name in names}) == len(names) == 12
    assert all(name.endswith(run.identity[:8]) for name, run in zip(names, runs(GRID), strict=True))


def test_names_are_names_of_folders(tmp_path: Path) -> None:
    odd = [
        *runs("dataset: 'image-folder:../my pictures/\u00e4/x'\nmodel: cnn\noptimizer: sgd\n"),
        *runs("optimizer: {name: sgd, lr: [1e-300, 1e30], momentum: [0.1, 0.2]}\nstop_at_train_loss: [null, 0.5]\n"
              "schedule: constant\nclip_norm: [null, 1.0]\nmixup: [0.0, 0.1]\nlabel_smoothing: [0.0, 0.123456789]\n"),
    ]  # fmt: skip
    for name in names_of(odd):
        assert name.isascii()
        assert len(name) < 256
        assert not set(name) & set("/\\ :*?\"<>|'")
        (tmp_path / name).mkdir()


def finish(cells: list[launch.Cell]) -> None:
    for cell in cells:
        cell.folder.write_config(cell.config.document())
        cell.folder.write_metrics([{"epoch": epoch, "train_loss": 0.5} for epoch in (1, 2)])
        cell.folder.write_status({"status": "finished", "epochs_done": 2, "identity": cell.config.identity})


def states(grid: list[RunConfig], results: Path) -> set[str]:
    return {cell.state for cell in launch.plan(grid, results)}


def test_a_run_is_found_under_whatever_name(tmp_path: Path) -> None:
    grid = runs(GRID)
    finish(launch.plan(grid, tmp_path))
    for number, folder in enumerate(sorted((tmp_path / "grid").iterdir())):
        folder.rename(folder.with_name(f"my favourite {number}"))
    assert states(grid, tmp_path) == {"finished"}
    # as the first version named it; and one that only its name identifies, or only its configuration
    for cell in launch.plan(grid, tmp_path):
        config, old = cell.config, cell.folder.path
        new = old.with_name(f"digits-mlp-{config.optimizer['name']}-seed0-{config.identity[:8]}")
        old.rename(new)
        (new / "run.json").write_text('{"status": "finished", "epochs_done": 2}')
    assert states(grid, tmp_path) == {"finished"}
    folder = next((tmp_path / "grid").iterdir())
    folder.rename(folder.with_name("only its configuration tells"))
    assert states(grid, tmp_path) == {"finished"}


def test_a_grid_that_grows_finds_its_runs(tmp_path: Path) -> None:
    """Its names then show more settings, or fewer; what is there keeps the name it has."""
    finish(launch.plan(runs(GRID), tmp_path))
    larger = launch.plan(
        runs(GRID.replace("rho: [0.05, 0.1]", "rho: [0.05, 0.1, 0.2]") + "batch_size: [128, 64]"), tmp_path
    )
    assert sum(cell.state == "finished" for cell in larger) == 12
    assert len({cell.folder.path for cell in larger}) == len(larger) == 32


@pytest.mark.parametrize("first", ["a copy", "zz copy"])
def test_of_a_run_and_its_copy_the_finished_one_counts(tmp_path: Path, first: str) -> None:
    grid = runs(GRID)[:1]
    (cell,) = launch.plan(grid, tmp_path)
    finish([cell])
    copy = cell.folder.path.with_name(first)
    shutil.copytree(cell.folder.path, copy)
    assert launch.plan(grid, tmp_path)[0].folder == cell.folder  # the one that has the run's own name
    cell.folder.write_status({"status": "interrupted", "epochs_done": 1, "identity": cell.config.identity})
    assert launch.plan(grid, tmp_path)[0].folder.path == copy


def test_a_folder_under_the_name_of_another_run_is_left_alone(tmp_path: Path) -> None:
    grid = runs(GRID)[:2]
    first, second = launch.plan(grid, tmp_path)
    finish([second])
    second.folder.path.rename(first.folder.path)
    again = launch.plan(grid, tmp_path)
    assert [cell.state for cell in again] == ["new", "finished"]
    assert again[0].folder.path.name == f"{first.folder.path.name}-2"


@pytest.mark.parametrize("file", ["run.json", "config.yaml"])
def test_a_file_of_another_run_does_not_make_the_folder_that_runs(tmp_path: Path, file: str) -> None:
    grid = runs(GRID)[:2]
    cells = launch.plan(grid, tmp_path)
    finish(cells)
    shutil.copy(cells[1].folder.path / file, cells[0].folder.path / file)
    again = launch.plan(grid, tmp_path)
    assert [cell.folder for cell in again] == [cell.folder for cell in cells]
    assert [cell.state for cell in again] == ["new", "finished"]  # without a checkpoint nothing restores it
