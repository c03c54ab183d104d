"""What a page tells of runs themselves."""

from pathlib import Path

from run_folders import SAM, SGD, Results

from samcli.report.page.facts import measures_of_runs, settings_of_runs, what_was_compared, when_and_with_what
from samcli.runs.sharpness_file import SharpnessFile

STATUS = {
    "started": "2026-01-02T03:04:05+00:00",
    "ended": "2026-01-02T04:05:06+00:00",
    "versions": {"samcli": "0.1.0"},
    "git": {"commit": "0123456789abcdef", "dirty": True},
    "device": "cpu",
    "threads": 2,
    "identity": None,
    "epochs_done": 2,
}


def test_every_state_is_counted(results: Results) -> None:
    results.add(SGD, 0, (0.5, 0.6))
    results.add(SGD, 1, (0.5,), status={"status": "diverged"}, epochs=2)
    results.add(SAM, 0, (0.5,), status={"status": "failed"}, epochs=2)
    found = what_was_compared(results.runs())
    assert found == (
        "sam and sgd on digits with the model cnn: 2 settings, each with 1 to 2 seeds. "
        "Of 3 runs, 1 finished, 1 diverged and 1 failed."
    )


def test_one_run(results: Results) -> None:
    results.add(SGD, 0, (0.5,), status={"status": "diverged"}, epochs=2)
    assert what_was_compared(results.runs()).endswith("1 setting, with 1 seed. Of 1 run, it diverged.")


def test_the_loss_that_all_runs_share_is_said(results: Results) -> None:
    results.add(SGD, 0, (0.5,), class_weight="balanced")
    assert what_was_compared(results.runs()).startswith(
        "sgd on digits with the model cnn, trained with class_weight=balanced: 1 setting"
    )


def test_when_and_with_what(results: Results) -> None:
    results.add(SGD, 0, (0.5, 0.6), status=STATUS)
    results.add(SGD, 1, (0.5, 0.6), status=STATUS | {"ended": None, "git": None})
    assert when_and_with_what(results.runs()) == (
        "Trained from 2026-01-02 03:04 UTC to 2026-01-02 04:05 UTC by samcli 0.1.0 at commit 0123456789ab (changed)."
    )


def test_provenance(results: Results) -> None:
    results.add(SGD, 1, (0.5,), status={"status": "failed", "error": "Traceback\nNo room."}, epochs=2)
    results.add(SGD, 0, (0.5, 0.6), status=STATUS)
    (setting,) = settings_of_runs(results.runs())
    first, second = setting.runs
    assert (setting.name, setting.states) == ("digits, cnn: sgd", "1 finished and 1 failed")
    assert "seeds" not in setting.config
    assert first | {"Folder": ""} == {
        "Seed": "0",
        "State": "finished",
        "Epochs": "2 of 2",
        "Started": "2026-01-02 03:04 UTC",
        "Ended": "2026-01-02 04:05 UTC",
        "Device": "cpu",
        "Threads": "2",
        "Commit": "0123456789ab (changed)",
        "Configuration": "",
        "Folder": "",
        "Error": "",
    }
    assert (second["Seed"], second["State"], second["Error"]) == ("1", "failed", "No room.")


def test_kept_measures(results: Results) -> None:
    for seed, value in enumerate((9.0, 11.0)):
        folder = results.add(SGD, seed, (0.5, 0.6))
        entry = {"label": "trace", "key": {"measure": "trace", "examples": 100}, "value": value}
        entry |= {"stderr": None, "converged": True, "details": {"examples": 90, "batch_norm": "evaluation"}}
        SharpnessFile(Path(folder.path, "checkpoint.pt")).add([entry], epoch=2)
    results.add(SAM, 0, (0.5, 0.6))
    assert measures_of_runs(results.runs()) == (
        ["Setting", "trace, 90 examples"],
        [["digits, cnn: sgd", "10 ± 1.4 (2)"]],
    )
