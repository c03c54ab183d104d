"""Verdicts in sentences, with the numbers of the table."""

from types import SimpleNamespace

import pytest
from run_folders import SAM, SGD, Block, Results

from samcli.report import Comparison, compare
from samcli.report.cells import DELTA, INTERVAL, cells
from samcli.report.judgement import Outcome
from samcli.report.sentences import judgement_sentence, verdict_counts, verdict_sentence, verdict_word


def compared(results: Results, lead: float, seeds: int = 6, **settings: float) -> Comparison:
    """SAM ahead of SGD by so much on each seed, give or take a thousandth."""
    for seed in range(seeds):
        results.add(SGD, seed, (0.5, 0.7))
        results.add(SAM, seed, (0.5, 0.7 + lead + 0.001 * (seed % 2)))
    return compare(results.runs(), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lead", "settings", "claim"),
    [
        (0.05, {}, "sam rho=0.1 is better than sgd: "),
        (-0.05, {}, "sam rho=0.1 is worse than sgd: "),
        (-0.0005, {}, "Whether sam rho=0.1 differs from sgd is open (a difference of "),
        (0.001, {"margin": 0.02}, "sam rho=0.1 and sgd are practically equal, surely within ±2.00 points: "),
    ],
)
def test_verdicts(results: Results, lead: float, settings: dict[str, float], claim: str) -> None:
    found = compared(results, lead, **settings)
    (row,) = [row for row in found.rows if not row.is_baseline]
    said, texts = verdict_sentence(row, found), cells(row)
    assert said.startswith(claim)
    assert f"mean difference {texts[DELTA]} points, 95 % interval {texts[INTERVAL]}, n = 6, adjusted p = " in said
    assert said.endswith(".")
    assert verdict_counts(found.rows) == f"Of 1 setting, 1 {verdict_word(row)}."


def test_a_loss_has_no_points(results: Results) -> None:
    for seed in range(2):
        for optimizer, loss in ((SGD, 0.5), (SAM, 0.25)):
            results.add(optimizer, seed, (1.0 - loss,))
    found = compare(results.runs(), metric="test_loss")
    (row,) = [row for row in found.rows if not row.is_baseline]
    assert "mean difference -0.2500, " in verdict_sentence(row, found)


def test_nothing_to_say(results: Results, sam: Block) -> None:
    results.add(SGD, 0, (0.5,), model={"name": "mlp"})
    results.add(sam, 0, (0.5,))
    results.add({**sam, "rho": 5.0}, 0, (0.5,), status={"status": "diverged"})
    results.add(sam, 1, (0.5,), model={"name": "mlp"})
    found = compare(results.runs())
    said = {verdict_word(row): verdict_sentence(row, found) for row in found.rows if not row.is_baseline}
    assert said == {
        "no baseline": "There is no finished sgd run on digits, cnn to compare sam rho=0.1 to.",
        "not finished": "sam rho=5 has no finished run, so nothing can be said of it.",
        "too few seeds": "sam rho=0.1 and sgd have no seed in common, so their difference is unknown.",
    }


def test_a_hypothesis_that_was_written_too_late_says_so() -> None:
    evidence = SimpleNamespace(words="+2.00 points [+1.00, +3.00]", n=8)
    one = SimpleNamespace(
        evidence=evidence, why="", outcome=Outcome.HELD, p=1e-6, seeds=None, recorded=SimpleNamespace(finished_before=1)
    )
    assert judgement_sentence(one) == (  # type: ignore[arg-type]
        "+2.00 points [+1.00, +3.00], n = 8, adjusted p < 0.0001. "
        "It was written after 1 run of the experiment had finished."
    )
