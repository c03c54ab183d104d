"""Which cells of a grid are runs: `only:`, `exclude:` and `--only`."""

from collections.abc import Sequence

import pytest
import yaml

from samcli.config import Draft, RunConfig, keep_only, parse
from samcli.errors import ConfigError
from samcli.train import CATALOGUE

GRID = """
dataset: [digits, {name: digits, label_noise: 0.4, augment: [crop, flip]}]
model: [cnn, mlp]
epochs: 10
clip_norm: [null, 1]
optimizer:
  - {name: sgd, weight_decay: 5e-4}
  - {name: [sam, asam], rho: [0.05, 0.1]}
seeds: 0-3
"""


def expand(selection: str, only: Sequence[str] = (), grid: str = GRID) -> list[RunConfig]:
    draft = Draft.of(parse(grid + selection, "x.yaml"), CATALOGUE)
    keep_only(draft, only)
    return draft.expand()


def identities(runs: Sequence[RunConfig]) -> list[str]:
    return [run.identity for run in runs]


@pytest.fixture(scope="module")
def whole() -> list[RunConfig]:
    return expand("")


@pytest.mark.parametrize(
    ("key", "value", "plain"),
    [
        ("optimizer", "sam", "run.optimizer['name'] == 'sam'"),
        ("optimizer.name", "sam", "run.optimizer['name'] == 'sam'"),
        ("optimizer", "[sgd, asam]", "run.optimizer['name'] != 'sam'"),
        ("optimizer.rho", "0.10", "run.optimizer.get('rho') == 0.1"),
        ("optimizer.rho", "[5e-2, 1e-1]", "'rho' in run.optimizer"),
        ("optimizer.weight_decay", "0.0005", "run.optimizer['weight_decay'] == 5e-4"),
        ("dataset.label_noise", "0.4", "run.dataset['label_noise'] == 0.4"),
        ("dataset.label_noise", "0", "run.dataset['label_noise'] == 0.0"),
        ("dataset.augment", "[crop, flip]", "run.dataset['augment'] == ('crop', 'flip')"),
        ("dataset.augment", "[]", "run.dataset['augment'] == ()"),
        ("model", "cnn", "run.model['name'] == 'cnn'"),
        ("epochs", "10", "run.training.epochs == 10"),
        ("epochs", "10.0", "run.training.epochs == 10"),
        ("clip_norm", "null", "run.training.clip_norm is None"),
        ("clip_norm", "1", "run.training.clip_norm == 1.0"),
        ("seeds", "3", "run.seed == 3"),
        ("seeds", "0-1,3", "run.seed != 2"),
        ("schedule", "cosine", "True"),
        ("sharpness.every", "1", "True"),
        ("evaluate.every", "1", "True"),
    ],
)
def test_file_and_flag_keep_the_runs_that_have_it(whole: list[RunConfig], key: str, value: str, plain: str) -> None:
    wanted = [run for run in whole if eval(plain, {"run": run})]  # the plain twin
    others = [run for run in whole if not eval(plain, {"run": run})]
    assert identities(expand(f"only: {{{key}: {_quoted(value)}}}\n")) == identities(wanted)
    assert identities(expand("", [f"{key}={value}"])) == identities(wanted)
    if others:
        assert identities(expand(f"exclude: {{{key}: {_quoted(value)}}}\n")) == identities(others)


def _quoted(value: str) -> str:
    return f'"{value}"' if "," in value and "[" not in value else value


def test_a_mapping_holds_as_a_whole_and_a_list_where_one_of_it_does(whole: list[RunConfig]) -> None:
    both = expand("only: {optimizer: sam, seeds: [0, 1]}\n")
    assert {(run.optimizer["name"], run.seed) for run in both} == {("sam", 0), ("sam", 1)}
    either = expand("only:\n  - {optimizer: sgd}\n  - {optimizer: {name: sam, rho: 0.1}, seeds: 0}\n")
    assert {(r.optimizer["name"], r.optimizer.get("rho"), r.seed == 0) for r in either} == {
        ("sgd", None, True), ("sgd", None, False), ("sam", 0.1, True),
    }  # fmt: skip
    without = expand("exclude:\n  - {optimizer: sgd}\n  - {optimizer.rho: 0.1, seeds: 0-3}\n")
    assert {run.optimizer.get("rho") for run in without} == {0.05}
    assert len(without) == len(whole) * 2 // 5


def test_all_of_file_and_flags_must_hold() -> None:
    runs = expand("only: {optimizer: [sam, sgd]}\nexclude: {seeds: 0}\n", ["optimizer=sam,asam", "seeds=0-1"])
    assert {(run.optimizer["name"], run.seed) for run in runs} == {("sam", 1)}


def test_identity_and_document_know_nothing_of_it(whole: list[RunConfig]) -> None:
    runs = expand("only: {optimizer: sam}\nexclude: {seeds: 1}\n")
    assert {run.identity for run in runs} < {run.identity for run in whole}
    assert not {"only", "exclude"} & set(yaml.safe_load(yaml.safe_dump(runs[0].document())))


def test_commas_part_the_values_of_a_list_option() -> None:
    grid = "dataset: {name: digits, augment: [[], [crop], [flip], [crop, flip]]}\noptimizer: sgd\n"
    assert [r.dataset["augment"] for r in expand("", ["dataset.augment=crop,flip"], grid)] == [("crop",), ("flip",)]
    assert [r.dataset["augment"] for r in expand("", ["dataset.augment=[crop,flip]"], grid)] == [("crop", "flip")]


