"""Every figure of a comparison against pandas and scipy, and every exclusion against its sentence."""

import dataclasses
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from run_folders import Block, Results
from scipy import stats

from samcli.errors import ConfigError, NothingToCompare
from samcli.report import compare
from samcli.report.row import Comparison, Row


def row_of(comparison: Comparison, optimizer: str, settings: str | None = None) -> Row:
    (row,) = [r for r in comparison.rows if r.optimizer == optimizer and settings in (None, r.settings)]
    return row


def test_figures_match_pandas_and_scipy(noisy: Results) -> None:
    runs = noisy.runs()
    found = compare(runs)
    table = pd.DataFrame(
        {
            "who": run.config["optimizer"]["name"],
            "seed": run.seed,
            "last": run.metrics["test_accuracy"].iloc[-1],
            "best": run.metrics["test_accuracy"].max(),
            "seconds": run.metrics["train_seconds"].median(),
        }
        for run in runs
        if run.state == "finished"
    )
    grouped = table.groupby("who")
    for who in ("sgd", "sam"):
        row = row_of(found, who, {"sgd": "", "sam": "rho=0.1"}[who])
        for summary, name in ((row.last, "last"), (row.best, "best")):
            assert summary.mean == pytest.approx(grouped[name].mean()[who], rel=1e-12)
            assert summary.sd == pytest.approx(grouped[name].std()[who], rel=1e-12)
        assert row.seconds == pytest.approx(grouped["seconds"].mean()[who])
    pivot = table.pivot(index="seed", columns="who", values="last").dropna()
    sam, sgd = row_of(found, "sam", "rho=0.1"), row_of(found, "sgd")
    interval = stats.ttest_rel(pivot["sam"], pivot["sgd"]).confidence_interval()
    assert sam.difference is not None
    assert sam.difference.mean == pytest.approx(np.mean(pivot["sam"] - pivot["sgd"]), rel=1e-12)
    assert (sam.difference.low, sam.difference.high) == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert (sam.n, sam.difference.n, sgd.n) == (4, 3, 3)
    assert (sam.sharpness, sgd.sharpness) == (pytest.approx(0.02), pytest.approx(0.08))
    assert (sam.cost, sgd.cost) == (pytest.approx(2.0), 1.0)
    assert sgd.is_baseline
    assert sgd.difference is None
    assert not sam.is_baseline


def test_order_counts_and_notes(noisy: Results) -> None:
    found = compare(noisy.runs())
    assert [row.who for row in found.rows] == ["sam rho=0.1", "sgd", "sam rho=5"]
    diverged = found.rows[2]
    assert (diverged.n, diverged.last.mean, diverged.difference, diverged.cost) == (0, None, None, None)
    assert dict(diverged.states) == {"diverged": 1}
    assert found.notes == (
        "Diverged runs are not in the mean, which flatters the rows that have some; "
        "in Δ each counts as the worst value of all runs there.",
        "sam rho=0.1: seed 3 without a partner of sgd, not in the difference.",
        "No verdict on fewer than 6 seeds, whose sign-flip test cannot reach p < 0.05 even if all agree; "
        "train more, for example with --seeds 0-9.",
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"threads": 1}, r"threads \(1 and 2\)"),
        ({"jobs": 4}, r"jobs at once \(1 and 4\)"),
        ({"processes": 2}, r"processes \(1 and 2\)"),
    ],
)
def test_equal_seconds_under_different_conditions_are_refused(
    results: Results, sgd: Block, sam: Block, other: dict[str, Any], words: str
) -> None:
    results.add(sgd, 0, (0.5,), status={"hardware": {"cpu": "a"}, "threads": 2})  # without jobs: one after the other
    results.add(sam, 0, (0.5,), status={"hardware": {"cpu": "a"}, "threads": 2, "jobs": 1})
    assert compare(results.runs(), budget="seconds").rows
    results.add(sam, 1, (0.5,), status={"hardware": {"cpu": "a"}, "threads": 2, **other})
    found = compare(results.runs())
    assert any(re.search(f"were timed with different {words}: seconds and cost do not", note) for note in found.notes)
    assert compare(results.runs(), budget="gradients").rows
    with pytest.raises(ConfigError, match=f"were timed with different {words}, so that equal seconds mean nothing"):
        compare(results.runs(), budget="seconds")


