"""Checks of values, and the identity of a run."""

import dataclasses
import math

import pytest
import yaml

from samcli.config import Draft
from samcli.config.schema import RunConfig, Sharpness, Training, check
from samcli.config.source import Source, parse
from samcli.errors import ConfigError
from samcli.registry import Option
from samcli.train import CATALOGUE


def option(kind: object, default: object = None, **bounds: object) -> dict[str, Option]:
    return {"x": Option("", name="x", type=kind, default=default, **bounds)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "given", "value"),
    [
        (option(float), 1, 1.0),
        (option(float, infinite=True), math.inf, math.inf),
        (option(float | None, 2.0, above=1.0, infinite=True), math.inf, math.inf),
        (option(float | None, 2.0), None, None),
        (option(tuple[str, ...], choices=("a", "b")), ["a"], ("a",)),
        (option(tuple[float, float]), [1, 0.5], (1.0, 0.5)),
    ],
)
def test_values_that_fit(options: dict[str, Option], given: object, value: object):
    got = check(options, {"x": given}, "thing", Source({}), ())["x"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("options", "given", "sentence"),
    [
        (option(float), "abc", "x must be a number, not 'abc'."),
        (option(float), "0.1", "x must be a number, not '0.1'."),
        (option(float), True, "x must be a number, not true."),
        (option(float, minimum=0.0), -0.5, "x must be a number at least 0, not -0.5."),
        (option(float, minimum=0.0, below=1.0), 1.0, "x must be a number at least 0 and below 1, not 1.0."),
        (option(float, minimum=0.0), math.nan, "x must be a finite number at least 0, not nan."),
        (option(float, above=0.0), math.inf, "x must be a finite number above 0, not inf."),
        (option(float | None), -math.inf, "x must be a finite number or null, not -inf."),
        (option(float, above=1.0, infinite=True), math.nan, "x must be a number above 1, not nan."),
        (
            option(tuple[float, float]),
            [0.5, math.inf],
            "x must be a list of 2 entries, each a finite number, not [0.5, inf].",
        ),
        (option(int, minimum=1), 2.5, "x must be a whole number at least 1, not 2.5."),
        (option(int | None), "many", "x must be a whole number or null, not 'many'."),
        (option(bool), 1, "x must be true or false, not 1."),
        (option(str), None, "x must be a text, not null."),
        (option(str, choices=("a", "b")), "c", "x must be one of a, b, not 'c'."),
        (option(tuple[str, ...], choices=("a", "b")), ["c"], "x must be a list with entries out of a, b, not ['c']."),
        (option(tuple[float, float], below=1.0), [0.5], "x must be a list of 2 entries, each a number below 1, not"),
    ],
)
def test_values_that_do_not_fit(options: dict[str, Option], given: object, sentence: str):
    with pytest.raises(ConfigError) as caught:
        check(options, {"x": given}, "thing", parse("x: 1\n", "f.yaml"), ())
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("f.yaml, line 1: ")


def test_unknown_option_names_the_nearest():
    with pytest.raises(ConfigError, match=r"f.yaml, line 1: thing has no option 'momentun'; did you mean momentum\?"):
        check(
            {"momentum": Option("", name="momentum", type=float, default=0.0)},
            {"momentun": 1},
            "thing",
            parse("momentun: 1\n", "f.yaml"),
            (),
        )


def config(**changes: object) -> RunConfig:
    run = RunConfig(
        name="first",
        dataset={"name": "digits", "label_noise": 0.4},
        model={"name": "cnn"},
        optimizer={"name": "sam", "rho": 0.05, "norm": math.inf},
        schedule={"name": "cosine"},
        training=Training(),
        sharpness=Sharpness(),
        seed=3,
    )
    return dataclasses.replace(run, **changes)  # type: ignore[arg-type]


def test_identity_ignores_order_and_name():
    assert config().identity == config(name="second").identity
    assert config().identity == config(dataset={"label_noise": 0.4, "name": "digits"}).identity
    assert config().identity != config(seed=4).identity
    assert config().identity != config(optimizer={"name": "sam", "rho": 0.06, "norm": math.inf}).identity
    assert config().identity != config(training=Training(epochs=21)).identity


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        (
            "dataset: {name: digits, label_noise: 0.4}\nmodel: cnn\nepochs: 3\nseeds: 2\n"
            "optimizer: {name: sgd, lr: 0.1, weight_decay: 5e-4}\n",
            "02caca612e88f25ada5bdef8e67114961bb46225fbd805af9450103445977f03",
        ),
        (
            "dataset: {name: fashion-mnist, train_examples: 10000, augment: [crop, flip]}\nmodel: resnet20\n"
            "schedule: {name: multi-step, gamma: 0.1}\nprecision: bf16\n"
            "optimizer: {name: sam, base: adamw, rho: 0.1, norm: .inf, m: 16, rho_schedule: lr, "
            "ascent_fraction: 0.5}\n",
            "a4411009f94e06e4fb6e35dbfc8afee41e2feb3dc5c8f6e129adc1bdc3cccb10",
        ),
        (
            "dataset: diabetes\nmodel: linear\nstop_at_train_loss: 0.5\nschedule: constant\n"
            "sharpness: {measures: [one-step, lambda-max]}\noptimizer: adam\n",
            "fc495eda995bfda006aa52047eb755ad5bfe19c1adbc64339ec6527c178202d7",
        ),
    ],
)
def test_identities_are_those_of_the_first_version(text: str, identity: str) -> None:
    """So that runs which were finished long ago stay finished; each is computed once."""
    (run,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    assert run.identity == identity
    assert run.slug.endswith(f"-{identity[:8]}")
    assert run.identity is run.identity


def test_identity_knows_what_is_recorded_and_where_to_stop():
    changed = [
        config(),
        config(training=Training(stop_at_train_loss=0.1)),
        config(training=Training(stop_at_train_loss=0.2)),
        config(sharpness=Sharpness(measures=("one-step", "grad-norm", "lambda-max"))),
    ]
    assert len({run.identity for run in changed}) == 4


def test_identity_is_pinned():
    """A change of this value makes every user's finished runs run again: it must be meant."""
    assert config().identity[:16] == "f3a079b0d8651d6d"


def test_slug_is_a_folder_name():
    slug = config(dataset={"name": "image-folder:../my pictures/x"}).slug
    assert "/" not in slug
    assert " " not in slug
    assert slug.endswith(config(dataset={"name": "image-folder:../my pictures/x"}).identity[:8])


def test_document_survives_yaml():
    document = config().document()
    assert yaml.safe_load(yaml.safe_dump(document)) == document
