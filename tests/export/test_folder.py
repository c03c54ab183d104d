"""Folders that are written as a whole."""

import os
from pathlib import Path

import pytest

from samcli.errors import ConfigError, ResultsError
from samcli.export._folder import MARK, whole_folder


def write(output: Path, content: str, form: str = "wandb") -> None:
    with whole_folder(output, form) as temporary:
        (temporary / "inner").mkdir()
        (temporary / "inner/file").write_text(content)


def there(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_an_export_is_replaced_by_the_next(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()  # empty
    for content in ("old", "new"):
        write(tmp_path / "out", content)
    assert there(tmp_path) == ["out/inner/file", f"out/{MARK}"]
    assert (tmp_path / "out/inner/file").read_text() == "new"


def test_what_tools_leave_beside_their_files_is_replaced_too(tmp_path: Path) -> None:
    write(tmp_path / "out", "old")
    (tmp_path / "out/inner/run.wandb.synced").touch()
    write(tmp_path / "out", "new")
    assert there(tmp_path) == ["out/inner/file", f"out/{MARK}"]


@pytest.mark.parametrize(
    "kind", ["file", "folder", "another form", "a file among ours", "a link among ours", "no mark"]
)
def test_nothing_else_is_replaced(tmp_path: Path, kind: str) -> None:
    output = tmp_path / "out"
    if kind == "file":
        output.touch()
    elif kind == "folder":
        output.mkdir()
        (output / "thesis.tex").touch()
    else:
        write(output, "old", "mlflow" if kind == "another form" else "wandb")
    if kind == "a file among ours":
        (output / "inner/thesis.tex").touch()
    elif kind == "a link among ours":
        os.symlink(tmp_path, output / "link")
    elif kind == "no mark":
        (output / MARK).write_text("[]")
    before = there(tmp_path)
    with pytest.raises(ConfigError, match="name another place with -o"):
        write(output, "new")
    assert there(tmp_path) == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interruption_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    write(tmp_path / "out", "old")
    with pytest.raises(error), whole_folder(tmp_path / "out", "wandb") as temporary:
        (temporary / "half").touch()
        raise error
    assert there(tmp_path) == ["out/inner/file", f"out/{MARK}"]


def test_what_came_meanwhile_stays(tmp_path: Path) -> None:
    with pytest.raises(ConfigError), whole_folder(tmp_path / "out", "wandb"):
        (tmp_path / "out").mkdir()
        (tmp_path / "out/thesis.tex").touch()
    assert there(tmp_path) == ["out/thesis.tex"]


def test_the_disk_ends_in_a_sentence(tmp_path: Path) -> None:
    words = r"Cannot write .*out: No space left on device\. Make room there"
    with pytest.raises(ResultsError, match=words), whole_folder(tmp_path / "out", "wandb"):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())