def test_seconds_of_a_run_that_went_on_with_other_jobs_are_of_both(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5,), status={"jobs": 2})
    results.add(sam, 0, (0.5,), status={"jobs": 2, "earlier": [{"epochs_done": 1, "jobs": 1}]})
    notes = compare(results.runs()).notes
    assert any("timed with different jobs at once (1 and 2)" in note for note in notes)
    assert not any("went on after an interruption" in note for note in notes)  # its results are the same
    with pytest.raises(ConfigError, match="equal seconds mean nothing"):
        compare(results.runs(), budget="seconds")


def test_unfinished_runs_count_but_do_not_enter(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,))
    for seed, state in enumerate(("failed", "interrupted", "diverged"), start=1):
        results.add(sgd, seed, (0.9,), status={"status": state})
    results.add(sgd, 4, (), epochs=1, status={"status": "running", "host": "elsewhere"})
    found = compare(results.runs())
    (row,) = found.rows
    assert (row.n, row.last.mean, row.last.sd) == (1, 0.5, None)
    assert dict(row.states) == {"finished": 1, "failed": 1, "interrupted": 1, "diverged": 1, "running": 1}
    assert [note.split(" are")[0] for note in found.notes] == [
        "Diverged runs",
        "Failed runs",
        "Interrupted runs",
        "Runs that",
    ]


def test_missing_baseline_seeds_are_named(results: Results, sgd: Block, sam: Block) -> None:
    for seed in (0, 1, 2):
        results.add(sgd, seed, (0.5 + seed / 10,))
    results.add(sam, 1, (0.7,))
    found = compare(results.runs())
    assert found.notes == (
        "sam rho=0.1: seeds 0, 2 of sgd without a partner, not in the difference.",
        "A difference of one seed has no interval; train more seeds, for example with --seeds 0-9.",
    )
    difference = row_of(found, "sam").difference
    assert difference is not None
    assert (difference.mean, difference.low) == (pytest.approx(0.1), None)


def test_baseline_is_the_most_similar_row_then_the_best(results: Results, sgd: Block, sam: Block) -> None:
    for lr, accuracy in ((0.05, 0.5), (0.1, 0.6)):
        results.add({**sgd, "lr": lr}, 0, (accuracy,))
        results.add({**sam, "lr": lr}, 0, (0.7,))
    results.add({**sam, "lr": 0.7}, 0, (0.8,))
    found = compare(results.runs())
    assert {row.settings: row.compared_to for row in found.rows if row.optimizer == "sam"} == {
        "rho=0.1 lr=0.05": "lr=0.05",
        "rho=0.1 lr=0.1": "lr=0.1",
        "rho=0.1 lr=0.7": "lr=0.1",  # as similar to either: the better one
    }
    assert any("compared to the sgd row that shares most settings" in note for note in found.notes)


def test_baselines_stay_within_their_data_set_and_model(results: Results, sgd: Block, sam: Block) -> None:
    for noise in (0.0, 0.4):
        results.add(sgd, 0, (0.9 - noise,), dataset={"label_noise": noise})
        results.add(sam, 0, (0.95 - noise / 2,), dataset={"label_noise": noise})
    results.add(sam, 0, (0.9,), model={"name": "mlp"})
    found = compare(results.runs())
    differences = {row.where: row.difference and row.difference.mean for row in found.rows if row.optimizer == "sam"}
    assert differences == {
        "digits label_noise=0, cnn": pytest.approx(0.05),
        "digits label_noise=0.4, cnn": pytest.approx(0.25),
        "digits label_noise=0, mlp": None,
    }
    assert (
        "No finished sgd run on digits label_noise=0, mlp, so no differences there; "
        "samcli compare --baseline names another." in found.notes
    )


def test_another_baseline(noisy: Results) -> None:
    found = compare(noisy.runs(), baseline="sam")
    sgd = row_of(found, "sgd")
    assert sgd.difference is not None
    assert sgd.difference.mean == pytest.approx(-0.1)
    assert sgd.cost == pytest.approx(0.5)


