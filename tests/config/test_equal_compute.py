"""Equal compute: the epochs that each optimizer gets, and what is stretched with them."""

import pytest

from samcli.config import Draft, RunConfig, parse
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

FAMILY = "[sgd, adam, sam, {name: sam, ascent_steps: 3}, {name: looksam, k: 5}, async-sam, gam, {name: sam, rho: 0.0}]"


def draft(text: str) -> Draft:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE)


def expand(text: str) -> list[RunConfig]:
    return draft(f"equal_compute: true\n{text}").expand()


def test_epochs_are_those_of_two_passes_a_step() -> None:
    runs = expand(f"epochs: 20\noptimizer: {FAMILY}\n")
    assert [run.training.epochs for run in runs] == [40, 40, 20, 10, 33, 40, 10, 40]


@pytest.mark.parametrize("epochs", [3, 7, 20, 201])
def test_none_gets_more_gradient_evaluations_and_none_a_whole_epoch_less(epochs: int) -> None:
    for run in expand(f"epochs: {epochs}\noptimizer: {FAMILY}\n"):
        passes = CATALOGUE.optimizer(run.optimizer).passes_per_step(128, run.training.epochs)
        assert 2 * epochs - passes < run.training.epochs * passes <= 2 * epochs + 1e-9


def test_a_run_is_the_one_that_its_epochs_make() -> None:
    (run,) = expand("epochs: 20\noptimizer: sgd\n")
    (same,) = draft("epochs: 40\noptimizer: sgd\n").expand()
    assert run.identity == same.identity
    (again,) = Draft.of(parse(str(run.document()).replace("None", "null"), "y.yaml"), CATALOGUE).expand()
    assert again.training.epochs == 40


def test_what_is_counted_in_epochs_is_stretched() -> None:
    text = "epochs: 20\nschedule: {name: multi-step, milestones: [10, 15], warmup_epochs: 2}\noptimizer: "
    sgd, sam = expand(text + "[sgd, {name: sam, rho_warmup_epochs: 1}]\n")
    assert (sgd.schedule["milestones"], sgd.schedule["warmup_epochs"]) == ((20, 30), 4.0)
    assert (sam.schedule["milestones"], sam.schedule["warmup_epochs"]) == ((10, 15), 2.0)
    assert sam.optimizer["rho_warmup_epochs"] == 1.0
    assert sam.optimizer["end_epoch"] is None


def test_sam_at_work_for_half_of_the_epochs_gets_a_third_more_and_still_works_for_half() -> None:
    (run,) = expand("epochs: 30\noptimizer: {name: sam, start_epoch: 15}\n")
    assert run.training.epochs == 40
    assert run.optimizer["start_epoch"] == 20.0
    (run,) = expand("epochs: 30\noptimizer: {name: sam, end_epoch: 15}\n")
    assert (run.training.epochs, run.optimizer["end_epoch"]) == (40, 20.0)


def test_hypotheses_and_selections_find_the_runs() -> None:
    text = "epochs: 4\noptimizer: [sgd, sam]\nseeds: 0-1\nexclude: {optimizer: sgd, seeds: 1}\nhypotheses:\n"
    runs = expand(text + "  - {says: SAM wins, better: {optimizer: sam}, than: {optimizer: sgd}}\n")
    assert [(run.optimizer["name"], run.training.epochs) for run in runs] == [("sgd", 8), ("sam", 4), ("sam", 4)]


def test_a_flag_asks_for_it_too() -> None:
    one = draft("epochs: 4\noptimizer: [sgd, sam]\n")
    one.set("equal_compute=true")
    assert [run.training.epochs for run in one.expand()] == [8, 4]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("optimizer: [sgd, ae-sam]\n", "x.yaml, line 1: equal_compute does not know how many epochs ae-sam may train"),
        ("optimizer: {name: sam, ascent_fraction: 0.5}\n", "what ascent_fraction saves is known after training only"),
        (
            "epochs: 2\noptimizer: {name: lookbehind, k: 5}\n",
            "4 passes over the training part are not one epoch of lookbehind, which makes 6 a step; set epochs to at "
            "least 3.",
        ),
    ],
)
def test_what_has_no_equal_compute_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        expand(text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("value", ["1", "maybe", "[true, false]", "null"])
def test_it_is_yes_or_no(value: str) -> None:
    with pytest.raises(ConfigError, match=r"x\.yaml, line 1: equal_compute must be true or false"):
        draft(f"equal_compute: {value}\n").expand()
