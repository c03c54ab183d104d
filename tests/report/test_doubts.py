"""What few test examples, few seeds and collapsed networks do to the figures is said."""

import math

import pytest
from run_folders import Block, Results

from samcli.report import compare, render


def _status(**dataset: object) -> Block:
    return {"status": "finished", "dataset": dataset}


def test_equal_differences_are_no_certainty(results: Results, sgd: Block, sam: Block) -> None:
    for seed in range(3):
        results.add(sgd, seed, (33 / 36,), status=_status(test_examples=36))
        results.add(sam, seed, (33 / 36,), status=_status(test_examples=36))
    comparison = compare(results.runs())
    assert (
        "sam rho=0.1: all differences are equal: 36 test examples cannot tell them apart. "
        "An interval without width is no certainty."
    ) in comparison.notes
    assert "[+0.00, +0.00]" in render(comparison, "table", width=120)


def test_equal_differences_of_runs_that_do_not_know_their_data(results: Results, sgd: Block, sam: Block) -> None:
    for seed in range(2):
        results.add(sgd, seed, (0.5,))
        results.add(sam, seed, (0.5,))
    assert compare(results.runs()).notes == (
        "No verdict on fewer than 6 seeds, whose sign-flip test cannot reach p < 0.05 even if all agree; "
        "train more, for example with --seeds 0-9.",
        "sam rho=0.1: all differences are equal. An interval without width is no certainty.",
    )


def test_binomial_error_where_it_is_larger_than_the_spread(results: Results, sgd: Block, sam: Block) -> None:
    """√(0.75 · 0.25 / 100) = 4.3 points, of seeds that differ by 1.4; of 10,000 examples 0.43."""
    for seed, accuracy in enumerate((0.74, 0.76)):
        results.add(sgd, seed, (accuracy,), status=_status(test_examples=100))
    (note,) = compare(results.runs()).notes
    assert note == (
        "On digits, cnn, 100 test examples leave a test accuracy uncertain by 4.3 points (binomial standard error), "
        "more than its seeds differ."
    )
    assert f"{100 * math.sqrt(0.75 * 0.25 / 100):.2g}" in note
    assert not any("binomial" in note for note in compare(results.runs(), metric="test_loss").notes)
    for seed, accuracy in enumerate((0.84, 0.86)):
        results.add(sam, seed, (accuracy,), status=_status(test_examples=10_000), dataset={"name": "big"})
    assert sum("binomial" in note for note in compare(results.runs()).notes) == 1


def test_intervals_beyond_what_accuracies_can_be(results: Results, sgd: Block, sam: Block) -> None:
    for seed, (low, high) in enumerate([(0.9, 0.99), (0.95, 0.96)]):
        results.add(sgd, seed, (low,))
        results.add(sam, seed, (high,))
    _, note = compare(results.runs()).notes
    assert note.startswith("sam rho=0.1: the interval reaches beyond 0 to 100 %")


@pytest.mark.parametrize(
    ("accuracy", "dataset", "collapsed"),
    [
        (0.098, {"classes": 10, "test_examples": 900}, True),
        (0.119, {"classes": 10, "test_examples": 900}, True),
        (0.13, {"classes": 10, "test_examples": 900}, False),
        (0.5, {"classes": 2, "test_examples": 100}, True),
        (0.7, {"classes": 2, "test_examples": 100}, False),
        (0.5, {"classes": 2, "test_examples": 4}, True),
        (1.0, {"classes": 2, "test_examples": 4}, False),  # where two standard errors reach to 1
        (0.7, {"classes": 2, "test_examples": 10}, False),
        (0.098, {"classes": 10}, False),
        (0.098, {}, False),
        (0.098, {"classes": "10", "test_examples": True}, False),
    ],
)
def test_a_collapsed_run_is_marked(
    results: Results, sgd: Block, accuracy: float, dataset: Block, collapsed: bool
) -> None:
    results.add(sgd, 0, (accuracy,), status=_status(**dataset))
    results.add(sgd, 1, (0.9,), status=_status(**dataset))
    comparison = compare(results.runs())
    assert comparison.rows[0].at_chance == ((0,) if collapsed else ())
    assert ("2 finished, 1 at chance" in render(comparison, "table", width=120)) == collapsed
    assert (
        any(
            "seed 0 ended at chance, no better than guessing; such a run has collapsed, or has not learnt yet" in note
            for note in comparison.notes
        )
        == collapsed
    )


def test_one_note_for_all_data_sets_that_have_as_many_test_examples(results: Results, sgd: Block) -> None:
    for noise, accuracy in ((0.0, 0.9), (0.4, 0.5)):
        for seed in range(2):
            status = {"dataset": {"classes": 10, "test_examples": 100}}
            results.add(sgd, seed, [accuracy], dataset={"label_noise": noise}, status=status)
    (note,) = [note for note in compare(results.runs()).notes if "binomial" in note]
    assert note == (
        "On 2 data sets and models, 100 test examples leave a test accuracy uncertain by 3 to 5 points (binomial "
        "standard error), more than its seeds differ."
    )