def test_a_baseline_with_settings_has_rows_of_its_own_optimizer_against_it(
    results: Results, sgd: Block, sam: Block
) -> None:
    for rho, accuracy in ((0.05, 0.5), (0.1, 0.75)):
        results.add({**sam, "rho": rho}, 0, (accuracy,))
    results.add(sgd, 0, (0.25,))
    found = compare(results.runs(), baseline="sam rho=0.05")
    assert [row.settings for row in found.rows if row.is_baseline] == ["rho=0.05"]
    differences = [row_of(found, "sam", "rho=0.1").difference, row_of(found, "sgd").difference]
    assert [difference and difference.mean for difference in differences] == [0.25, -0.25]
    none = compare(results.runs(), baseline="sam rho=0.3")
    assert any(note.startswith("No finished sam rho=0.3 run on digits") for note in none.notes)


def test_an_unfinished_baseline_is_none(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.1,), status={"status": "diverged"})
    results.add(sam, 0, (0.7,))
    found = compare(results.runs())
    assert row_of(found, "sam").difference is None
    assert any(note.startswith("No finished sgd run on digits, cnn") for note in found.notes)


def test_budget_of_gradients(noisy: Results) -> None:
    found = compare(noisy.runs(), budget="gradients")
    # SGD spends 300 in 3 epochs; SAM at 200 an epoch is read after its first, before its best
    sam, sgd = row_of(found, "sam", "rho=0.1"), row_of(found, "sgd")
    assert sgd.last.mean == pytest.approx(0.72)
    assert sam.last.mean == pytest.approx(np.mean([0.75, 0.74, 0.76, 0.70]))
    assert sam.best == sam.last
    assert "equal gradient evaluations (digits, cnn: 300)" in found.notes[0]
    assert "schedule had not ended" in found.notes[0]


def test_budget_of_seconds(noisy: Results) -> None:
    # the first epoch takes ten times as long: SGD 10 + 1 + 1 seconds, SAM 20 + 2 + 2
    found = compare(noisy.runs(), budget="seconds")
    sam = row_of(found, "sam", "rho=0.1")
    assert sam.n == 0
    assert "sam rho=0.1: 4 finished runs have no test_accuracy at the epoch read and count nowhere." in found.notes
    assert "(digits, cnn: 12)" in found.notes[0]


def test_a_budget_of_little_is_shown(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), seconds=0.00123)  # the first epoch takes ten times as long
    assert "equal training seconds (digits, cnn: 0.0123)" in compare(results.runs(), budget="seconds").notes[0]


def test_budget_of_a_diverged_run_does_not_bind(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5, 0.6))
    results.add(sgd, 1, (0.1,), epochs=2, status={"status": "diverged"})
    (row,) = compare(results.runs(), budget="gradients").rows
    assert row.last.mean == 0.6


def test_regression_takes_r2(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (-0.5, 0.4), metric="r2", dataset={"name": "diabetes"})
    results.add(sgd, 1, (), epochs=2, dataset={"name": "diabetes"}, status={"status": "failed"})
    results.add(sgd, 0, (0.9,))
    found = compare(results.runs())
    assert [(row.dataset, row.metric, row.last.mean) for row in found.rows] == [
        ("diabetes", "test_r2", 0.4),
        ("digits", "test_accuracy", 0.9),
    ]


def test_smaller_losses_are_better(noisy: Results) -> None:
    found = compare(noisy.runs(), metric="test_loss")
    assert [row.who for row in found.rows][:2] == ["sam rho=0.1", "sgd"]
    assert row_of(found, "sgd").best.mean == pytest.approx(1 - np.mean([0.75, 0.74, 0.73]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "test_acuracy"}, r"No run has a metric 'test_acuracy'; did you mean test_accuracy\?"),
        ({"metric": "epoch"}, "No run has a metric 'epoch'"),
        ({"metric": "validation_accuracy"}, "No run has measured validation_accuracy; leave out --metric"),
        ({"baseline": "sam roh=0.1"}, r"no run has a setting 'roh'; did you mean rho\?"),
        ({"budget": "gradient"}, r"no budget named 'gradient'; did you mean gradients\?"),
    ],
)
def test_wrong_options_are_sentences(noisy: Results, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        compare(noisy.runs(), **options)


def test_nothing_to_compare() -> None:
    with pytest.raises(NothingToCompare, match="no runs to compare; train some first: samcli train") as caught:
        compare([])
    assert caught.value.exit_code == 3


def test_a_repeated_run_is_counted_once(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), name="first", status={"started": "2026-01-02"})
    results.add(sgd, 0, (0.7,), name="again", status={"started": "2026-01-03"})
    later = results.add(sgd, 0, (0.9,), status={"status": "interrupted", "started": "2026-01-04"})
    found = compare(results.runs())
    (row,) = found.rows
    assert (row.n, row.last.mean, dict(row.states)) == (1, 0.7, {"finished": 1})
    assert len(found.notes) == 2
    assert any(str(later.path) in note and "not counted" in note for note in found.notes)