def test_a_cell_that_is_left_out_may_be_impossible() -> None:
    grid = "optimizer: sgd\nstop_at_train_loss: [null, 0.1]\nschedule: [cosine, constant]\n"
    with pytest.raises(ConfigError, match="does not go with schedule cosine"):
        expand("", grid=grid)
    runs = expand("exclude: {schedule: cosine, stop_at_train_loss: 0.1}\n", grid=grid)
    assert len(runs) == 3


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        ("only: {optimizer: samm}", "x.yaml, line 10: no run has optimizer samm; did you mean sam?"),
        ("exclude: {optimizer: samm}", "x.yaml, line 10: no run has optimizer samm; did you mean sam?"),
        ("only:\n  seeds: 0\n  modle: cnn", "x.yaml, line 12: no run has 'modle'; did you mean model?"),
        ("only: {rho: 0.1}", "x.yaml, line 10: no run has 'rho'; did you mean optimizer.rho or sharpness.rho?"),
        ("only: {name: x}", "x.yaml, line 10: no run has 'name'; known are: model, optimizer, dataset."),
        ("only: {optimizer.rho: 0.2}", "x.yaml, line 10: no run has optimizer.rho 0.2; the nearest is 0.1."),
        ("only: {optimizer.rho: small}", "x.yaml, line 10: no run has optimizer.rho small; known are: 0.05, 0.1."),
        ("only: {optimizer.nesterov: 0}", "x.yaml, line 10: no run has optimizer.nesterov 0; known are: false."),
        ("only: {optimizer.rho: 1" + "0" * 400 + "}", "x.yaml, line 10: no run has optimizer.rho 10000"),
        ("only: {optimizer.rho: inf}", "x.yaml, line 10: no run has optimizer.rho inf; the nearest is "),
        ("only: {seeds: 2-4}", "x.yaml, line 10: no run has seeds 4; the nearest is 3."),
        ("only: {seeds: many}", "x.yaml, line 10: seeds must be written as 3, 0-4 or 0,2,5, not 'many'."),
        (
            "only: sam",
            "x.yaml, line 10: only must be a block such as {optimizer: sam, seeds: 0-2}, or a list of these.",
        ),
        ("exclude: [{optimizer: sam}, 3]", "x.yaml, line 10: exclude must be a block such as "),
        ("only: []", "x.yaml, line 10: only is an empty list; name a key, or leave it out."),
        ("only: {}", "x.yaml, line 10: only must be a block such as "),
        ("only: {optimizer: []}", "x.yaml, line 10: optimizer is an empty list; give it a value."),
        ("only: {optimizer: {name: {name: sam}}}", "x.yaml, line 10: no run has optimizer.name "),
        ("only: {optimizer: sgd, optimizer.rho: 0.1}", "x.yaml, line 10: no run has all of this; "),
        ("only: {seeds: 0}\nexclude: {seeds: 0}", "x.yaml, line 11: exclude leaves none of 40 runs; "),
        ("exclude: {model: [cnn, mlp]}", "x.yaml, line 10: exclude leaves none of 160 runs; "),
        ("only: [{model: cnn}, {model: mpl}]", "x.yaml, line 10: no run has model mpl; did you mean mlp?"),
    ],
)
def test_mistakes_in_a_file(selection: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        expand(selection + "\n")
    assert str(caught.value).startswith(sentence)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("only", "sentence"),
    [
        (["optimizer"], "--only optimizer must be written KEY=VALUE, such as --only optimizer=sam."),
        (["optimizer="], "--only optimizer= must be written KEY=VALUE"),
        (["=sam"], "--only =sam must be written KEY=VALUE"),
        (["optimizer=sam,"], "An empty name in 'sam,'; write names with commas between them."),
        (["optimizer=samm"], "--only optimizer=samm: no run has optimizer samm; did you mean sam?"),
        (["seeds=0", "seeds=7"], "--only seeds=7: no run has seeds 7; the nearest is 3."),
        (["seeds=x"], "--only seeds=x: seeds must be written as"),
        (["optimiser=sam"], "--only optimiser=sam: no run has 'optimiser'; did you mean optimizer?"),
        (["optimizer=sgd", "optimizer=sam"], "--only optimizer=sgd --only optimizer=sam: no run has all of this; "),
        (["epochs=[5"], "Cannot read the value '[5'"),
    ],
)
def test_mistakes_in_flags(only: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        expand("", only)
    assert str(caught.value).startswith(sentence)


def test_flags_may_keep_none_of_what_the_file_keeps() -> None:
    with pytest.raises(ConfigError, match=r"^--only optimizer=sam keeps none of 32 runs; "):
        expand("only: {optimizer: sgd}\n", ["optimizer=sam"])


def test_a_file_may_leave_out_what_flags_have_replaced() -> None:
    """What it says was right for the grid that it describes."""
    draft = Draft.of(parse(GRID + "exclude: {optimizer: sam, seeds: 3}\nonly: {seeds: [0, 3]}\n", "x.yaml"), CATALOGUE)
    draft.choose("optimizer", ["sgd"])
    draft.assign("seeds", "0")
    assert {(run.optimizer["name"], run.seed) for run in draft.expand()} == {("sgd", 0)}
    wrong = Draft.of(parse(GRID + "exclude: {optimizer: samm}\n", "x.yaml"), CATALOGUE)
    wrong.assign("seeds", "0")
    with pytest.raises(ConfigError, match="did you mean sam"):
        wrong.expand()


def test_neither_is_set_like_an_option() -> None:
    draft = Draft.of(parse(GRID, "x.yaml"), CATALOGUE)
    for assignment in ("only=sam", "exclude.optimizer=sam"):
        with pytest.raises(ConfigError, match=r"is no setting of a run; use --only KEY=VALUE, or write it in a file\."):
            draft.set(assignment)
