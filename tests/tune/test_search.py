"""A search: rounds of the same trials for everybody, whatever breaks off, and what it may spend."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from tuning import TEXT, UNIT, Listed, made, outcome

from samcli.config import RunConfig
from samcli.errors import ConfigError
from samcli.train import CATALOGUE
from samcli.tune.budget import spent
from samcli.tune.search import Progress, rounds
from samcli.tune.table import warnings_of
from samcli.tune.trial import Outcome, best_of


def searched(text: str = TEXT, *, breaks: float = 9.0) -> tuple[Progress, dict[str, Listed], list[int]]:
    """A whole search in which SGD diverges on one seed above a learning rate."""
    draft, _, contenders = made(text)
    suggesters = {one.name: Listed(one) for one in contenders}
    sizes: list[int] = []

    def train(configs: Sequence[RunConfig]) -> list[Outcome]:
        sizes.append(len(configs))
        broken = [c.optimizer["name"] == "sgd" and c.optimizer["lr"] > breaks and c.seed == 101 for c in configs]
        return [outcome(c, state="diverged" if b else "finished") for c, b in zip(configs, broken, strict=True)]

    assert draft.tuning is not None
    (*_, last) = rounds(contenders, draft.tuning, suggesters, UNIT, train, CATALOGUE)
    return last, suggesters, sizes


def test_as_many_trials_for_every_optimizer() -> None:
    progress, suggesters, sizes = searched()
    assert {name: len(trials) for name, trials in progress.trials.items()} == {"sgd": 8, "sam": 8}
    assert [one.asked for one in suggesters.values()] == [[1, 5, 2]] * 2
    assert sizes == [2 * 1 * 2, 2 * 5 * 2, 2 * 2 * 2], "a round trains all at once: optimizers, trials, seeds"
    best = best_of(progress.trials["sam"])
    assert best is not None
    assert (best.number, best.settings["lr"], best.value) == (2, 0.03, pytest.approx(0.91))
    assert suggesters["sam"].told == progress.trials["sam"]


def test_as_many_gradient_evaluations_for_every_optimizer() -> None:
    progress, suggesters, _ = searched(TEXT.replace("trials: 8", "evaluations: 8"))
    assert [one.asked for one in suggesters.values()] == [[1, 5, 2], [1, 3]]
    assert {name: spent(trials) for name, trials in progress.trials.items()} == {"sgd": 8.0, "sam": 8.0}


def test_what_cannot_be_paid_is_not_begun() -> None:
    progress, _, _ = searched(TEXT.replace("trials: 8", "evaluations: 7.9"))
    assert {name: spent(trials) for name, trials in progress.trials.items()} == {"sgd": 7.0, "sam": 6.0}


@pytest.mark.parametrize("budget", ["trials: 8", "evaluations: 8"])
def test_trials_that_diverge_are_the_worst_and_buy_no_others(budget: str) -> None:
    progress, suggesters, _ = searched(TEXT.replace("trials: 8", budget), breaks=0.02)
    states = [trial.state for trial in progress.trials["sgd"]]
    assert states == ["finished"] * 2 + ["diverged"] * 6
    assert all(trial.value is None for trial in suggesters["sgd"].told[2:]), "though one of two seeds was good"
    best = best_of(progress.trials["sgd"])
    assert best is not None
    assert best.settings == {"lr": 0.02}


def test_an_optimizer_that_only_diverges_comes_to_an_end_without_a_best() -> None:
    progress, _, _ = searched(TEXT.replace("trials: 8", "evaluations: 8"), breaks=0.0)
    assert len(progress.trials["sgd"]) == 8
    assert best_of(progress.trials["sgd"]) is None
    assert not progress.all_failed


def test_a_longer_search_begins_like_a_shorter_one() -> None:
    long, short = (searched(TEXT.replace("trials: 8", f"trials: {number}"))[0] for number in (19, 8))
    assert all(long.trials[name][:8] == short.trials[name] for name in ("sgd", "sam"))


def test_what_has_nothing_to_search_is_tried_once() -> None:
    progress, _, _ = searched(TEXT.replace("    optimizer.lr: {from: 0.01, to: 1.0, log: true}\n", ""))
    assert [len(trials) for trials in progress.trials.values()] == [1, 8]
    assert (
        next(warnings_of(progress)) == "sgd lr=0.05 has no option of the space: it was not tuned, and the others were."
    )


def test_runs_of_a_trial_differ_in_what_is_searched_and_in_the_seed() -> None:
    _, runs, (sgd, _) = made()
    found = sgd.configs({"lr": 0.5}, (100, 101), CATALOGUE)
    assert [(run.name, run.seed, run.optimizer["lr"]) for run in found] == [("small-tune", s, 0.5) for s in (100, 101)]
    assert replace(found[0], name="small", seed=0, optimizer=runs[0].optimizer) == runs[0]


def test_each_value_of_another_option_is_an_optimizer_of_its_own() -> None:
    optimizers = "[{name: sgd, lr: [0.05, 0.5, 5.0], momentum: [0.0, 0.9]}, {name: sam, rho: 0.1}]"
    _, _, contenders = made(TEXT.replace("[{name: sgd, lr: 0.05}, {name: sam, rho: 0.1}]", optimizers))
    assert [one.name for one in contenders] == ["sgd momentum=0", "sgd momentum=0.9", "sam momentum=0.9"]
    assert contenders[0].starts == ({"lr": 0.05}, {"lr": 0.5}), "and what lies outside the space is no start"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "validation: 0.2}",
            "validation: 0.2, label_noise: [0.0, 0.4]}",
            "Settings are searched for one problem, and this experiment has 2 values of dataset.label_noise; tune each "
            "by itself, under a name of its own: --only dataset.label_noise=0.0 --name NAME.",
        ),
        (
            "seeds: 0-1",
            "seeds: 0-1\nstages: {optimizer: sgd, epochs: [1, 2]}",
            "has 2 values of stage1.epochs; tune each by itself, under a name of its own: --only stage1.epochs=1",
        ),
        (
            "seeds: 100-101",
            "seeds: 1-2",
            "small.yaml, line 10: seed 1 is among the final seeds, on which what was chosen there would look better "
            "than it is; take others, such as seeds: 100-101.",
        ),
        ("seeds: 0-1", "seeds: 0-1\nexclude: {optimizer: sam, seeds: 1}", "has the same seeds for every optimizer"),
        ("name: small", f"name: {'a' * 94}", "has at most 93 characters"),
    ],
)
def test_experiments_that_cannot_be_tuned(old: str, new: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made(TEXT.replace(old, new, 1))
    assert told in str(caught.value)


def test_settings_that_exclude_each_other_are_told_with_the_optimizer() -> None:
    _, _, (sgd, _) = made()
    with pytest.raises(ConfigError, match=r"^The space of sgd holds momentum=0.0 nesterov=True, and .*Leave such"):
        sgd.configs({"momentum": 0.0, "nesterov": True}, (100,), CATALOGUE)