def test_runs_without_the_metric_are_named(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,))
    unmeasured = results.add(sgd, 1, (0.5,))
    unmeasured.write_metrics([row | {"test_accuracy": None} for row in unmeasured.read_metrics()])
    found = compare(results.runs())
    assert found.rows[0].by_seed == {0: 0.5}
    assert found.notes == ("sgd: 1 finished run has no test_accuracy at the epoch read and counts nowhere.",)


def test_different_hardware_is_named(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5,), status={"hardware": {"cpu": "a"}, "threads": 2})
    results.add(sam, 0, (0.5,), status={"hardware": {"cpu": "a"}, "threads": 2})
    assert compare(results.runs()).notes[0].startswith("A difference of one seed")
    results.add(sam, 1, (0.5,), status={"hardware": {"cpu": "b"}, "threads": 2})
    assert any("different hardware" in note for note in compare(results.runs()).notes)


@pytest.mark.parametrize("budget", ["epochs", "gradients", "seconds"])
def test_nothing_finished_yet(results: Results, sgd: Block, sam: Block, budget: str) -> None:
    for optimizer in (sgd, sam):
        results.add(optimizer, 0, (), status={"status": "failed"})
    found = compare(results.runs(), budget=budget)
    assert [(row.n, row.difference, row.cost) for row in found.rows] == [(0, None, None)] * 2
    (note,) = found.notes  # and none about budgets or baselines
    assert note.startswith("Failed runs are not in the mean; ")


def test_runs_that_end_at_a_training_loss_are_read_there(results: Results, sgd: Block) -> None:
    lengths = ((64, (3.0, 0.4)), (64, (3.0, 2.0, 0.3)), (512, (3.0, 2.0, 1.0, 0.9)))
    for seed, (batch_size, losses) in enumerate(lengths):
        accuracies = [1.0 - loss / 10.0 for loss in losses]
        folder = results.add(sgd, seed, accuracies, epochs=4, batch_size=batch_size, stop_at_train_loss=0.5)
        folder.write_metrics(
            [row | {"train_loss": loss} for row, loss in zip(folder.read_metrics(), losses, strict=True)]
        )
    found = compare(results.runs())
    assert {row.settings: dict(row.by_seed) for row in found.rows} == {
        "batch_size=64": {0: 0.96, 1: 0.97},
        "batch_size=512": {2: 0.91},
    }
    assert "sgd batch_size=512: 1 of 1 run did not reach the training loss 0.5." in found.notes
    assert "Runs that end at a training loss are read there, after 2 to 4 epochs." in found.notes
    assert not any("batch_size=64" in note for note in found.notes)
    # an equal budget cuts the longer ones short, and says so itself
    assert not any("are read there" in note for note in compare(results.runs(), budget="gradients").notes)


def test_spaced_evaluations_are_named(results: Results, sgd: Block, sam: Block) -> None:
    def add(optimizer: Block, every: int, gradients: int) -> None:
        folder = results.add(optimizer, 0, (0.5, 0.6, 0.7, 0.8), gradients=gradients, evaluate={"every": every})
        rows = folder.read_metrics()
        unevaluated = {"test_accuracy": None, "test_loss": None}
        folder.write_metrics([row if int(row["epoch"] or 0) in (every, 4) else row | unevaluated for row in rows])

    add(sgd, 2, 100)
    add(sam, 2, 120)
    found = compare(results.runs(), budget="gradients")  # 400: three epochs of sam
    assert row_of(found, "sam").last.mean == 0.6
    assert (
        "test_accuracy was measured after every 2 epochs and after the last: Best is the best of these." in found.notes
    )
    assert (
        "sam rho=0.1: test_accuracy is read at the last epoch within the budget that was measured, up to 1 epoch "
        "before the budget is spent." in found.notes
    )
    assert not any(note.startswith("sgd") for note in found.notes)
    add(sam, 3, 120)
    unequal = "after every 2 epochs or 3 epochs and after the last: Best is the best of these; a row that was measured"
    assert any(unequal in note for note in compare(results.runs()).notes)
    assert not any("within the budget" in note for note in compare(results.runs()).notes)


