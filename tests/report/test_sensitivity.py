"""Sensitivity to an option: the value that validation chooses, and the range that beats the baseline."""

import json

import pytest
from run_folders import Block, Results

from samcli.errors import ConfigError
from samcli.report import compare
from samcli.report.sensitivity import sensitivity, sensitivity_table
from samcli.report.small_table import written

# by radius: the gain over SGD on test, and on validation, where another radius is the best
GAINS = {0.05: (0.02, 0.05), 0.1: (0.08, 0.07), 0.2: (0.05, 0.09), 0.4: (-0.3, -0.2)}


@pytest.fixture
def radii(results: Results, sgd: Block, sam: Block) -> Results:
    for seed in range(8):
        base = 0.7 + 0.01 * seed
        results.add(sgd, seed, [0.1, base], validation=[0.1, base])
        for rho, (test, validation) in GAINS.items():
            found = base + test + 0.001 * (seed % 3)
            results.add({**sam, "rho": rho}, seed, [0.1, found], validation=[0.1, base + validation])
    return results


def test_validation_chooses_and_test_is_read_there(radii: Results) -> None:
    key, (one,) = sensitivity(compare(radii.runs()), radii.runs(), "rho")
    assert key == "optimizer.rho"
    assert [level.value for level in one.levels] == [0.05, 0.1, 0.2, 0.4]
    assert one.chosen is not None and one.chosen.value == 0.2
    assert one.chosen.row.last.mean == pytest.approx(0.735 + 0.05 + 0.000875, abs=1e-9)
    assert one.better == (0.05, 0.1, 0.2)
    legend = sensitivity_table(compare(radii.runs()), radii.runs(), "rho").legend
    assert (
        "sam on digits, cnn: best on validation is rho=0.2; its test accuracy in %, read once: 78.59 ± 2.46." in legend
    )
    assert "sam on digits, cnn: better than sgd at rho=0.05 to 0.2, a factor of 4, 3 of 4 values tried." in legend


def test_a_best_value_at_an_end_is_said(radii: Results) -> None:
    runs = [run for run in radii.runs() if run.config["optimizer"].get("rho") != 0.4]
    (one,) = sensitivity(compare(runs), runs, "optimizer.rho")[1]
    assert one.chosen is not None and one.chosen.value == 0.2
    assert any(
        "an end of the range: try values beyond it" in line
        for line in sensitivity_table(compare(runs), runs, "rho").legend
    )


def test_another_learning_rate_is_another_line(radii: Results, sam: Block) -> None:
    for rho in (0.05, 0.1):
        radii.add({**sam, "rho": rho, "lr": 0.5}, 0, [0.1, 0.5])
    runs = radii.runs()
    lines = sensitivity(compare(runs), runs, "rho")[1]
    assert sorted((line.who, len(line.levels), line.chosen is None) for line in lines) == [
        ("sam lr=0.05", 4, False),
        ("sam lr=0.5", 2, True),
    ]
    assert {line.who for line in sensitivity(compare(runs), runs, "lr")[1]} == {"sam rho=0.05", "sam rho=0.1"}


def test_without_a_validation_part_nothing_is_chosen(results: Results, sgd: Block, sam: Block) -> None:
    results.add(sgd, 0, [0.5])
    for rho in (0.05, 0.1):
        results.add({**sam, "rho": rho}, 0, [0.6])
    table = sensitivity_table(compare(results.runs()), results.runs(), "rho")
    assert not any(record["chosen_on_validation"] for record in table.records)
    assert "Validation" not in table.texts[0]
    assert any(line.startswith("No validation part was measured") for line in table.legend)
    assert not any("better than" in line for line in table.legend)  # one seed has no verdict


def test_formats(radii: Results) -> None:
    table = sensitivity_table(compare(radii.runs()), radii.runs(), "rho")
    records = json.loads(written(table, "json"))
    assert [record["value"] for record in records if record["in_range_that_beats_baseline"]] == [0.05, 0.1, 0.2]
    assert [record["value"] for record in records if record["chosen_on_validation"]] == [0.2]
    assert r"0.2 $\leftarrow$" in written(table, "latex")
    assert written(table, "csv").count("\n") == 5


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        ("rhoo", "did you mean rho?"),
        ("dataset.label_noise", "data and model are not tuned"),
        ("lr", "no two settings differ in it alone"),
        ("schedule.name", "is no number"),
    ],
)
def test_what_is_no_axis_of_tuning(radii: Results, axis: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        sensitivity(compare(radii.runs()), radii.runs(), axis)
    assert sentence in str(caught.value)


def test_a_value_at_which_runs_diverge_is_not_left_out(radii: Results, sam: Block) -> None:
    for seed in range(8):
        radii.add({**sam, "rho": 0.8}, seed, [0.1, 0.1], validation=[0.1, 0.1], status={"status": "diverged"})
        status = {"status": "diverged"} if seed else None
        radii.add({**sam, "rho": 1.6}, seed, [0.9, 0.99], validation=[0.9, 0.99], status=status)
    runs = radii.runs()
    (one,) = sensitivity(compare(runs), runs, "rho")[1]
    assert [level.value for level in one.levels] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6]
    assert one.chosen is not None and one.chosen.value == 0.2
    table = sensitivity_table(compare(runs), runs, "rho")
    assert (table.texts[4]["n"], table.texts[4]["Test"], table.texts[4]["Verdict"]) == ("0", "diverged", "")
    assert any("3 of 6 values tried" in line for line in table.legend)
