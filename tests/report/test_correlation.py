"""The gap that is correlated, what is left out, and what there is to say when nothing was measured."""

import shutil

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError, NothingToCompare
from samcli.report import correlate
from samcli.report.correlation import Correlation, generalisation_gap, held
from samcli.report.correlation_table import correlation_legend
from samcli.runs.sharpness_file import SharpnessFile
from samcli.stats import kendall


def add(results: Results, sgd: Block, seed: int, gap: float, **kept: tuple[float | None, bool]) -> None:
    folder = results.add(sgd, seed, (0.5,))
    folder.write_metrics([{"epoch": 1, "train_accuracy": 0.5 + gap, "test_accuracy": 0.5}])
    folder.checkpoint.write_bytes(b"weights")
    SharpnessFile(folder.checkpoint).add(
        [
            {
                "label": name,
                "key": {"measure": name, "examples": 100},
                "value": value,
                "stderr": None,
                "converged": converged,
                "details": {"examples": 100, "batch_norm": "evaluation"},
            }
            for name, (value, converged) in kept.items()
        ],
        epoch=1,
    )


def test_a_measure_that_ranks_as_the_gap_does_and_one_that_does_not(results: Results, sgd: Block) -> None:
    for seed, gap in enumerate((0.0, 0.1, 0.2, 0.3)):
        add(results, sgd, seed, gap, sharp=(2.0 + gap**3, True), flat=((-1.0) ** seed, True))
    first, second = correlate(results.runs())
    assert (first.measure, first.examples, first.correlation.tau, first.correlation.n) == ("sharp", 100, 1.0, 4)
    for run in results.runs():
        sharp, gap = first.pairs[run.folder]
        assert sharp == pytest.approx(2.0 + (run.seed / 10) ** 3)
        assert gap == pytest.approx(run.seed / 10)
    assert second.measure == "flat"
    assert abs(second.correlation.tau or 0.0) < 0.5
    assert first.unconverged == second.unconverged == 0


def test_another_metric_takes_the_place_of_the_gap(results: Results, sgd: Block) -> None:
    for seed, sharp in enumerate((4.0, 3.0, 2.0, 1.0)):
        add(results, sgd, seed, seed / 10, sharp=(sharp, True))
    (gap,), (train,) = correlate(results.runs()), correlate(results.runs(), "train_accuracy")
    assert gap.correlation == train.correlation  # the test accuracy is 0.5 in all of them
    (test,) = correlate(results.runs(), "test_accuracy")
    assert test.correlation.tau is None  # of equal values
    with pytest.raises(ConfigError, match=r"No run has a metric 'test_acuracy'; .*test_accuracy"):
        correlate(results.runs(), "test_acuracy")


def test_what_did_not_converge_is_left_out_and_counted(results: Results, sgd: Block) -> None:
    for seed, (value, converged) in enumerate([(1.0, True), (9.0, False), (2.0, True), (None, True)]):
        add(results, sgd, seed, seed / 10, sharp=(value, converged))
    (found,) = correlate(results.runs())
    assert (found.correlation.n, found.unconverged, found.correlation.tau) == (2, 2, 1.0)


def test_a_stale_file_counts_as_none(results: Results, sgd: Block) -> None:
    for seed in range(3):
        add(results, sgd, seed, seed / 10, sharp=(float(seed), True))
    (results.path / "trial" / "run000" / "checkpoint.pt").write_bytes(b"other weights")
    (found,) = correlate(results.runs())
    assert found.correlation.n == 2


def test_nothing_measured(noisy: Results) -> None:
    assert generalisation_gap(noisy.runs()[0]) is None  # no training accuracy in these
    with pytest.raises(NothingToCompare, match="samcli sharpness RESULTS"):
        correlate(noisy.runs())


