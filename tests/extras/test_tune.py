"""`samcli tune` with Optuna: the same search whatever stops it, and what a user meets."""

import csv
import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Called
from real_command import hear_signals

from samcli.cli.app import main
from samcli.config import Draft, parse, read
from samcli.config.tune import SAMPLERS
from samcli.train import CATALOGUE
from samcli.tune.contender import contenders_of
from samcli.tune.suggest import OptunaSuggester
from samcli.tune.trial import Outcome, Trial

pytest.importorskip("optuna", reason="optuna is not installed; make test-extras installs it")

TEXT = """name: small
dataset: {name: wine, validation: 0.2}
model: linear
epochs: 2
batch_size: 64
sharpness: {every: 0}
optimizer: [{name: sgd, lr: 0.05}, {name: sam, lr: 0.05, rho: 0.1}]
seeds: 0-2
tune:
  trials: 8
  round: 3
  seeds: 100-101
  space:
    optimizer.lr: {from: 0.01, to: 1.0, log: true}
    optimizer.rho: {from: 0.0, to: 1.0}
    optimizer.nesterov: [false, true]
"""
Tune = Callable[..., Called]


@pytest.fixture
def tune(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Tune:
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.chdir(tmp_path)

    def call(text: str, *arguments: str, command: str = "tune") -> Called:
        Path("small.yaml").write_text(text)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([command, "small.yaml", "--jobs", "0", "--device", "cpu", *arguments])
        captured = capsys.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Called(code or 0, captured.out, captured.err)

    return call


def trials(folder: str = "results") -> list[dict[str, str]]:
    with Path(folder, "small-tune", "tune.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_search_and_the_experiment_that_it_writes(tune: Tune) -> None:
    called = tune(TEXT)
    assert called.code == 0, called.err
    told = [line for line in called.err.splitlines() if line.startswith("Round ")]
    assert told == [f"Round {n} of 4: {count} trials, {2 * count} runs" for n, count in enumerate((2, 6, 6, 2), 1)]
    rows = trials()
    assert [(row["optimizer"], row["trial"]) for row in rows] == [(o, str(n)) for o in ("sgd", "sam") for n in range(8)]
    assert [row["optimizer.lr"] for row in rows if row["trial"] == "0"] == ["0.05", "0.05"], "the file's own come first"
    assert {row["evaluations"] for row in rows if row["optimizer"] == "sgd"} == {"1.0"}
    assert {row["evaluations"] for row in rows if row["optimizer.rho"] not in ("", "0.0")} == {"2.0"}
    assert len({(row["optimizer.lr"], row["optimizer.rho"]) for row in rows}) == 16, "each has draws of its own"
    assert "Train it on the final seeds: samcli train small-tuned.yaml" in called.err
    runs = Draft.of(read(Path("small-tuned.yaml")), CATALOGUE).expand()
    assert [run.seed for run in runs] == [0, 0, 1, 1, 2, 2]
    for run in runs[:2]:
        own = [row for row in rows if row["optimizer"] == run.optimizer["name"]]
        best = max(own, key=lambda row: float(row["validation_accuracy"]))
        assert run.optimizer["lr"] == float(best["optimizer.lr"])
    assert "test accuracy" not in called.err, "nobody is shown the test part on the way"


def test_a_search_that_stops_after_any_round_goes_on_as_if_it_had_not(
    tune: Tune, monkeypatch: pytest.MonkeyPatch
) -> None:
    from samcli.cli.training import Training

    assert tune(TEXT, "--results", "whole").code == 0
    written = Path("small-tuned.yaml").read_bytes()
    real = Training.train
    calls = 0

    def stopped(self: Training, *arguments: Any, **named: Any) -> dict[str, str]:
        nonlocal calls
        calls += 1
        outcome = real(self, *arguments, **named)
        if calls % 2:  # the round has ended, and nobody was told
            raise KeyboardInterrupt
        return outcome

    monkeypatch.setattr(Training, "train", stopped)
    codes = []
    while not codes or codes[-1] == 75:
        codes.append(tune(TEXT, "--results", "cut").code)
        assert len(codes) < 9
    assert codes == [75, 75, 0], "four rounds: stopped in the first and the third"
    files = [Path(name, "small-tune/tune.csv").read_bytes() for name in ("whole", "cut")]
    assert files[0] == files[1]
    assert Path("small-tuned.yaml").read_bytes() == written


def test_a_search_that_is_killed_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    """Two runs at once, the process and its children killed in the middle of a round."""
    (tmp_path / "small.yaml").write_text(TEXT.replace("epochs: 2", "epochs: 9").replace("trials: 8", "trials: 5"))
    flags = ["--device", "cpu", "--jobs", "2", "--threads", "1"]

    def started(results: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "samcli", "tune", "small.yaml", "--results", results, *flags]
        return subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL, preexec_fn=hear_signals)  # noqa: PLW1509

    assert started("whole").wait(200) == 0
    written = (tmp_path / "small-tuned.yaml").read_bytes()
    process = started("cut")
    while process.poll() is None and len(list(tmp_path.glob("cut/*/*/metrics.csv"))) < 7:
        time.sleep(0.01)
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    assert started("cut").wait(200) == 0
    files = [(tmp_path / name / "small-tune/tune.csv").read_bytes() for name in ("whole", "cut")]
    assert files[0] == files[1]
    assert (tmp_path / "small-tuned.yaml").read_bytes() == written


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_sampler_goes_on_where_nothing_finishes(sampler: str) -> None:
    """Of every kind of axis, and of one alone."""
    draft = Draft.of(parse(TEXT.replace("trials: 8", f"trials: 8\n  sampler: {sampler}"), "small.yaml"), CATALOGUE)
    assert draft.tuning is not None
    broken = {100: Outcome("diverged", "validation_accuracy", None, 5)}
    for contender in contenders_of(draft.expand(), draft.tuning, CATALOGUE):
        suggester = OptunaSuggester(contender, draft.tuning.search)
        for number in (1, 5, 5, 5, 5):
            asked = suggester.ask(number)
            assert len(asked) == number
            assert all(0.01 <= settings["lr"] <= 1.0 for settings in asked)
            suggester.tell([Trial(0, settings, broken, 10) for settings in asked])


def test_trials_gather_where_scores_are_good() -> None:
    """What TPE is for; half of the range lies more than half a power of ten from the best."""
    draft = Draft.of(parse(TEXT, "small.yaml"), CATALOGUE)
    assert draft.tuning is not None
    contender = contenders_of(draft.expand(), draft.tuning, CATALOGUE)[0]
    suggester = OptunaSuggester(contender, draft.tuning.search)
    found: list[float] = []
    for number in (1, *[5] * 8):
        asked = suggester.ask(number)
        scores = [1.0 - abs(math.log10(settings["lr"] / 0.3)) for settings in asked]
        told = [{100: Outcome("finished", "validation_accuracy", score, 5)} for score in scores]
        suggester.tell([Trial(0, settings, one, 10) for settings, one in zip(asked, told, strict=True)])
        found += scores
    assert sum(score > 0.5 for score in found[-15:]) >= 11
    assert sum(score > 0.5 for score in found[:6]) <= 4


def test_a_finished_search_trains_nothing_and_a_longer_one_goes_on(tune: Tune) -> None:
    tune(TEXT)
    first = trials()
    before = {path: path.stat().st_mtime_ns for path in Path("results").rglob("metrics.csv")}
    assert "run 1/" not in tune(TEXT).err
    assert {path: path.stat().st_mtime_ns for path in Path("results").rglob("metrics.csv")} == before
    assert tune(TEXT.replace("trials: 8", "trials: 10")).code == 0
    assert [row for row in trials() if int(row["trial"]) < 8] == first


def test_trials_of_the_flag_are_those_of_the_file(tune: Tune) -> None:
    """They count in place of either budget, and are the first of a longer search."""
    called = tune(TEXT.replace("trials: 8", "evaluations: 8"), "--trials", "2")
    assert called.code == 0, called.err
    first = trials()
    assert [row["trial"] for row in first if row["optimizer"] == "sgd"] == ["0", "1"]
    assert tune(TEXT.replace("trials: 8", "trials: 2")).code == 0
    assert trials() == first
    assert tune(TEXT, "--trials", "0").code == 2
    assert json.loads(tune(TEXT, "--trials", "3", "--dry-run", "--json").out)["optimizers"][0]["trials"] == 3


def test_another_optimizer_changes_no_trial_of_the_others(tune: Tune) -> None:
    tune(TEXT)
    first = trials()
    tune(TEXT.replace("optimizer: [", "optimizer: [{name: asam, rho: 0.5}, "), "--results", "more")
    assert [row for row in trials("more") if row["optimizer"] != "asam"] == first


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_sampler_repeats_itself_and_listens_to_its_seed(tune: Tune, sampler: str) -> None:
    text = TEXT.replace("trials: 8", f"trials: 5\n  sampler: {sampler}")
    found = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        name = text.replace("round: 3", f"round: 3\n  sampler_seed: {seed}")
        assert tune(name, "--results", folder, "-o", f"{folder}.yaml").code == 0
        found.append(trials(folder))
    assert found[0] == found[1] != found[2]


def test_as_many_gradient_evaluations(tune: Tune) -> None:
    text = TEXT.replace("trials: 8", "evaluations: 6").replace("rho: {from: 0.0", "rho: {from: 0.1")
    called = tune(text, "--json")
    assert called.code == 0, called.err
    document = json.loads(called.out)
    assert [(row["trials"], row["counted"]) for row in document["optimizers"]] == [(6, 6.0), (3, 6.0)]
    assert document["written"] == "small-tuned.yaml"
    assert len(document["trials"]) == 9


def test_trials_that_diverge_are_counted_and_not_chosen(tune: Tune) -> None:
    text = TEXT.replace("model: linear", "model: mlp").replace("to: 1.0, log", "to: 1.0e+12, log")
    called = tune(text)
    assert called.code == 0, called.err
    states = [row["state"] for row in trials()]
    assert 2 <= states.count("diverged") < 16, states
    assert all(not row["validation_accuracy"] for row in trials() if row["state"] == "diverged")
    for run in Draft.of(read(Path("small-tuned.yaml")), CATALOGUE).expand():
        assert run.optimizer["lr"] < 1e6
    total = sum(int(line.split()[2]) for line in called.out.splitlines() if line.startswith(("sgd", "sam")))
    assert total == states.count("diverged")


def test_an_optimizer_that_only_diverges_leaves_no_experiment(tune: Tune) -> None:
    text = TEXT.replace("model: linear", "model: mlp").replace("from: 0.01, to: 1.0, log", "from: 1e30, to: 1e35, log")
    called = tune(text)
    assert called.code == 1
    assert (
        "samcli: No trial of sgd, sam finished, so that no experiment is written; search smaller values." in called.err
    )
    assert "sgd: the search does not begin at its own lr=0.05 nesterov=false" in called.err
    assert not Path("small-tuned.yaml").exists()


def test_runs_that_all_fail_end_it_after_the_first_round(tune: Tune, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object, **named: object) -> None:
        raise ValueError("no such luck")

    monkeypatch.setattr("samcli.launch.cell.train_run", broken)
    called = tune(TEXT)
    assert called.code == 1
    assert "samcli: No run of the first trials finished; see why: samcli runs results/small-tune" in called.err
    assert [row["state"] for row in trials()] == ["failed"] * 2


def test_somebodys_own_file_is_not_written_over(tune: Tune) -> None:
    Path("small-tuned.yaml").write_text("epochs: 2\n")
    called = tune(TEXT)
    assert called.code == 2
    assert "small-tuned.yaml is there and is not as samcli tune wrote it; name another file with --output" in called.err
    assert not Path("results").exists(), "this is said before anything is trained"
    assert tune(TEXT, "-o", "other.yaml", "-q").out.endswith("other.yaml\n")
    assert tune(TEXT.replace("trials: 8", "trials: 2"), "-o", "other.yaml").code == 0


def test_a_dry_run_trains_nothing(tune: Tune) -> None:
    called = tune(TEXT, "--dry-run")
    assert called.code == 0
    assert "lr=0.01..1 (log) rho=0..1 nesterov=[false, true]" in " ".join(called.out.split())
    assert not Path("results").exists()
    assert json.loads(tune(TEXT, "--dry-run", "--json").out)["optimizers"][0]["trials"] == 8


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (", validation: 0.2", "", "Settings are chosen on a validation part, and there is none; hold one out with "),
        ("tune:", "x-tune:", "small.yaml does not say what to search; add tune: {"),
        (
            "tune:",
            "equal_compute: true\ntune:",
            "small.yaml, line 9: a search trains for the epochs that the file gives",
        ),
        ("seeds: 100-101", "seeds: 2-3", "small.yaml, line 12: seed 2 is among the final seeds"),
        (
            "optimizer.rho:",
            "optimizer.roh:",
            "small.yaml, line 15: no optimizer here has an option 'roh'; did you mean",
        ),
    ],
)
def test_mistakes_end_as_a_sentence(tune: Tune, old: str, new: str, told: str) -> None:
    called = tune(TEXT.replace(old, new))
    assert called.code == 2
    assert called.err.startswith(f"samcli: {told}")
    assert "Traceback" not in called.err


def test_training_the_file_passes_the_search_over(tune: Tune) -> None:
    assert tune(TEXT, command="train").code == 0
    assert [path.name for path in Path("results").iterdir()] == ["small"]
