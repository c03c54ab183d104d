"""What is known of each column, and that a new score is one entry: files, comparison and tables follow."""

import math
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pytest
import torch
import yaml
from torch import Tensor

from samcli.cli.progress import summary
from samcli.config import Source
from samcli.config.hypotheses import hypotheses_of
from samcli.metrics import (
    SCORES,
    Score,
    client_columns,
    columns,
    higher_is_better,
    is_share,
    score_among,
    score_of,
    scores_on_request,
    shown,
    task_scores,
)
from samcli.report import compare, render
from samcli.report.correlation import Correlation, generalisation_gap
from samcli.report.hypotheses import KINDS, Cases
from samcli.report.pictures.correlations import draw_correlations
from samcli.report.plots.pareto import pareto
from samcli.runs import Run, RunFolder, scan
from samcli.runs.rows import rows_fault
from samcli.stats import kendall
from samcli.tasks import Classification
from samcli.tune.trial import Outcome, Trial, best_of

CONTRACT = [
    "epoch",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "test_loss",
    "test_accuracy",
    "sharpness",
    "grad_norm",
    "learning_rate",
    "rho",
    "train_seconds",
    "eval_seconds",
    "sharpness_seconds",
    "gradient_evaluations",
    "examples_per_second",
    "skipped_steps",
    "cpu_seconds",
]


def test_columns_are_those_of_the_contract() -> None:
    assert columns("accuracy") == CONTRACT
    assert columns("r2") == [name.replace("accuracy", "r2") for name in CONTRACT]
    with pytest.raises(ValueError, match=r"one of accuracy, r2, bits_per_byte, not 'rmse'\."):
        columns("rmse")


def test_which_columns_are_better_when_larger() -> None:
    assert all(map(higher_is_better, ["test_accuracy", "train_r2", "examples_per_second"]))
    assert not any(map(higher_is_better, ["test_loss", "sharpness", "train_seconds", "grad_norm"]))
    assert [name for name in client_columns() if not higher_is_better(name)] == [
        "validation_accuracy_scatter",
        "test_accuracy_scatter",
    ]


def test_what_clients_record_scores_no_task_and_is_on_no_request() -> None:
    names = {score.name for score in SCORES.values() if score.of_clients}
    assert len(names) == 3
    assert not names & {*task_scores(), *(score.name for score in scores_on_request().values())}
    assert rows_fault([{"epoch": 1, "test_accuracy": 0.5, "test_accuracy_scatter": 0.1}]) is None
    assert rows_fault([{"epoch": 1, "test_recent_accuracy": 1.5}]) == "has an impossible test_recent_accuracy, 1.5"


def test_only_the_parts_of_the_data_have_scores() -> None:
    assert score_of("validation_accuracy") is SCORES["accuracy"]
    assert score_of("accuracy") is score_of("my_accuracy") is score_of("test_loss") is None
    assert not is_share("label_accuracy")


def test_values_as_people_read_them() -> None:
    assert [shown(value, "test_loss") for value in (0.0, 0.001, 999.9, 1000.0, 0.0009)] == [
        "0.0000",
        "0.0010",
        "999.9000",
        "1e+03",
        "0.0009",
    ]
    assert shown(-0.05, "test_accuracy", "+") == "-5.00"


@pytest.fixture
def perplexity(monkeypatch: pytest.MonkeyPatch) -> Score:
    """A score of which less is better, unlike all that there are."""
    score = Score(name="perplexity", words="perplexity", higher_is_better=False)
    monkeypatch.setitem(SCORES, score.name, score)
    return score


def run_of(folder: RunFolder, optimizer: str, seed: int, train: float, test: float) -> None:
    config = {"name": "x", "dataset": {"name": "text"}, "model": {"name": "lstm"}, "optimizer": {"name": optimizer}}
    row = {"epoch": 1, "train_loss": math.log(train), "test_loss": math.log(test), "train_seconds": 1.0}
    folder.write_status({"status": "finished"})
    folder.write_metrics([row | {"train_perplexity": train, "test_perplexity": test}])
    folder.config.write_text(yaml.safe_dump(config | {"seeds": seed}))


