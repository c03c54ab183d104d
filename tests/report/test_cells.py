"""Cells and legend: percent, points, empty for what was not measured."""

from run_folders import Block, Results

from samcli.report import cells, compare


def test_cells_of_accuracies(noisy: Results) -> None:
    sam, sgd, diverged = map(cells.cells, compare(noisy.runs()).rows)
    assert (sam[cells.LAST], sam[cells.BEST]) == ("84.00 ± 4.08", "84.25 ± 4.03")
    assert sam[cells.DELTA] == "+10.00"
    assert sam[cells.INTERVAL].startswith("[+5.03, ")
    assert (sam[cells.SECONDS], sam[cells.COST], sam[cells.RUNS]) == ("2", "2.00×", "")
    assert (sgd[cells.DELTA], sgd[cells.INTERVAL], sgd[cells.SETTINGS]) == ("baseline", "", "")
    assert (diverged[cells.N], diverged[cells.LAST], diverged[cells.DELTA]) == ("0", "", "")
    assert diverged[cells.RUNS] == "1 diverged"


def test_cells_of_regression(results: Results, sgd: Block, sam: Block) -> None:
    for seed in (0, 1):
        results.add(sgd, seed, (-0.5 - seed,), metric="r2")
        results.add(sam, seed, (0.25 + seed,), metric="r2")
    better, worse = map(cells.cells, compare(results.runs()).rows)
    assert (better[cells.LAST], worse[cells.LAST]) == ("0.7500 ± 0.7071", "-1.0000 ± 0.7071")
    assert better[cells.DELTA] == "+1.7500"


def test_unused_columns_are_left_out(results: Results, sgd: Block) -> None:
    results.add(sgd, 0, (0.5,), sharpness=None)
    columns = cells.used_columns([cells.cells(row) for row in compare(results.runs()).rows])
    for absent in (cells.SHARPNESS, cells.INTERVAL, cells.SETTINGS, cells.RUNS, cells.METRIC):
        assert absent not in columns
    assert {cells.LAST, cells.BEST, cells.N, cells.COST} < set(columns)


def test_legend_explains_what_is_shown_only(results: Results, noisy: Results, sgd: Block) -> None:
    comparison = compare(noisy.runs())
    full = " ".join(cells.legend(comparison, cells.used_columns([cells.cells(row) for row in comparison.rows])))
    for words in ("mean ± standard deviation", "optimistic", "percentage points", "paired by seed", "flatter", "Cost:"):
        assert words in full
    alone = compare([run for run in noisy.runs() if run.config["optimizer"]["name"] == "sgd"])
    text = " ".join(cells.legend(alone, [cells.OPTIMIZER, cells.LAST]))
    assert "mean ±" in text
    assert not any(words in text for words in ("Δ", "Sharpness", "Cost"))
