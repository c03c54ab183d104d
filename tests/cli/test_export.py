"""samcli export, as far as it needs no tracker."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from command import Samcli
from run_folders import SAM, SGD, Results

from samcli import export
from samcli.export._entry import Entry
from samcli.export._format import Format, Progress


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = Results(tmp_path / "results")
    made.add(SGD, 0, [0.5, 0.75])
    made.add(SAM, 0, [0.5], status={"status": "diverged"})
    monkeypatch.chdir(tmp_path)
    return tmp_path / "results"


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """In place of TensorBoard: the outputs that were asked for."""
    asked: list[Path] = []

    def write(entries: Sequence[Entry], output: Path, progress: Progress) -> list[str]:
        asked.append(output)
        progress(len(entries))
        return ["A number is too large."]

    monkeypatch.setitem(export.FORMATS, "tensorboard", Format("samcli-tensorboard", (), lambda output: "look", write))
    return asked


def test_what_was_written_is_told(samcli: Samcli, results: Path, writer: list[Path]) -> None:
    called = samcli("export", "--to", "tensorboard")
    assert (called.code, called.out) == (0, "samcli-tensorboard\n")
    assert called.err.splitlines() == [
        "warning: A number is too large.",
        "2 runs, 3 epochs: 1 finished, 1 diverged.",
        "Look at it: look",
    ]
    assert writer == [results.parent / "samcli-tensorboard"]


def test_quiet_leaves_the_result_and_warnings(samcli: Samcli, results: Path, writer: list[Path]) -> None:
    called = samcli("export", results, "--to", "tensorboard", "-q", "-o", "a b/c")
    assert (called.code, called.out, called.err) == (0, "a b/c\n", "warning: A number is too large.\n")
    assert writer == [results.parent / "a b/c"]


def test_json_is_one_document(samcli: Samcli, results: Path, writer: list[Path]) -> None:
    called = samcli("export", results, "--to", "tensorboard", "--json")
    told = json.loads(called.out)
    assert (told["format"], told["output"], told["look"]) == ("tensorboard", "samcli-tensorboard", "look")
    assert [(run["run"], run["status"], run["epochs"]) for run in told["runs"]] == [
        ("run000", "finished", 2),
        ("run001", "diverged", 1),
    ]
    assert told["warnings"] == ["A number is too large."]
    assert writer


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ((), 2, "Say in which format, with --to: tensorboard, mlflow, wandb, parquet."),
        (("--to", "csv"), 2, "--to must be one of tensorboard, mlflow, wandb, parquet, not 'csv'."),
        (("nowhere", "--to", "wandb"), 2, "There are no results at nowhere; name a results folder, or train first: "),
        (("empty", "--to", "wandb"), 3, "There are no runs to export; train some first: samcli train"),
    ],
)
def test_mistakes(samcli: Samcli, results: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    (results.parent / "empty").mkdir()
    called = samcli("export", *arguments)
    assert (called.code, called.out) == (code, "")
    assert f"samcli: {sentence}" in called.err
    assert "Traceback" not in called.err


@pytest.mark.parametrize("form", ["tensorboard", "mlflow", "wandb", "parquet"])
def test_a_missing_package_is_one_sentence(results: Path, form: str) -> None:
    """In a process that cannot import any of them, as after a plain installation."""
    program = (
        "import sys\n"
        "for name in ('tensorboard', 'mlflow', 'wandb', 'pyarrow'): sys.modules[name] = None\n"
        "from samcli.cli.app import main\n"
        f"main(['export', '--to', {form!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=results.parent, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"samcli: --to {form} needs ")
    assert done.stderr.endswith(" with: pip install 'samcli[trackers]'\n")
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in results.parent.iterdir()) == ["results"]
