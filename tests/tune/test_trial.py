"""What a trial is judged by: the validation part after the last epoch, and nothing of the test part."""

from pathlib import Path

import pytest
from run_folders import SGD, Results

from samcli.errors import ResultsError
from samcli.tune.trial import Outcome, Trial, best_of, column_of, outcome_of


@pytest.mark.parametrize("metric", ["accuracy", "r2"])
def test_the_test_part_makes_no_difference(tmp_path: Path, metric: str) -> None:
    made = Results(tmp_path)
    folders = [
        made.add(SGD, 0, test, metric=metric, validation=[0.9, 0.7], gradients=150) for test in ([0.1, 0.9], [0.9, 0.1])
    ]
    first, second = (outcome_of(folder.path, "finished") for folder in folders)
    assert first == second == Outcome("finished", f"validation_{metric}", 0.7, 300), "the last epoch, not the best one"


def test_a_run_that_broke_off_has_no_score_and_what_it_spent(tmp_path: Path) -> None:
    folder = Results(tmp_path).add(SGD, 0, [0.5], validation=[0.9], gradients=150)
    assert outcome_of(folder.path, "diverged") == Outcome("diverged", "validation_accuracy", None, 150)
    folder.metrics.unlink()
    assert outcome_of(folder.path, "failed").evaluations == 0
    with pytest.raises(ResultsError):
        outcome_of(folder.path, "finished")


def test_a_finished_run_without_a_validation_score_is_told(tmp_path: Path) -> None:
    folder = Results(tmp_path).add(SGD, 0, [0.5])
    with pytest.raises(ResultsError, match="has finished without a validation_accuracy; remove it and run the same"):
        outcome_of(folder.path, "finished")


def test_one_seed_that_breaks_off_is_enough() -> None:
    good, broken = Outcome("finished", "validation_r2", 0.9, 10), Outcome("diverged", "validation_r2", None, 5)
    trials = [
        Trial(0, {}, {1: good, 2: broken}, 20),
        Trial(1, {}, {1: good, 2: good}, 20),
        Trial(2, {}, {1: Outcome("failed", "validation_accuracy", None, 0), 2: broken}, 20),
    ]
    assert [trial.state for trial in trials] == ["diverged", "finished", "failed"]
    assert [trial.units for trial in trials] == [0.75, 1.0, 0.25]
    assert best_of(trials) is trials[1]
    assert column_of(trials) == "validation_r2"
    assert best_of(trials[:1]) is None
