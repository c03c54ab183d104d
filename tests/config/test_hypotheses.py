"""What `hypotheses:` may say, and the sentences for what it may not."""

from pathlib import Path

import pytest

from samcli.config import Draft, parse
from samcli.config.hypotheses import Hypothesis, Relation, hypotheses_of
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

GRID = """
dataset: {name: digits, label_noise: [0.0, 0.4]}
optimizer: [sgd, {name: sam, rho: [0.05, 0.1, 0.5]}]
seeds: 0-5
"""


def read(*lines: str) -> tuple[Hypothesis, ...]:
    text = GRID + "hypotheses:\n" + "".join(f"  - {line}\n" for line in lines)
    draft = Draft.of(parse(text, "x.yaml"), CATALOGUE)
    draft.expand()
    return draft.hypotheses


def test_every_kind_is_read() -> None:
    found = read(
        "{says: a, better: {optimizer: sam}, than: {optimizer: sgd}, metric: test_loss, by: 0.01}",
        "{says: b, equal: [{optimizer: sam}, {optimizer: sgd}], within: 0.005}",
        "{says: c, lead_of: {optimizer: sam}, over: {optimizer: sgd}, falls_with: dataset.label_noise}",
        "{says: d, best_of: optimizer.rho, inside: false, among: {optimizer: sam}}",
        "{says: e, range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 2}",
        "{says: f, correlated: [lambda-max, gap], tau: '< -0.25'}",
        "{says: g, ratio_of: {optimizer: sam}, to: {optimizer: sgd}, metric: train_seconds, below: 2.5}",
        "{says: h, wider: {optimizer: sam}, than: {optimizer: sgd}, along: optimizer.rho, within: 0.01}",
    )
    assert [one.kind for one in found] == [
        "better", "equal", "lead_of", "best_of", "range_of", "correlated", "ratio_of", "wider"
    ]  # fmt: skip
    assert found[0].fields["by"] == 0.01
    assert found[3].fields["inside"] is False
    assert found[5].fields["tau"] == Relation(above=False, bound=-0.25)
    assert [len(list(one.patterns)) for one in found] == [2, 2, 2, 1, 1, 0, 2, 2]


def test_the_order_of_keys_is_no_other_hypothesis() -> None:
    one = read("{says: a, better: {optimizer: sam}, than: {optimizer: sgd}}")[0]
    other = read("{than: {optimizer: sgd}, better: {optimizer: sam}, says: a}")[0]
    third = read("{says: a, better: {optimizer: sgd}, than: {optimizer: sam}}")[0]
    assert one.digest == other.digest != third.digest
    assert one.where == "x.yaml, line 6"