def test_settings_of_nearly_all_rows_are_named_once(results: Results, sgd: Block, sam: Block) -> None:
    for name in ("sam", "asam", "gsam", "usam", "wsam"):
        results.add({**sam, "name": name}, 0, (0.5,))
    results.add({**sgd, "lr": 0.5}, 0, (0.5,))
    found = compare(results.runs())
    assert found.notes[0] == "Rows that do not say otherwise have lr=0.05."
    assert {row.settings for row in found.rows} == {"rho=0.1", "lr=0.5"}


def test_a_recorded_measure_is_a_metric(results: Results, sgd: Block, sam: Block) -> None:
    for optimizer, curvature in ((sgd, 30.0), (sam, 10.0)):
        for seed in range(2):
            folder = results.add(optimizer, seed, (0.5, 0.6))
            first, last = folder.read_metrics()
            folder.write_metrics([first, last | {"lambda_max": curvature + seed}])
    found = compare(results.runs(), metric="lambda_max")
    assert [(row.optimizer, row.last.mean) for row in found.rows] == [("sam", 10.5), ("sgd", 30.5)]
    assert row_of(found, "sam").difference.mean == -20.0


def test_a_foreign_column_takes_no_figures(results: Results, sgd: Block, sam: Block) -> None:
    """A `test_r2` that someone added to one run of a classification."""
    for seed in (0, 1):
        results.add(sgd, seed, (0.7,))
    results.add(sam, 0, (0.8,))
    *others, last = results.runs()
    runs = [
        *others,
        dataclasses.replace(
            last, columns=[*last.columns, "test_r2"], table=np.insert(last.table, len(last.columns), 0.5, axis=1)
        ),
    ]
    rows = compare(runs).rows
    assert [(row.metric, row.last.mean) for row in rows] == [("test_accuracy", 0.8), ("test_accuracy", 0.7)]


@pytest.mark.parametrize(
    ("epochs", "sentence"),
    [
        (4, "Rows on digits, cnn trained for 2 to 4 epochs; their gradient evaluations are equal within 0.0 %."),
        (3, "Rows on digits, cnn trained for 2 to 3 epochs; some made 1.3 times the gradient evaluations of others."),
    ],
)
def test_whether_rows_of_different_length_had_equal_compute(
    results: Results, sgd: Block, sam: Block, epochs: int, sentence: str
) -> None:
    results.add(sgd, 0, [0.5] * epochs, gradients=100)
    results.add(sam, 0, [0.6] * 2, gradients=200)
    assert sentence in compare(results.runs()).notes
    assert sentence not in compare(results.runs(), budget="gradients").notes


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"target": 90.0}, "--target 90: test accuracy goes from 0 to 1; write 0.9 for 90 %."),
        ({"margin": 1.0}, "--margin 1: test accuracy goes from 0 to 1; write 0.01 for 1 points."),
    ],
)
def test_percent_where_shares_are_meant(noisy: Results, asked: dict[str, float], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compare(noisy.runs(), **asked)  # type: ignore[arg-type]
    assert str(caught.value) == sentence
    assert compare(noisy.runs(), metric="test_loss", **asked).rows  # type: ignore[arg-type]


def test_a_network_that_always_names_the_most_frequent_class_is_at_chance(results: Results, sgd: Block) -> None:
    data = {"classes": 2, "test_examples": 114}
    for seed, (accuracy, largest) in enumerate([(72 / 114, 72), (72 / 114, None), (0.9, 72)]):
        results.add(sgd, seed, [accuracy], status={"dataset": {**data, "largest_test_class": largest}})
    (row,) = compare(results.runs()).rows
    assert row.at_chance == (0,)


def test_under_weights_of_classes_the_most_frequent_one_is_no_measure(results: Results, sgd: Block) -> None:
    """A network may give up examples of a class of 90 % for those of the others, and have learnt much."""
    status: Block = {"dataset": {"classes": 2, "test_examples": 100, "largest_test_class": 90}}
    results.add(sgd, 0, [0.7, 0.8], status=status, class_weight="balanced")
    (row,) = compare(results.runs()).rows
    assert row.at_chance == ()
