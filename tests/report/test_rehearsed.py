"""What can be known of a hypothesis before anything is trained is said then, with its line."""

import pytest

from samcli.config import Draft, parse
from samcli.errors import ConfigError
from samcli.report.rehearsed import rehearse_hypotheses, seeds_to_decide
from samcli.train import CATALOGUE

GRID = """
dataset: {name: digits, label_noise: [0.0, 0.4]}
optimizer: [sgd, adam, {name: sam, rho: [0.05, 0.1, 0.8]}]
seeds: SEEDS
hypotheses:
"""


def rehearse(line: str, grid: str = GRID, seeds: str = "0-9") -> None:
    text = grid.replace("SEEDS", seeds) + f"  - {{says: so it is, {line}}}\n"
    draft = Draft.of(parse(text, "x.yaml"), CATALOGUE)
    draft.expand()
    rehearse_hypotheses(
        draft.hypotheses,
        draft.as_written(),
        list(CATALOGUE.measures),
        lambda run: str(CATALOGUE.create("dataset", run.dataset).metric),
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            "better: {optimizer: sam}, than: {optimizer: sgd}",
            "stands for several settings, which differ in optimizer.rho",
        ),
        ("correlated: [sharpness, gab]", "no run will have measured 'gab'; did you mean gap?"),
        (
            "better: {optimizer: adam}, than: {optimizer: sgd}, metric: test_acuracy",
            "no run will have measured 'test_acuracy'; did you mean test_accuracy?",
        ),
        ("range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 100", "goes from 0.05 to 0.8, less than 100 times"),
        (
            "lead_of: {optimizer: sam, optimizer.rho: 0.1}, over: {optimizer: sgd}, grows_with: optimizer.rho",
            "The runs of both have 0 values of optimizer.rho; a trend needs two.",
        ),
        ("better: {optimizer: sgd}, than: {optimizer: sgd}", "both sides of 'so it is' are the same runs"),
        ("equal: [{optimizer: sgd}, {optimizer: sgd}], within: 0.1", "are the same runs"),
        (
            "equal: [{optimizer: adam}, {optimizer: sgd}], within: 1",
            "within: 1 is 100.00 points of a metric from 0 to 1; 0.01 is one point.",
        ),
        ("better: {optimizer: adam}, than: {optimizer: sgd}, by: 5", "by: 5 is 500.00 points"),
        (
            "wider: {optimizer: sam}, than: {dataset.label_noise: 0.4}, along: optimizer.rho, within: 2",
            "within: 2 is 200.00 points",
        ),
        (
            "wider: {optimizer: sam}, than: {optimizer: sam}, along: optimizer.rho, within: 0.1",
            "both sides of 'so it is' are the same runs",
        ),
        (
            "wider: {optimizer: sam}, than: {optimizer: adam}, along: optimizer.rho, within: 0.1",
            "No finished run has optimizer.rho.",
        ),
        (
            "correlated: [sharpness, gap], among: {optimizer: [sgd, adam], dataset.label_noise: 0.4}",
            "No seed has 4 settings",
        ),
    ],
)
def test_what_no_results_can_judge(line: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rehearse(line)
    assert str(caught.value).startswith("x.yaml, line 6: ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize("seeds", ["0", "0-9"])
@pytest.mark.parametrize(
    "line",
    [
        "better: {optimizer: sam, optimizer.rho: 0.1}, than: {optimizer: sgd}",
        "better: {optimizer: sam, optimizer.rho: 0.1}, than: {optimizer: sgd}, metric: train_loss, by: 5",
        "lead_of: {optimizer: sam, optimizer.rho: 0.1}, over: {optimizer: sgd}, grows_with: dataset.label_noise",
        "best_of: optimizer.rho",
        "range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 2",
        "correlated: [lambda-max, gap]",
        "correlated: [one-step rho=0.1, test_loss]",
        "ratio_of: {optimizer: sam, optimizer.rho: 0.1}, to: {optimizer: sgd}, metric: cpu_seconds, below: 3",
        "equal: [{optimizer: adam}, {optimizer: sgd}], within: 0.01, metric: gap",
    ],
)
def test_what_some_results_can_judge(line: str, seeds: str) -> None:
    """Also where a flag is to bring the seeds."""
    rehearse(line, seeds=seeds)


def test_a_regression_has_other_scores() -> None:
    grid = "dataset: diabetes\noptimizer: [sgd, {name: sam, rho: 0.1}]\nseeds: 0-9\nhypotheses:\n"
    rehearse("better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_r2, by: 2", grid=grid)
    with pytest.raises(ConfigError, match="no run will have measured 'test_accuracy'"):
        rehearse("better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_accuracy", grid=grid)


def test_seeds_that_can_decide_nothing_are_told() -> None:
    text = GRID.replace("SEEDS", "0-7") + "".join(
        f"  - {{says: number {i}, better: {{optimizer: adam}}, than: {{optimizer: sgd}}, by: 0.0{i}}}\n"
        for i in range(7)
    )
    hypotheses = Draft.of(parse(text, "x.yaml"), CATALOGUE).hypotheses
    told = seeds_to_decide(hypotheses, 8)
    assert told.startswith(
        "7 hypotheses on 8 seeds: with fewer than 9 an exact test can decide none of them; train more"
    )
    assert "--seeds 0-8" in told
    assert seeds_to_decide(hypotheses, 9) == ""
    assert seeds_to_decide(hypotheses[:1], 6) == ""
    assert seeds_to_decide(hypotheses[:1], 5).startswith("1 hypothesis on 5 seeds: with fewer than 6")


def test_a_metric_on_request_can_be_judged_where_the_runs_record_it() -> None:
    line = "better: {optimizer: adam}, than: {optimizer: sgd}, metric: test_macro_f1, by: 0.01"
    rehearse(line, grid=f"evaluate: {{metrics: [roc-auc, macro-f1]}}{GRID}")
    with pytest.raises(ConfigError, match="no run will have measured 'test_macro_f1'"):
        rehearse(line)
    with pytest.raises(ConfigError, match=r"by: 2 is 200\.00 points"):  # a share
        rehearse(line.replace("0.01", "2"), grid=f"evaluate: {{metrics: macro-f1}}{GRID}")


def test_what_clients_record_can_be_judged_where_clients_train() -> None:
    line = "better: {optimizer: adam}, than: {optimizer: sgd}, metric: test_recent_accuracy, by: 0.01"
    rehearse(line, grid=f"federated: {{clients: 9, alpha: 1.0}}{GRID}")
    with pytest.raises(ConfigError, match="no run will have measured 'test_recent_accuracy'"):
        rehearse(line)