def test_they_change_no_run() -> None:
    with_, without = (
        Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
        for text in (GRID + "hypotheses: [{says: a, better: {optimizer: sam}, than: {optimizer: sgd}}]", GRID)
    )
    assert [run.identity for run in with_] == [run.identity for run in without]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{says: a, beter: {optimizer: sam}}", "says nothing that can be judged; it begins with one of better, equal"),
        ("{says: a, better: {optimizer: sam}, equal: []}", "has better and equal; it begins with one of"),
        ("{better: {optimizer: sam}, than: {optimizer: sgd}}", "needs says: what it means"),
        ("{says: a, better: {optimizer: sam}}", "better needs than"),
        ("{says: a, better: {optimizer: sam}, then: {optimizer: sgd}}", r"has no key 'then'; did you mean than\?"),
        ("{says: a, better: sam, than: {optimizer: sgd}}", "better must be a block such as"),
        ("{says: a, better: {}, than: {optimizer: sgd}}", "better must be a block such as"),
        ("{says: a, better: {optimizer: sam}, than: {optimizer: sgd}, by: much}", "by must be a number, not 'much'"),
        ("{says: a, better: {optimizer: sam}, than: {optimizer: sgd}, by: .inf}", "by must be a number"),
        ("{says: a, better: {optimizer: sam}, than: {optimizer: sgd}, by: -1e308}", "by must be a number"),
        ("{says: a, equal: [{optimizer: sam}, {optimizer: sgd}], within: 1e400}", "within must be a number"),
        ("{says: a, better: {optimizer: sam}, than: {optimizer: adamw}}", "no run has optimizer adamw"),
        ("{says: a, better: {optimizer: sam, rho: 0.1}, than: {optimizer: sgd}}", "did you mean optimizer.rho"),
        ("{says: a, better: {optimizer.rho: 0.2}, than: {optimizer: sgd}}", "the nearest is 0.1"),
        ("{says: a, better: {optimizer: sgd, optimizer.rho: 0.1}, than: {optimizer: sam}}", "no run has all of this"),
        ("{says: a, equal: [{optimizer: sam}], within: 0.1}", "equal must be a list of two"),
        ("{says: a, equal: [{optimizer: sam}, {optimizer: sgd}], within: 0}", "within must be above 0, not 0"),
        ("{says: a, equal: [{optimizer: sam}, {optimizer: sgd}]}", "equal needs within"),
        ("{says: a, lead_of: {optimizer: sam}, over: {optimizer: sgd}}", "grows_with or falls_with, and one alone"),
        ("{says: a, lead_of: {seeds: 0}, over: {seeds: 1}, grows_with: epochs}", "epochs has 1 values"),
        ("{says: a, lead_of: {seeds: 0}, over: {seeds: 1}, grows_with: dataset.name}", "dataset.name has 0 values"),
        ("{says: a, best_of: optimizer.roh}", r"no run has 'optimizer.roh'; did you mean optimizer.rho\?"),
        ("{says: a, best_of: dataset.label_noise}", "has 2 values, and best_of needs 3"),
        ("{says: a, best_of: optimizer.rho, inside: perhaps}", "inside must be true or false"),
        ("{says: a, range_of: optimizer.rho, beats: {optimizer: sgd}, spans: 1}", "spans must be above 1"),
        ("{says: a, correlated: [gap], tau: '> 0'}", "correlated must be a list of two names"),
        ("{says: a, correlated: [gap, sharpness], tau: positive}", "tau must be '> 0' or '< 0'"),
        ("{says: a, correlated: [gap, sharpness], tau: '> 2'}", "tau must be '> 0' or '< 0'"),
        ("{says: a, ratio_of: {optimizer: sam}, to: {optimizer: sgd}, metric: x}", "below or above, and one alone"),
        ("{says: 3, best_of: optimizer.rho}", "says must be a text"),
        ("just words", "must be a block such as"),
    ],
)
def test_mistakes_are_told_with_their_line(line: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read("{says: fine, best_of: optimizer.rho}", line)
    assert str(caught.value).startswith("x.yaml, line 7")


@pytest.mark.parametrize("value", ["{}", "[]", "often", "3"])
def test_it_is_a_list(value: str) -> None:
    with pytest.raises(ConfigError, match="hypotheses must be a list of 1 to 100 blocks"):
        hypotheses_of(parse(f"hypotheses: {value}", "x.yaml"))


def test_none_are_none_and_two_say_two_things() -> None:
    assert hypotheses_of(parse("hypotheses: null", "x.yaml")) == ()
    with pytest.raises(ConfigError, match="two hypotheses say 'a'; say what tells them apart"):
        read("{says: a, best_of: optimizer.rho}", "{says: a, best_of: optimizer.rho, inside: false}")


def test_flags_that_leave_runs_out_leave_hypotheses_valid() -> None:
    text = GRID + "hypotheses: [{says: a, better: {optimizer: sam}, than: {optimizer: sgd}}]"
    draft = Draft.of(parse(text, "x.yaml"), CATALOGUE)
    draft.choose("optimizer", ["sgd"])
    assert len(draft.expand()) == 12
    with pytest.raises(ConfigError, match="hypotheses is no setting of a run"):
        draft.set("hypotheses=[]")


def test_a_folder_of_images_is_kept_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever compares from elsewhere finds the runs all the same."""
    monkeypatch.chdir(tmp_path)
    equal = "[{dataset: 'image-folder:pics'}, {dataset.name: [digits, 'image-folder:pics']}]"
    text = f"hypotheses: [{{says: x, equal: {equal}, within: 1}}]"
    (one,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).hypotheses
    whole = f"image-folder:{tmp_path.resolve() / 'pics'}"
    assert one.document["equal"] == [{"dataset": whole}, {"dataset.name": ["digits", whole]}]
    assert [wanted.value for pattern in one.patterns for wanted in pattern] == [whole, ["digits", whole]]
