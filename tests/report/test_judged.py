"""Verdicts of a comparison: by an exact test over all rows, with diverged runs as failures."""

import json
import math

import numpy as np
import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report import compare, render
from samcli.report.row import Comparison, Row
from samcli.stats import Word, verdicts


def row_of(comparison: Comparison, who: str) -> Row:
    (row,) = [row for row in comparison.rows if row.who == who]
    return row


@pytest.fixture
def ten(results: Results, sgd: Block, sam: Block) -> Results:
    """SGD, SAM ten points above it, and SAM at a larger radius that differs by noise alone; ten seeds."""
    generator = np.random.default_rng(0)
    for seed in range(10):
        base = 0.7 + 0.02 * generator.normal()
        results.add(sgd, seed, (base,))
        results.add(sam, seed, (base + 0.1 + 0.01 * generator.normal(),))
        results.add({**sam, "rho": 0.5}, seed, (base + 0.01 * generator.normal(),))
    return results


def test_the_words_are_those_of_the_statistics(ten: Results) -> None:
    found = compare(ten.runs(), margin=0.02)
    first, second = row_of(found, "sam rho=0.1"), row_of(found, "sam rho=0.5")
    assert first.difference is not None
    assert second.difference is not None
    expected = verdicts([first.difference.by_seed, second.difference.by_seed], margin=0.02)
    assert [first.verdict, second.verdict] == expected
    assert [one.word for one in expected] == [Word.BETTER, Word.EQUAL]
    assert row_of(found, "sgd").verdict is None
    table = render(found, "table", width=140)
    assert "better" in table
    assert "practically equal: surely within ±0.02" in table
    assert "p: exact sign-flip test, adjusted for 2 comparisons (step-down)." in table
    assert "No verdict" not in table


def test_what_is_lower_is_better_for_a_loss(ten: Results) -> None:
    found = row_of(compare(ten.runs(), metric="train_seconds"), "sam rho=0.1")
    assert found.verdict is not None
    assert found.verdict.word is Word.INCONCLUSIVE
    accuracy = compare(ten.runs(), baseline="sam rho=0.1")
    worse = [row for row in accuracy.rows if row.optimizer == "sgd"]
    assert [row.verdict.word for row in worse if row.verdict] == [Word.WORSE]


def test_too_few_seeds_have_no_word(results: Results, sgd: Block, sam: Block) -> None:
    for seed in range(5):
        results.add(sgd, seed, (0.5,))
        results.add(sam, seed, (0.9 + 0.01 * seed,))
    found = compare(results.runs())
    verdict = row_of(found, "sam rho=0.1").verdict
    assert verdict is not None
    assert (verdict.word, verdict.p_adjusted) == (Word.TOO_FEW, None)
    table = render(found, "table", width=140)
    assert "Verdict" not in table.splitlines()[1]
    assert "No verdict on fewer than 6 seeds" in table
    (fields,) = [row for row in json.loads(render(found, "json"))["rows"] if row["optimizer"] == "sam"]
    assert (fields["verdict"], fields["p"]) == ("too few seeds", None)
    assert fields["p_t"] is not None


def test_diverged_runs_count_as_the_worst(ten: Results, sgd: Block, sam: Block) -> None:
    better = row_of(compare(ten.runs()), "sam rho=0.1")
    runs = [run for run in ten.runs() if not (run.config["optimizer"].get("rho") == 0.1 and run.seed in (3, 4))]
    lowest = min(run.values("test_accuracy")[-1] for run in runs)
    for seed in (3, 4):
        ten.add({**sam, "rho": 0.1}, seed, (0.1,), status={"status": "diverged"})
    diverged = [run for run in ten.runs() if run.state == "diverged"]
    row = row_of(compare([*runs, *diverged]), "sam rho=0.1")
    assert (row.n, row.diverged) == (8, (3, 4))
    assert row.difference is not None
    assert better.difference is not None
    assert row.difference.n == 10
    assert row.counted[3] == row.counted[4] == lowest
    assert row.difference.mean is not None
    assert row.difference.mean < better.difference.mean  # type: ignore[operator]
    assert {seed: d for seed, d in row.difference.by_seed.items() if seed not in (3, 4)} == pytest.approx(
        {seed: d for seed, d in better.difference.by_seed.items() if seed not in (3, 4)}
    )


def test_order_of_runs_changes_nothing(ten: Results) -> None:
    runs = ten.runs()
    there, back = compare(runs, margin=0.02), compare(runs[::-1], margin=0.02)
    assert {row.who: row.verdict for row in there.rows} == {row.who: row.verdict for row in back.rows}


def test_equal_differences_have_an_infinite_effect_that_no_format_chokes_on(
    results: Results, sgd: Block, sam: Block
) -> None:
    for seed in range(6):
        results.add(sgd, seed, (0.5,))
        results.add(sam, seed, (0.75,))
    found = compare(results.runs())
    verdict = row_of(found, "sam rho=0.1").verdict
    assert verdict is not None
    assert (verdict.word, verdict.effect) == (Word.BETTER, math.inf)
    for form in ("table", "markdown", "latex", "csv", "json"):
        assert "better" in render(found, form, width=200)


@pytest.mark.parametrize("margin", [0.0, -0.1, math.nan])
def test_a_margin_is_above_zero(ten: Results, margin: float) -> None:
    with pytest.raises(ConfigError, match="--margin must be above 0"):
        compare(ten.runs(), margin=margin)
