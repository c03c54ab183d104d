"""What every tracker is told of a run."""

import os
from pathlib import Path

import pytest
from run_folders import SAM, SGD, Results

from samcli.export._entry import entries_of, safe


@pytest.mark.parametrize(
    "name", ["..", "../../etc", "a/b", "\x1b[2J", "", "\udce9", "ρ" * 300, "-rf", ".hidden", "a\nb"]
)
def test_a_safe_name_is_one_part_of_a_path(name: str) -> None:
    made = safe(name)
    assert made
    assert made.isprintable()
    assert not set(made) & set("/\\\n \x1b")
    assert made[0] not in ".-"
    assert len(os.fsencode(made)) <= 120


def test_no_two_runs_have_one_name(tmp_path: Path) -> None:
    for place in ("a", "b"):
        Results(tmp_path / place).add(SGD, 0, [0.5])
    runs = [run for place in ("a", "b") for run in Results(tmp_path / place).runs()]
    assert [(entry.experiment, entry.name) for entry in entries_of(runs)] == [
        ("trial", "run000"),
        ("trial", "run000-2"),
    ]


def test_what_was_not_measured_is_left_out(tmp_path: Path) -> None:
    Results(tmp_path).add(SGD, 3, [0.5, 0.75], sharpness=None, status={"started": "2026-01-01T00:00:00+00:00"})
    (entry,) = entries_of(Results(tmp_path).runs())
    first, second = entry.epochs()
    assert set(first.values) == {"test_accuracy", "test_loss", "train_seconds", "gradient_evaluations"}
    assert (second.number, second.values["test_accuracy"]) == (2, 0.75)
    assert (first.moment - entry.started, second.moment - first.moment) == (10.0, 1.0)
    assert entry.settings["seed"] == 3
    assert "clip_norm" not in entry.settings, "null"


def test_texts_hide_nothing(tmp_path: Path) -> None:
    Results(tmp_path).add(SAM, 0, [0.5], status={"status": "failed", "error": "red \x1b[31m"}, dataset={"name": "\x07"})
    (entry,) = entries_of(Results(tmp_path).runs())
    assert (entry.facts["error"], entry.settings["dataset.name"]) == ("red \\x1b[31m", "\\x07")
    assert entry.facts["state"] == "failed"
    assert entry.started > 0
    assert entry.ended is None
