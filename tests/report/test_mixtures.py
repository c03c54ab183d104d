"""A row never mixes in silence what was not made alike."""

import pytest
from run_folders import Block, Results

from samcli.report import compare

LIKE = {
    "versions": {"samcli": "0.1.0", "torch": "2.9.0"},
    "git": {"commit": "a" * 40, "dirty": False},
    "plugins": {"/home/x/mine.py": "1" * 64},
    "dataset": {"digest": "d" * 64, "examples": 100},
}


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            {"versions": {"samcli": "0.2.0", "torch": "2.9.0"}},
            "versions of samcli: 0.1.0 (seeds 0, 1) and 0.2.0 (seed 2).",
        ),
        ({"versions": {"samcli": "0.1.0", "torch": "2.8"}}, "versions of torch: 2.9.0 (seeds 0, 1) and 2.8 (seed 2)."),
        (
            {"git": {"commit": "a" * 40, "dirty": True}},
            "git commits: aaaaaaaaaaaa (seeds 0, 1) and aaaaaaaaaaaa with changes (seed 2).",
        ),
        (
            {"plugins": {"/home/y/mine.py": "2" * 64}},
            "plug-ins: mine.py 11111111 (seeds 0, 1) and mine.py 22222222 (seed 2).",
        ),
        ({"dataset": {"digest": "e" * 64}}, "data: dddddddddddd (seeds 0, 1) and eeeeeeeeeeee (seed 2)."),
    ],
)
def test_a_row_says_what_it_mixes(results: Results, sgd: Block, other: Block, words: str) -> None:
    for seed, status in enumerate((LIKE, LIKE, LIKE | other)):
        results.add(sgd, seed, (0.5 + seed / 10,), status={"status": "finished", **status})
    assert compare(results.runs()).notes == (f"sgd mixes runs of different {words}",)


def test_alike_or_unknown_is_no_mixture(results: Results, sgd: Block) -> None:
    """The place of a plug-in is no matter, nor are runs of a version that recorded nothing."""
    elsewhere = LIKE | {"plugins": {"/home/y/mine.py": "1" * 64}}
    for seed, status in enumerate((LIKE, elsewhere, {}, {"plugins": {}})):
        results.add(sgd, seed, (0.5 + seed / 10,), status={"status": "finished", **status})
    assert compare(results.runs()).notes == ()


def test_rows_of_different_data_are_no_comparison(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, (0.5,), status={"status": "finished", "dataset": {"digest": "d" * 64}})
    results.add(sam, 0, (0.6,), status={"status": "finished", "dataset": {"digest": "e" * 64}})
    assert (
        "Rows on digits, cnn are of different data: their differences are not those of the optimizers."
        in compare(results.runs()).notes
    )


def test_runs_that_went_on_with_something_else(results: Results, sgd: Block) -> None:
    earlier = [{"epochs_done": 3, "versions": {"torch": "2.8"}}]
    results.add(sgd, 4, (0.5,), status={"status": "finished", "earlier": earlier})
    assert compare(results.runs()).notes == (
        "sgd: seed 4 went on after an interruption with other versions, code or hardware.",
    )
