"""samcli runs, and samcli runs rm."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from command import Samcli
from run_folders import SAM, SGD, Results

from samcli.cli import complete


@pytest.fixture
def results(tmp_path: Path) -> Path:
    made = Results(tmp_path)
    made.add(SGD, 0, [0.5, 0.75])
    made.add(SAM, 0, [0.5], status={"status": "failed", "error": "Out of memory\x1b[2J; take a smaller --batch-size."})
    made.add(SAM, 1, [0.5], status={"status": "running", "machine": "x"})
    return tmp_path


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_fits(samcli: Samcli, results: Path, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    called = samcli("runs", results)
    assert called.code == 0
    assert called.err == "3 runs: 1 finished, 1 failed, 1 interrupted.\n"
    lines = called.out.splitlines()
    assert max(map(len, lines)) <= width
    assert lines[1].split()[:5] == ["trial/run000", "finished", "?/2", "75.00", "%"]
    assert "Out of memory\\x1b[2J; take" in " ".join(called.out.split())


def test_filters_and_json(samcli: Samcli, results: Path) -> None:
    called = samcli("runs", results, "--status", "failed,interrupted", "--json")
    runs = json.loads(called.out)["runs"]
    assert [(run["run"], run["status"]) for run in runs] == [("run001", "failed"), ("run002", "interrupted")]
    assert called.err == ""
    assert json.loads(samcli("runs", results, "--status", "damaged", "--json").out) == {"runs": []}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        *(
            (flags, f"--status names no status; choose of {', '.join(complete.STATES)}, or leave it out.")
            for flags in (("runs", "--status", ""), ("runs", "rm", "--status", ",", "--yes"))
        ),
        (("runs", "--status", "faild"), "--status faild is no status of a run; did you mean failed?"),
        (("runs", "nowhere"), "There are no results at nowhere; name a results folder, or train first: samcli train"),
        (("runs", "--watch"), "--watch needs a terminal to draw on; leave --watch out, and call samcli runs again."),
        (
            ("runs", "rm", "--yes"),
            "Name the runs to remove, or say which with --status failed; see samcli runs -h.",
        ),
    ],
)
def test_mistakes(
    samcli: Samcli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    called = samcli(*arguments)
    assert (called.code, called.out, called.err.strip()) == (2, "", f"samcli: {sentence}")


def test_removing_shows_first(samcli: Samcli, results: Path) -> None:
    shown = samcli("runs", "rm", results, "--status", "failed")
    assert "Nothing is removed yet; add --yes." in shown.err
    assert (results / "trial/run001").exists()
    done = samcli("runs", "rm", results, "--status", "failed", "--yes")
    assert done.out == shown.out
    assert done.code == 0
    assert sorted(path.name for path in (results / "trial").iterdir()) == ["run000", "run002"]


def test_what_is_kept_is_told(samcli: Samcli, results: Path) -> None:
    (results / "trial/run001/notes.txt").touch()
    called = samcli("runs", "rm", results / "trial/run001", "--yes")
    assert called.code == 1
    assert "holds notes.txt, which samcli did not write; move it away first." in called.err
    assert (results / "trial/run001/run.json").exists()


def test_torch_is_not_imported(results: Path) -> None:
    program = (
        "import sys\nfrom samcli.cli.app import main\n"
        f"try: main(['runs', {str(results)!r}])\nexcept SystemExit: pass\n"
        "print([name for name in ('torch', 'pandas', 'scipy', 'matplotlib') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"


def test_watching_draws_until_ctrl_c_and_leaves_the_list(
    samcli: Samcli, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            raise KeyboardInterrupt
        (results / "trial/run001/run.json").unlink()

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("samcli.cli.runs.time.sleep", wait)
    called = samcli("runs", results, "--watch", "--every", "0.5")
    assert called.code == 0
    assert waits == [0.5, 0.5]
    assert "3 runs: 1 finished, 1 interrupted, 1 damaged" in called.out
    assert called.out.rstrip().splitlines()[-1].startswith("trial/run002"), "the list itself, below what was drawn"


def test_watching_and_a_document_exclude_each_other(samcli: Samcli, results: Path) -> None:
    called = samcli("runs", results, "--watch", "--json")
    assert (called.code, called.out) == (2, "")
    assert "leave --watch out" in called.err
