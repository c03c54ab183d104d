"""The block `tune:`: what it may hold, and what is said of what it may not."""

from pathlib import Path

import pytest

from samcli.config import Draft, parse, read
from samcli.config.tune import Choices, Range
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

TEXT = """dataset: {name: wine, validation: 0.2}
optimizer: [sgd, {name: sam, rho: 0.1}, {name: looksam, k: 5}]
seeds: 0-1
tune:
  trials: 4
  seeds: 100-101
  space:
    optimizer.lr: {from: 1.0e-3, to: 1.0, log: true}
    optimizer.rho: {from: 0, to: 1}
    optimizer.k: {from: 2, to: 9}
    optimizer.nesterov: [true, false]
"""


def draft(text: str = TEXT) -> Draft:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE)


def refusal(old: str, new: str) -> str:
    assert old in TEXT
    with pytest.raises(ConfigError) as caught:
        draft(TEXT.replace(old, new)).expand()
    return str(caught.value)


def test_an_optimizer_has_what_it_has_options_for() -> None:
    tuning = draft().tuning
    assert tuning is not None
    assert (tuning.search.trials, tuning.search.evaluations, tuning.seeds) == (4, None, (100, 101))
    lr, nesterov = Range(0.001, 1.0, log=True), Choices((True, False))
    assert tuning.axes(CATALOGUE.options("optimizer", "sgd")) == {"lr": lr, "nesterov": nesterov}
    axes = tuning.axes(CATALOGUE.options("optimizer", "looksam"))
    assert axes["k"] == Range(2, 9, whole=True)
    assert axes["rho"] == Range(0.0, 1.0, open=(False, True)), "below 0 there is no radius"
    assert "nesterov" not in tuning.axes(CATALOGUE.options("optimizer", "adam"))


def test_a_file_that_is_tuned_trains_as_one_that_is_not() -> None:
    without = TEXT.partition("tune:")[0]
    assert [run.identity for run in draft().expand()] == [run.identity for run in draft(without).expand()]


def test_flags_that_leave_an_optimizer_out_leave_the_space_as_it_is() -> None:
    changed = draft()
    changed.choose("optimizer", ["sgd"])
    assert {run.optimizer["name"] for run in changed.expand()} == {"sgd"}


def test_a_base_gives_its_search_to_a_file_that_changes_a_key_of_it(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(TEXT)
    (tmp_path / "more.yaml").write_text("{base: base.yaml, tune: {trials: 8}}")
    tuning = Draft.of(read(tmp_path / "more.yaml"), CATALOGUE).tuning
    assert tuning is not None
    assert (tuning.search.trials, tuning.seeds) == (8, (100, 101))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("optimizer.rho:", "optimizer.roh:", "line 9: no optimizer here has an option 'roh'; did you mean o"),
        ("optimizer.rho:", "rho:", "line 9: only options of optimizers are searched, such as optimizer.lr; w"),
        ("optimizer.rho:", "dataset.label_noise:", "line 9: only options of optimizers are searched, such as"),
        ("optimizer.rho:", "optimizer.base:", "line 9: optimizer.base says which optimizers are compared"),
        ("from: 0,", "from: -1,", "line 9: rho must be a number at least 0, not -1."),
        ("from: 0,", "from: 2,", "line 9: the range of optimizer.rho must go from a number to a larger one"),
        ("from: 0,", "form: 0,", "line 9: a range has no key 'form'; did you mean from?"),
        ("{from: 0, to: 1}", "{from: 0}", "line 9: the range of optimizer.rho needs from and to."),
        ("{from: 0, to: 1}", "0.1", "line 9: optimizer.rho must be a range such as"),
        ("{from: 0, to: 1}", "[]", "line 9: optimizer.rho must be a range such as"),
        ("{from: 0, to: 1}", "[0.1, 0.10]", "line 9: a value of optimizer.rho stands there twice; remove one."),
        ("{from: 0, to: 1}", "[0.1, -0.1]", "line 9: rho must be a number at least 0, not -0.1."),
        ("to: 1}\n", "to: 1, log: true}\n", "line 9: with log: true the range of optimizer.rho must begin above 0"),
        ("{from: 0, to: 1}", "{from: 0, to: 1, log: 1}", "line 9: log must be true or false."),
        ("{from: 0, to: 1}", "{from: 0, to: .inf}", "line 9: rho must be a finite number at least 0, not inf."),
        ("{from: 2, to: 9}", "{from: 2.5, to: 9}", "line 10: k must be a whole number"),
        ("[true, false]", "{from: 0, to: 1}", "line 11: optimizer.nesterov is no number; list the values to be tried"),
        ("  trials: 4", "  trails: 4", "line 5: tune has no key 'trails'; did you mean trials?"),
        ("  trials: 4", "  trials: 0", "line 5: trials must be a whole number or null at least 1"),
        ("  trials: 4", "  trials: 4\n  evaluations: 4", "line 4: tune needs either trials or evaluations"),
        ("  trials: 4", "  round: 4", "line 4: tune needs either trials or evaluations"),
        ("  trials: 4", "  trials: 4\n  sampler: bayes", "line 6: sampler must be one of tpe, random"),
        ("  seeds: 100-101\n", "", "line 4: tune needs seeds of its own, such as seeds: 100-101."),
        ("  seeds: 100-101", "  seeds: few", "line 6: seeds must be written as 3, 0-4 or 0,2,5, not 'few'."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_line(old: str, new: str, told: str) -> None:
    assert refusal(old, new).startswith(f"x.yaml, {told}")


def test_a_block_without_a_space_is_refused() -> None:
    for text in ("tune: {trials: 4, seeds: 9}", "tune: {trials: 4, seeds: 9, space: {}}", "tune: 20"):
        with pytest.raises(ConfigError, match=r"^x.yaml, line 1: "):
            draft(text)


def test_set_says_that_it_is_no_setting_of_a_run() -> None:
    with pytest.raises(ConfigError, match="tune is no setting of a run; write it in a file"):
        draft().set("tune.trials=3")
