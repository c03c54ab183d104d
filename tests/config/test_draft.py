"""Grids, flags and --set."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from samcli.config import Draft, RunConfig, Source, parse
from samcli.errors import ConfigError
from samcli.train import CATALOGUE


def draft(text: str) -> Draft:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE)


def expand(text: str) -> list[RunConfig]:
    return draft(text).expand()


def test_defaults() -> None:
    runs = Draft.of(Source({}), CATALOGUE).expand()
    assert [run.optimizer["name"] for run in runs] == ["sgd", "sam"]
    assert {run.dataset["name"] for run in runs} == {"digits"}
    assert {run.name for run in runs} == {"digits"}


def test_grid_is_the_product() -> None:
    runs = expand(
        """
        name: grid
        dataset: {name: digits, label_noise: [0.0, 0.4], augment: [crop, flip]}
        model: [cnn, mlp]
        epochs: [1, 2]
        optimizer:
          - {name: sgd, lr: 0.1}
          - {name: [sam, asam], base: [sgd, adamw], lr: 0.1, rho: [0.05, 0.1, 0.2]}
        seeds: 0-1
        """
    )
    assert len(runs) == 2 * 2 * 2 * (1 + 2 * 2 * 3) * 2
    assert len({run.identity for run in runs}) == len(runs)
    assert all(run.dataset["augment"] == ("crop", "flip") for run in runs)
    # the first comparison is complete as early as possible: all optimizers of a seed before the next seed
    assert {run.seed for run in runs[:26]} == {0}


def test_list_options_vary_as_lists_of_lists() -> None:
    runs = expand("dataset: {name: digits, augment: [[], [crop, flip]]}\noptimizer: sgd\n")
    assert [run.dataset["augment"] for run in runs] == [(), ("crop", "flip")]


def test_repeated_cells_run_once() -> None:
    assert len(expand("optimizer: [sgd, {name: sgd, lr: 0.1}]\nseeds: [0, 0-1]\n")) == 2


def test_order_of_keys_and_other_cells_do_not_matter() -> None:
    alone = expand("optimizer: {name: sam, rho: 0.1}\nepochs: 3\nseeds: 1\n")
    among = expand("seeds: 0-2\nepochs: [3, 4]\noptimizer: [sgd, {rho: [0.1, 0.2], name: sam}]\n")
    assert alone[0].identity in {run.identity for run in among}


def test_variant_takes_the_options_of_its_base() -> None:
    (run,) = expand("optimizer: {name: asam, base: adamw, betas: [0.8, 0.9], rho: 1}\n")
    assert run.optimizer == {
        "name": "asam",
        "base": "adamw",
        "lr": 1e-3,
        "betas": (0.8, 0.9),
        "eps": 1e-8,
        "weight_decay": 0.01,
        "rho": 1.0,
        "eta": 0.01,
        "norm": 2.0,
        "m": None,
        "rho_schedule": "constant",
        "rho_warmup_epochs": 0.0,
        "start_epoch": 0.0,
        "end_epoch": None,
        "ascent_fraction": 1.0,
        "ascent_precision": None,
        "ascent_weight_decay": False,
        "average": None,
        "average_decay": None,
        "average_from": None,
        "average_every": None,
    }


def test_an_average_is_an_option_of_every_optimizer() -> None:
    runs = expand("optimizer: {name: [sgd, sam], average: [null, ema, swa]}\n")
    assert [run.optimizer["average"] for run in runs] == [None, "ema", "swa"] * 2
    plain = expand("optimizer: [sgd, sam]\n")
    assert {run.identity for run in plain} < {run.identity for run in runs}
    assert len({run.identity for run in runs}) == 6


def test_document_of_a_run_expands_to_that_run() -> None:
    for run in expand("optimizer: [sgd, {name: sam, base: adam, norm: inf}]\ndataset: {name: digits, augment: [crop]}"):
        (again,) = Draft.of(parse(yaml.safe_dump(run.document()), "config.yaml"), CATALOGUE).expand()
        assert again == run


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("optimzer: sgd", "x.yaml, line 1: unknown key 'optimzer'; did you mean optimizer?"),
        ("optimizer: smg", "x.yaml, line 1: There is no optimizer named 'smg'; did you mean"),
        ("epochs: 1\ndataset: digit", "x.yaml, line 2: There is no dataset named 'digit'; did you mean digits?"),
        ("model: resnet19", "x.yaml, line 1: There is no model named 'resnet19'; did you mean resnet18?"),
        ("optimizer:\n  - sgd\n  - name: sam\n    rh: 1", "x.yaml, line 4: sam has no option 'rh'; did you mean rho?"),
        ("optimizer: {name: sgd, lr: abc}", "x.yaml, line 1: lr must be a number at least 0, not 'abc'."),
        ("optimizer: {name: sam, rho: [0.1, -0.1]}", "x.yaml, line 1: rho must be a number at least 0, not -0.1."),
        ("optimizer: {name: sam, base: sam}", "The base of sam must be one of sgd, adam, adamw, not 'sam'."),
        ("optimizer: {name: sgd, rho: 0.1}", "x.yaml, line 1: sgd has no option 'rho'"),
        ("optimizer: {lr: 0.1}", "x.yaml, line 1: this optimizer has no name"),
        ("optimizer: 3", "x.yaml, line 1: optimizer must be a name"),
        ("optimizer: {name: sgd, nesterov: true, momentum: 0}", "line 1: nesterov: true needs a momentum above 0"),
        ("epochs: 0", "x.yaml, line 1: epochs must be a whole number at least 1, not 0."),
        ("epochs: many", "x.yaml, line 1: epochs must be a whole number at least 1, not 'many'."),
        ("sharpness: 3", "x.yaml, line 1: sharpness must be a block"),
        ("evaluate: 3", "x.yaml, line 1: evaluate must be a block such as {every: 5}."),
        ("evaluate: {every: 0}", "x.yaml, line 1: every must be a whole number at least 1, not 0."),
        ("evaluate: {ever: 3}", "x.yaml, line 1: evaluate has no option 'ever'; did you mean every?"),
        ("sharpness: {rh: 3}", "x.yaml, line 1: sharpness has no option 'rh'; did you mean rho?"),
        ("name: ../up", "x.yaml, line 1: the name '../up' is to be a folder's"),
        ("seeds: 4-1", "x.yaml, line 1: seeds must be written as 3, 0-4 or 0,2,5, not '4-1'."),
        ("seeds: -1", "x.yaml, line 1: seeds must be written as"),
        ("seeds: true", "x.yaml, line 1: seeds must be written as"),
        ("schedule: {name: multi-step, milestones: early}", "x.yaml, line 1: milestones must be a list of entries"),
    ],
)
def test_what_does_not_fit(text: str, sentence: str):
    with pytest.raises(ConfigError) as caught:
        expand(text)
    assert sentence in str(caught.value)


def test_choosing_keeps_the_settings_of_the_file() -> None:
    d = draft("optimizer: [{name: sgd, lr: 0.5}, {name: sam, rho: 0.3}, {name: sam, rho: 0.4}]")
    d.choose("optimizer", ["sam", "asam"])
    chosen = [(run.optimizer["name"], run.optimizer["rho"]) for run in d.expand()]
    assert chosen == [("sam", 0.3), ("sam", 0.4), ("asam", 0.5)]


@pytest.mark.parametrize(
    ("text", "assignment", "read", "values"),
    [
        ("optimizer: [sgd, sam]", "optimizer.rho=0.3", lambda r: r.optimizer.get("rho"), [None, 0.3]),
        ("optimizer: [sgd, sam]", "optimizer.lr=1e-2", lambda r: r.optimizer["lr"], [0.01, 0.01]),
        ("optimizer: sam", "optimizer.rho=[0.1, 0.2]", lambda r: r.optimizer["rho"], [0.1, 0.2]),
        ("optimizer: sam", "optimizer.base=adamw", lambda r: r.optimizer["base"], ["adamw"]),
        ("optimizer: sgd", "dataset.label_noise=0.2", lambda r: r.dataset["label_noise"], [0.2]),
        ("optimizer: sgd", "model.dropout=0.5", lambda r: r.model["dropout"], [0.5]),
        ("optimizer: sgd", "schedule=constant", lambda r: r.schedule["name"], ["constant"]),
        ("optimizer: sgd", "schedule.warmup_epochs=2", lambda r: r.schedule["warmup_epochs"], [2.0]),
        ("optimizer: sgd", "epochs=7", lambda r: r.training.epochs, [7]),
        ("optimizer: sgd", "sharpness.rho=0.7", lambda r: r.sharpness.rho, [0.7]),
        ("optimizer: sgd", "evaluate.every=[1,5]", lambda r: r.evaluate.every, [1, 5]),
        ("optimizer: sgd", "seeds=4-5", lambda r: r.seed, [4, 5]),
        ("optimizer: sgd", "name=other", lambda r: r.name, ["other"]),
    ],
)
def test_set(text: str, assignment: str, read: Callable[[RunConfig], object], values: list[object]):
    d = draft(text)
    d.set(assignment)
    assert [read(run) for run in d.expand()] == values


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("optimizer.rho", "--set optimizer.rho must be written key=value"),
        ("optimizer.rhoo=1", "no optimizer here has an option 'rhoo'; did you mean rho?"),
        ("epoch=3", "--set epoch: unknown key 'epoch'; did you mean epochs?"),
        ("lr=0.1", "--set lr: unknown key 'lr'; did you mean optimizer.lr?"),
        ("rho=0.1", "--set rho: unknown key 'rho'; did you mean optimizer.rho or sharpness.rho?"),
        ("dropout=0.1", "--set dropout: unknown key 'dropout'; did you mean model.dropout?"),
        ("label_noise=1", "--set label_noise: unknown key 'label_noise'; did you mean dataset.label_noise?"),
        ("sharpness.every=-1", "the command line: every must be a whole number at least 0, not -1."),
        ("sharpness.measures=[one]", "the command line: There is no measure named 'one'"),
        ("every=3", "--set every: unknown key 'every'; did you mean sharpness.every or evaluate.every?"),
        ("evaluate.every=0", "the command line: every must be a whole number at least 1, not 0."),
        ("sharpness.rh=3", "--set sharpness.rh: unknown key 'rh'; did you mean rho?"),
        ("epochs=[1", "Cannot read the value '[1'"),
    ],
)
def test_set_that_does_not_fit(assignment: str, sentence: str):
    with pytest.raises(ConfigError) as caught:
        d = draft("optimizer: [sgd, sam]\nsharpness: {every: 1, measures: [one-step]}")
        d.set(assignment)
        d.expand()
    assert sentence in str(caught.value)


def test_recorded_measures_are_a_list_by_themselves() -> None:
    (run,) = expand("optimizer: sgd\nsharpness: {measures: [lambda-max, trace]}\n")
    assert run.sharpness.measures == ("lambda-max", "trace")
    runs = expand("optimizer: sgd\nsharpness: {measures: [[one-step], [lambda-max]], rho: [0.05, 0.1]}\n")
    assert [run.sharpness.measures for run in runs] == [("one-step",)] * 2 + [("lambda-max",)] * 2
    from_flag = draft("optimizer: sgd\n")
    from_flag.set("sharpness.measures=[lambda-max]")
    assert from_flag.expand()[0].sharpness.measures == ("lambda-max",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "optimizer: sgd\nsharpness: {measures: [one-step, lamda-max]}\n",
            "x.yaml, line 2: There is no measure named 'lamda-max'; did you mean lambda-max?",
        ),
        (
            "sharpness: {measures: 3}\n",
            "x.yaml, line 1: measures must be a list of entries, each a text, not 3.",
        ),
        ("stop_at_train_loss: 0\nschedule: constant\n", "stop_at_train_loss must be a number or null above 0, not 0."),
        (
            "optimizer: sgd\nstop_at_train_loss: 0.1\n",
            "x.yaml, line 2: stop_at_train_loss does not go with schedule cosine, which falls until the last of all "
            "epochs; set schedule to constant.",
        ),
        (
            "stop_at_train_loss: 0.1\nschedule: constant\noptimizer: {name: sgd, average: swa}\n",
            "x.yaml, line 1: stop_at_train_loss does not go with an average that begins after a share of all epochs; "
            "set optimizer.average_from to 0.",
        ),
        (
            "optimizer:\n  - sam\n  - {name: sgd, average_decay: 0.9}\n",
            "x.yaml, line 3: average_decay has no effect without an average; set average: ema, or leave it out.",
        ),
        (
            "stop_at_train_loss: 0.1\nschedule: constant\noptimizer: [sgd, {name: sam, rho_schedule: linear}]\n",
            "optimizer.rho_schedule linear",
        ),
    ],
)
def test_mistakes_in_what_is_recorded_and_where_to_stop(text: str, sentence: str):
    with pytest.raises(ConfigError) as caught:
        expand(text)
    assert sentence in str(caught.value)


def test_a_stop_goes_with_schedules_that_do_not_look_ahead() -> None:
    runs = expand("stop_at_train_loss: [0.1, null]\nschedule: [constant, multi-step]\noptimizer: [sgd, sam]\n")
    assert {run.training.stop_at_train_loss for run in runs} == {0.1, None}
    assert len(runs) == 8


def test_one_value_is_a_list_of_one_wherever_a_list_is_wanted() -> None:
    one = expand("dataset: {name: digits, augment: flip}\nsharpness: {measures: trace}\noptimizer: sgd\n")
    same = expand("dataset: {name: digits, augment: [flip]}\nsharpness: {measures: [trace]}\noptimizer: sgd\n")
    assert [run.identity for run in one] == [run.identity for run in same]
    flagged = draft("optimizer: sgd\nschedule: multi-step\n")
    flagged.set("dataset.augment=flip")
    flagged.set("schedule.milestones=3")
    (run,) = flagged.expand()
    assert (run.dataset["augment"], run.schedule["milestones"]) == (("flip",), (3,))
    varied = expand("dataset: {name: digits, augment: [[], flip]}\noptimizer: sgd\n")
    assert [run.dataset["augment"] for run in varied] == [(), ("flip",)]


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        ("dataset.augment=crop,flip", "several are written [crop,flip]."),
        ("optimizer.rho=0.05,0.1", "must be a number at least 0, not '0.05,0.1'; several are written [0.05,0.1]."),
        ("sharpnes.every=1", "did you mean sharpness?"),
    ],
)
def test_what_is_meant_by_a_flag(assignment: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        flagged = draft("optimizer: sam")
        flagged.set(assignment)
        flagged.expand()
    assert sentence in str(caught.value)


def test_keys_of_ones_own_hold_what_aliases_stand_for() -> None:
    text = "x-common: &common {lr: 0.05, momentum: 0.8}\noptimizer: [{name: sgd, <<: *common}]\n"
    (run,) = expand(text)
    assert (run.optimizer["lr"], run.optimizer["momentum"]) == (0.05, 0.8)
    assert run.identity == expand("optimizer: {name: sgd, lr: 0.05, momentum: 0.8}")[0].identity
    with pytest.raises(ConfigError, match=r"unknown key 'common'; .* a key such as x-common\."):
        draft(text.removeprefix("x-"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("model: resnet50", "There is no model named 'resnet50'; did you mean torchvision:resnet50?"),
        ("model: resnett20", "did you mean resnet20?"),
        ("dataset: tests", "There is no dataset named 'tests'; did you mean image-folder:tests?"),
    ],
)
def test_a_name_without_its_prefix(text: str, sentence: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    with pytest.raises(ConfigError) as caught:
        expand(text)
    assert sentence in str(caught.value)


def test_a_block_without_a_name_is_set_as_a_whole_too() -> None:
    drafts = [Draft.of(parse("{dataset: wine, optimizer: sgd}", "x.yaml"), CATALOGUE) for _ in "ab"]
    drafts[0].set("evaluate={every: 5}")
    drafts[1].set("evaluate.every=5")
    first, second = (draft.expand()[0].document() for draft in drafts)
    assert first == second
    assert first["evaluate"] == {"every": 5, "metrics": []}
    with pytest.raises(ConfigError, match="unknown key 'evry'; did you mean every"):
        drafts[0].set("evaluate={evry: 5}")
    with pytest.raises(ConfigError, match=r"name the option, for example evaluate\.every=VALUE"):
        drafts[0].set("evaluate=5")


def test_mixup_and_cutmix_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match=r"line 2: mixup and cutmix both mix the examples of a batch; set mixup: 0"):
        expand("dataset: {name: digits, augment: [cutmix]}\nmixup: 0.2\noptimizer: sgd\n")
    assert len(expand("dataset: {name: digits, augment: [cutmix]}\nmixup: 0\noptimizer: sgd\n")) == 1


def test_how_images_are_read_is_no_axis_and_no_part_of_a_run() -> None:
    runs = expand("dataset: {name: 'image-folder:x', stream: [false, true], size: 8}\noptimizer: sgd\n")
    assert len(runs) == 1
    (one,), (other,) = (
        expand(f"dataset: {{name: 'image-folder:x', stream: {stream}}}\noptimizer: sgd\n")
        for stream in ("false", "true")
    )
    assert one.identity == other.identity
    assert other.dataset["stream"]
