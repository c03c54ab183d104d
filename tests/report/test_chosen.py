"""What is chosen on validation, and that the test value is read at what was chosen, not the best of the test."""

import pytest
from run_folders import SAM, SGD, Results

from samcli.errors import ConfigError
from samcli.report import compare, render
from samcli.report.row import Comparison, Row


def row_of(comparison: Comparison, optimizer: str) -> Row:
    (row,) = [row for row in comparison.rows if row.optimizer == optimizer]
    return row


@pytest.fixture
def tried(results: Results) -> Results:
    """SAM at three radii: on validation 0.1 is the best, on test 0.5."""
    for seed in range(2):
        shift = 0.01 * seed
        results.add(SGD, seed, (0.6 + shift, 0.7 + shift), validation=(0.75, 0.65))
        for rho, test, validation in ((0.05, 0.70, 0.70), (0.1, 0.72, 0.80), (0.5, 0.90, 0.60)):
            results.add({**SAM, "rho": rho}, seed, (0.5, test + shift), validation=(0.4, validation + shift))
    return results


def test_one_row_for_each_optimizer_the_best_on_validation(tried: Results) -> None:
    found = compare(tried.runs(), select="validation")
    assert [row.who for row in found.rows] == ["sam rho=0.1", "sgd"]
    assert row_of(found, "sam").last.mean == pytest.approx(0.725)
    assert found.notes[0] == (
        "sam rho=0.1 on digits, cnn was chosen of 3 settings by validation accuracy in %: 80.50, "
        "the others 60.50 to 70.50."
    )
    assert not any("compete" in note for note in found.notes)
    assert row_of(found, "sam").difference is not None


def test_the_epoch_is_chosen_for_each_run_by_itself(tried: Results) -> None:
    found = compare(tried.runs(), select="epoch")
    assert row_of(found, "sgd").last.mean == pytest.approx(0.605)  # at the first epoch, where validation is 0.75
    assert "at the epoch that is best on validation" in render(found, "table", width=200)


def test_it_is_in_json(tried: Results) -> None:
    assert '"select": "validation"' in render(compare(tried.runs(), select="validation"), "json")


def test_what_has_no_validation_part(results: Results) -> None:
    results.add(SGD, 0, (0.5,))
    for select in ("epoch", "validation"):
        with pytest.raises(ConfigError, match=r"has measured validation_accuracy.*dataset.validation=0.1"):
            compare(results.runs(), select=select)


def test_what_cannot_be_chosen(tried: Results) -> None:
    with pytest.raises(ConfigError, match="chooses by the validation part what is read on test, and not sharpness"):
        compare(tried.runs(), metric="sharpness", select="epoch")
    with pytest.raises(ConfigError, match=r"no selection named 'valdation'; did you mean validation\?"):
        compare(tried.runs(), select="valdation")


def test_a_setting_is_no_better_for_the_seeds_that_it_lost(results: Results) -> None:
    for seed in range(4):
        results.add(SGD, seed, (0.6,), validation=(0.6,))
        results.add({**SAM, "rho": 0.1}, seed, (0.7,), validation=(0.7,))
        status = {"status": "diverged"} if seed else None
        results.add({**SAM, "rho": 0.5}, seed, (0.9,), validation=(0.9,), status=status)
    found = compare(results.runs(), select="validation")
    assert row_of(found, "sam").who == "sam rho=0.1"
    assert "70.00, the others 67.50." in found.notes[0]


def test_an_average_is_a_rival_and_no_setting_to_choose(results: Results) -> None:
    for seed in range(2):
        for average, value in ((None, 0.6), ("ema", 0.7), ("swa", 0.8)):
            for lr in (0.05, 0.1):
                found = value + lr + 0.01 * seed
                results.add({**SGD, "lr": lr, "average": average}, seed, (found,), validation=(found,))
    found = compare(results.runs(), select="validation")
    assert {row.who for row in found.rows} == {f"sgd lr=0.1{more}" for more in ("", " average=ema", " average=swa")}
    assert {row.who: row.is_baseline for row in found.rows}["sgd lr=0.1"]
    assert [row.difference.mean for row in found.rows if row.difference] == pytest.approx([0.2, 0.1])
