"""What holds for every format."""

import os
import sys
from pathlib import Path

import pytest
from run_folders import SGD, Results

from samcli.cli.export import To
from samcli.errors import ConfigError, NothingToCompare
from samcli.export import FORMATS, export
from samcli.export._packages import SILENT, environment
from samcli.runs import Run


@pytest.fixture
def runs(tmp_path: Path) -> list[Run]:
    Results(tmp_path / "results").add(SGD, 0, [0.5])
    return Results(tmp_path / "results").runs()


@pytest.fixture
def everything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samcli.export.require", lambda form, packages: None)


@pytest.mark.parametrize("form", FORMATS)
def test_a_missing_package_is_told_before_anything_is_written(
    form: str, runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in FORMATS[form].packages:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError) as refused:
        export(runs, form, tmp_path / "out")
    assert str(refused.value).startswith(f"--to {form} needs {FORMATS[form].packages[0]}")
    assert str(refused.value).endswith("with: pip install 'samcli[trackers]'")
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("everything_is_installed")
@pytest.mark.parametrize("form", ["tensorboard", "mlflow", "wandb"])
def test_what_is_no_export_stays(form: str, runs: list[Run], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").touch()
    with pytest.raises(ConfigError, match=f"is there and is no export of samcli to {form}; name another place with -o"):
        export(runs, form, tmp_path / "out")
    assert os.listdir(tmp_path / "out") == ["thesis.tex"]


@pytest.mark.usefixtures("everything_is_installed")
@pytest.mark.parametrize("form", FORMATS)
def test_a_run_is_only_read(form: str, runs: list[Run], tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(runs[0].folder)
    for output in (runs[0].folder, runs[0].folder / "out", tmp_path / "link/out"):
        with pytest.raises(ConfigError, match="lies in the folder of a run, which is only read"):
            export(runs, form, output)


def test_no_format_and_no_runs(runs: list[Run]) -> None:
    with pytest.raises(ConfigError, match="There is no format named 'tensorbord'; did you mean tensorboard"):
        export(runs, "tensorbord")
    with pytest.raises(NothingToCompare, match="There are no runs to export"):
        export([], "wandb")


def test_the_command_line_knows_all_formats() -> None:
    assert list(To) == list(FORMATS)


def test_no_wish_of_the_users_environment_reaches_a_tracker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_RESUME", "must")
    with environment(SILENT, without="WANDB_"):
        assert {name: value for name, value in os.environ.items() if name.startswith("WANDB_")} == {
            "WANDB_MODE": "offline",
            "WANDB_ERROR_REPORTING": "false",
        }
    assert (os.environ["WANDB_MODE"], os.environ["WANDB_RESUME"]) == ("online", "must")
    assert "DO_NOT_TRACK" not in os.environ