def runs_of(folder: Path) -> list[Run]:
    for seed in range(2):
        run_of(RunFolder(folder / f"sgd{seed}"), "sgd", seed, train=20.0, test=40.0 + seed)
        run_of(RunFolder(folder / f"sam{seed}"), "sam", seed, train=22.0, test=30.0 + seed)
    # one that failed before its first epoch has the columns of an empty file
    run_of(failed := RunFolder(folder / "sgd2"), "sgd", 2, train=1.0, test=1.0)
    failed.write_status({"status": "failed"})
    failed.write_metrics([])
    return scan([folder])[0]


def test_a_task_computes_a_score_that_has_columns(perplexity: Score) -> None:
    class Language(Classification):
        metric: ClassVar[str] = "perplexity"

        def statistics(self, output: Tensor, target: Tensor) -> Tensor:
            return (self.loss(output, target) * len(target)).double().reshape(1)

        def score(self, total: Tensor, n: int) -> float:
            return math.exp(total.item() / n)

    task, output, target = Language(4), torch.zeros(6, 4), torch.arange(6) % 4
    assert task.score(task.statistics(output, target), 6) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="not 'bleu'"):
        type("Translation", (Classification,), {"metric": "bleu"})


def test_a_new_score_goes_from_the_file_to_the_tables(perplexity: Score, tmp_path: Path) -> None:
    runs = runs_of(tmp_path)
    assert list(pd.read_csv(tmp_path / "sam0" / "metrics.csv")) == columns("perplexity")
    comparison = compare(runs)
    better, _ = comparison.rows
    assert (better.optimizer, better.metric, better.last.mean) == ("sam", "test_perplexity", 30.5)
    assert better.difference is not None
    assert better.difference.mean == -10.0
    assert {run.folder.name: generalisation_gap(run) for run in runs} == {
        "sam0": 8.0,
        "sam1": 9.0,
        "sgd0": 20.0,
        "sgd1": 21.0,
        "sgd2": None,
    }
    table = render(comparison, "table")
    assert table.startswith("text, lstm: test perplexity\n")
    assert "30.5000 ± 0.7071" in table
    assert "-10.0000" in table
    assert "%" not in table.replace("95 %", "")
    assert summary({"train_loss": 3.0, "test_perplexity": 30.0}) == "loss 3.0000  test perplexity 30.0000"


def test_pictures_say_which_way_the_gap_is(perplexity: Score, tmp_path: Path) -> None:
    runs = [run for run in runs_of(tmp_path) if run.state == "finished"]
    pairs = {run.folder: (float(number), generalisation_gap(run) or 0.0) for number, run in enumerate(runs)}
    tau = kendall([x for x, _ in pairs.values()], [y for _, y in pairs.values()])
    (axes,) = draw_correlations([Correlation("trace", 100, pairs, tau, 0)], runs).axes
    assert axes.get_ylabel().replace("\n", " ") == "test less training perplexity"


def test_scores_on_request_say_nothing_of_the_task() -> None:
    asked = ["validation_macro_f1", "test_macro_f1", "validation_roc_auc", "test_roc_auc", "test_mae"]
    assert score_among(asked).name == "accuracy"
    assert score_among([*asked, "test_r2"]).name == "r2"
    for name in ("macro_f1", "roc_auc", "mae"):
        with pytest.raises(ValueError, match="A task is scored by one of accuracy, r2"):
            type("Other", (Classification,), {"metric": name})