def test_a_copy_of_a_run_counts_once(results: Results, sgd: Block) -> None:
    for seed in range(3):
        add(results, sgd, seed, seed / 10, sharp=(float(seed), True))
    shutil.copytree(results.path / "trial", results.path / "copied")
    (found,) = correlate(results.runs())
    assert found.correlation.n == 3


def test_two_runs_and_collapsed_ones_are_told(results: Results, sgd: Block, sam: Block) -> None:
    dataset = {"classes": 10, "test_examples": 900}
    folders = [
        results.add(sgd, 0, (0.9,), status={"status": "finished", "dataset": dataset}),
        results.add(sam, 0, (0.098,), status={"status": "finished", "dataset": dataset}),
    ]
    runs = results.runs()
    pairs = {folder.path: (float(number), 0.1 * number) for number, folder in enumerate(folders)}
    two = Correlation("trace", 100, pairs, kendall([0.0, 1.0], [0.0, 0.1]), unconverged=0)
    three = Correlation("lambda-max", 100, {}, kendall([0.0, 1.0, 2.0], [0.0, 0.1, 0.2]), unconverged=0)
    _, _, narrow, few, collapsed = correlation_legend(None, [two, three], runs)
    assert narrow == "Fewer than 6 runs give no interval."
    assert few == "Two runs say nothing: τ of trace is +1 or -1 whatever they are, save for ties."
    assert collapsed == "1 run at chance is counted too: collapsed networks may make τ by themselves."
    assert len(correlation_legend(None, [three], runs)) == 3


def test_among_runs_of_the_same_rate_and_what_is_said_of_the_others(results: Results, sgd: Block) -> None:
    """Two rates, of which the larger has the larger gaps and values; within them the order is the opposite one."""
    for rate, shift in ((0.1, 0.0), (0.2, 1.0)):
        for seed, gap in enumerate((0.1, 0.2, 0.3)):
            add(results, {**sgd, "lr": rate}, seed, gap + 0.1 * shift, sharp=(shift - gap, True))
    add(results, {**sgd, "lr": 0.4}, 0, 0.3, sharp=(3.0, True))  # alone with its rate
    for key in ("lr", "optimizer.lr"):
        (found,) = correlate(results.runs(), hold=[key])
        assert (found.correlation.tau, found.correlation.n, found.correlation.groups) == (-1.0, 6, 2)
        assert found.correlation.p == pytest.approx(2 / 36)  # both in order or both against it
    said = correlation_legend(None, [found], results.runs(), ["lr"])
    assert "The column runs counts those alone that share their lr with another run." in said
    (alone,) = correlate(results.runs(), hold=["lr", "seeds"])
    assert (alone.correlation.tau, alone.correlation.n) == (None, 0)
    assert not any("No τ" in line for line in correlation_legend(None, [alone], results.runs(), ["lr", "seeds"]))
    with pytest.raises(ConfigError, match=r"No run has a setting 'lrr'; known are: optimizer\.lr, seeds\."):
        correlate(results.runs(), hold=["lrr"])


def test_why_groups_may_have_no_tau(results: Results, sgd: Block) -> None:
    for seed in range(4):
        add(results, {**sgd, "lr": 0.1 + seed // 2}, seed, 0.1, sharp=(float(seed), True))
    (found,) = correlate(results.runs(), hold=["lr"])
    said = correlation_legend(None, [found], results.runs(), ["lr"])
    assert "No τ of sharp: within each group all values of one side are equal." in said
    assert not any("no interval" in line for line in said)


def test_a_run_of_before_an_option_has_its_default_held(results: Results, sgd: Block) -> None:
    """Otherwise it would be in a group of its own, and count in no pair."""
    results.add(sgd, 0, (0.5,))
    results.add({**sgd, "average": None, "average_decay": None}, 1, (0.5,))
    runs = results.runs()
    assert sorted("average" in run.config["optimizer"] for run in runs) == [False, True]
    assert len(set(held(runs, ["average"]).values())) == 1
    assert len(set(held(runs, ["seeds"]).values())) == 2
