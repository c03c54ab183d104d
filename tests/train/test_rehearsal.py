"""A rehearsal finds what would stop a later run before the first begins."""

from pathlib import Path

import pytest
from small_run import MakeConfig, Places

from samcli.config import Draft, RunConfig, parse
from samcli.errors import ConfigError, DataError, NotApplicable
from samcli.train import CATALOGUE
from samcli.train.rehearsal import rehearse


def runs(text: str) -> list[RunConfig]:
    return Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        ("dataset: mnist", DataError, "MNIST is missing"),
        ("dataset: wine\nmodel: cnn", ConfigError, "models that fit: "),
        ("dataset: {name: digits, train_examples: 100000}", ConfigError, "train_examples"),
        ("model: torchvision:inception_v3", ConfigError, "inception_v3"),
    ],
)
def test_what_would_stop_a_later_run_is_found(
    text: str, error: type[Exception], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network(*args: object, **kwargs: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    with pytest.raises(error, match=sentence):
        rehearse(runs("optimizer: sgd\n" + text), tmp_path / "data")


@pytest.mark.parametrize(
    ("optimizer", "sentence"),
    [
        ("optimizer: sam-on", "no normalisation layer to train"),
        ("optimizer: {name: bsam, momentum: 0.9}", "momentum: 0 and weight_decay: 0"),
        ("optimizer: {name: msam, momentum: 0}", "give SGD a momentum above 0"),
        ("optimizer: {name: sampa, m: 8}", "leave m out"),
        ("optimizer: {name: sampa, processes: 2}\nprecision: fp16", "does not take precision: fp16"),
    ],
)
def test_rehearsal_finds_settings_that_the_rule_does_not_take(optimizer: str, sentence: str, tmp_path: Path) -> None:
    """It finds them in any run, not only in the first."""
    refused = runs("dataset: digits\nmodel: cnn\n" + optimizer)
    sound = runs("dataset: digits\nmodel: cnn\noptimizer: [sgd, bsam, msam, sampa]")
    rehearse(sound, tmp_path)
    with pytest.raises(ConfigError, match=sentence):
        rehearse([*sound, *refused], tmp_path)


def test_rehearsal_finds_measures_that_do_not_apply(tmp_path: Path) -> None:
    """It finds them in any run; sound measures are tried and pass, whatever state they need."""
    digits = "dataset: digits\nmodel: mlp\n"
    sound = runs(digits + "optimizer: [{name: sam, base: adam}, adamw]\nsharpness: {measures: [lambda-max-adam]}")
    sound += runs(digits + "optimizer: sgd\nsharpness: {measures: [pac-bayes-sigma]}")
    rehearse(sound, tmp_path)
    for text, sentence in (
        (digits + "optimizer: [adam, sgd]\nsharpness: {measures: [lambda-max-adam]}", "needs the state of Adam"),
        ("dataset: diabetes\noptimizer: sgd\nsharpness: {measures: [pac-bayes-sigma]}", "count right answers"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            rehearse([*sound, *runs(text)], tmp_path)
        rehearse(runs(text.replace("{measures", "{every: 0, measures")), tmp_path)


def test_settings_that_reach_nothing_are_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    text = "dataset: digits\nmodel: [linear, mlp]\noptimizer: sgd\nlayer_decay: [1.0, 0.5, 0.7]\nseeds: 0-1"
    rehearse(runs(text), tmp_path, on_notice=told.append)
    assert told == ["linear: layer_decay changes nothing, as the head alone is trained."]


def test_an_edge_that_is_not_known_is_refused_before_the_first_run(config_of: MakeConfig, places: Places) -> None:
    """Also where that of another optimizer, over the same base, was tried before."""
    text = "{dataset: {name: digits, train_examples: 60}, model: linear, epochs: 1}"
    measures = "sharpness.measures=[edge-ratio]"
    sgd, asam = (config_of(f"optimizer={name}", measures, text=text) for name in ("sgd", "asam"))
    rehearse([sgd], places["data_dir"])
    with pytest.raises(NotApplicable, match="edge-ratio knows the edge of SGD"):
        rehearse([sgd, asam], places["data_dir"])