def test_scores_on_request_are_compared_as_they_are_read(tmp_path: Path) -> None:
    """Which way is better, the unit, and no error of a mean over examples for what is none."""
    values = {"sgd": (0.10, 0.70), "sam": (0.05, 0.80)}
    for optimizer, (error, f1) in values.items():
        for seed in range(3):
            folder = RunFolder(tmp_path / f"{optimizer}{seed}")
            config = {"name": "x", "dataset": {"name": "d"}, "model": {"name": "m"}, "optimizer": {"name": optimizer}}
            row = {"epoch": 1, "test_accuracy": 0.9, "test_calibration_error": error, "test_macro_f1": f1 + seed / 1e4}
            folder.write_status({"status": "finished", "dataset": {"test_examples": 100}})
            folder.write_metrics([row])
            folder.config.write_text(yaml.safe_dump(config | {"seeds": seed}))
    runs, _ = scan([tmp_path])
    first, _ = compare(runs).rows
    assert first.metric == "test_accuracy"
    calibration, f1 = (compare(runs, metric=f"test_{name}") for name in ("calibration_error", "macro_f1"))
    assert [row.optimizer for row in calibration.rows] == [row.optimizer for row in f1.rows] == ["sam", "sgd"]
    assert render(f1, "table").startswith("d, m: test macro F1 in %\n")
    assert "80.01" in render(f1, "table")
    assert not any("binomial" in note for note in f1.notes)


def bits_of(folder: Path) -> list[Run]:
    """SAM ends at fewer bits per byte than SGD in each of ten seeds; on validation its second epoch is the best."""
    for seed in range(10):
        for name, bits in (("sgd", (3.0, 2.5, 2.9)), ("sam", (2.8, 2.2, 2.4))):
            run = RunFolder(folder / f"{name}{seed}")
            config = {"name": "x", "dataset": {"name": "text:a"}, "model": {"name": "gpt"}, "optimizer": {"name": name}}
            run.write_status({"status": "finished"})
            rows = [
                {"epoch": i + 1, "test_bits_per_byte": value + 0.01 * seed, "validation_bits_per_byte": value}
                for i, value in enumerate(bits)
            ]
            run.write_metrics([row | {"train_seconds": 1.0, "gradient_evaluations": row["epoch"]} for row in rows])
            run.config.write_text(yaml.safe_dump(config | {"epochs": 3, "seeds": seed}))
    return scan([folder])[0]


def test_fewer_bits_win_wherever_runs_are_compared(tmp_path: Path) -> None:
    runs = bits_of(tmp_path)
    first, second = compare(runs).rows
    assert (first.optimizer, first.metric, first.best.mean) == ("sam", "test_bits_per_byte", pytest.approx(2.245))
    assert second.last.mean == pytest.approx(2.945)
    assert first.verdict is not None
    assert first.verdict.word == "better"
    chosen = compare(runs, select="epoch").rows[0]
    assert (chosen.optimizer, chosen.last.mean) == ("sam", pytest.approx(2.245))
    reached = compare(runs, target=2.4).rows
    assert [(row.optimizer, row.to_target.reached) for row in reached if row.to_target] == [("sam", 10), ("sgd", 0)]
    assert [row.optimizer for row in compare(runs, budget="gradients").rows] == ["sam", "sgd"]


def test_fewer_bits_win_in_hypotheses_and_searches(tmp_path: Path) -> None:
    cases = Cases(bits_of(tmp_path))
    (one,) = hypotheses_of(
        Source({"hypotheses": [{"says": "x", "better": {"optimizer": "sam"}, "than": {"optimizer": "sgd"}}]}), str
    )
    assert cases.metric(None, *one.patterns) == "test_bits_per_byte"
    evidence = KINDS[one.kind](cases, one.fields)
    assert evidence.estimate == pytest.approx(-0.5)
    assert evidence.p_held is not None
    assert evidence.p_held < 0.01
    trials = [
        Trial(n, {}, {0: Outcome("finished", "validation_bits_per_byte", bits, 1)}, 1)
        for n, bits in enumerate((3.0, 2.0))
    ]
    assert best_of(trials) is trials[1]
    assert pareto([(1.0, 3.0), (2.0, 2.0), (3.0, 2.5)], higher_is_better("test_bits_per_byte")) == {0, 1}
