"""What a configuration only names, and whether it is still the same."""

import hashlib
from pathlib import Path

import pytest

from samcli.config import Draft, RunConfig, parse
from samcli.registry import load_plugin
from samcli.train import CATALOGUE
from samcli.train.digests import Digests, data_of, plugins_of

RULE = """
from dataclasses import dataclass
from samcli.optim import VARIANTS
from samcli.optim.variants import SAM

@VARIANTS.register("mine")
@dataclass(frozen=True, kw_only=True)
class Mine(SAM):
    '''A rule.'''
"""


def config_of(text: str) -> RunConfig:
    (config,) = Draft.of(parse(text, "x.yaml"), CATALOGUE).expand()
    return config


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    file = tmp_path / "mine.py"
    file.write_text(RULE)
    return file


def test_only_the_files_that_a_run_uses_are_recorded(rule: Path) -> None:
    load_plugin(rule)
    digest = hashlib.sha256(rule.read_bytes()).hexdigest()
    assert plugins_of(config_of("{optimizer: mine}")) == {str(rule): digest}
    assert plugins_of(config_of("{optimizer: sam}")) == {}


def test_a_digest_is_that_of_what_was_run(rule: Path) -> None:
    """Edited meanwhile, a file is still the rule that it was when it was run."""
    load_plugin(rule)
    before = plugins_of(config_of("{optimizer: mine}"))
    rule.write_text("edited")
    load_plugin(rule)
    assert plugins_of(config_of("{optimizer: mine}")) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("train_examples: 2", "; the subset that is trained on has none of class_2"),
        ("train_examples: 3", ""),
        ("validation: 0.99", "; the subset that is trained on has none of"),
        ("label_noise: 0.9", ""),
    ],
)
def test_classes_that_nothing_is_trained_on_are_told(options: str, said: str, tmp_path: Path) -> None:
    summary = data_of(config_of(f"{{dataset: {{name: wine, {options}}}, optimizer: sgd}}"), tmp_path)["summary"]
    assert summary.startswith(f"wine: 178 examples, 3 classes, 13 columns{said}")
    assert said or summary.endswith("columns")


def test_what_has_changed(rule: Path, tmp_path: Path) -> None:
    load_plugin(rule)
    config, data = config_of("{dataset: wine, optimizer: mine}"), tmp_path / "data"
    status = {"plugins": plugins_of(config), "dataset": data_of(config, data)}
    today = Digests(data)
    assert today.change(config, status) is None
    assert today.change(config, {}) is None  # nothing is recorded
    assert today.change(config, status | {"plugins": {"elsewhere/mine.py": status["plugins"][str(rule)]}}) is None
    assert today.change(config, status | {"plugins": {str(rule): "0" * 64}}) == "another mine.py"
    assert today.change(config, status | {"plugins": {}}) == "another mine.py"
    assert today.change(config, status | {"dataset": {"digest": "0" * 64}}) == "other data of wine"
    absent = config_of("{dataset: mnist, optimizer: sgd}")
    assert today.change(absent, {"plugins": {}, "dataset": {"digest": "0" * 64}}) is None  # it cannot be known


def test_the_files_of_stages_are_recorded(rule: Path) -> None:
    load_plugin(rule)
    assert list(plugins_of(config_of("{stages: [{optimizer: mine}], optimizer: sgd}"))) == [str(rule)]


def test_a_network_is_judged_by_the_data_of_its_last_training_alone() -> None:
    config = config_of("{stages: [{dataset: digits}], dataset: wine, optimizer: sgd}")
    status = {"dataset": {**data_of(config, Path()), "stages": ["another"]}}
    assert Digests(Path()).change(config, status) == "other data of digits"
    assert Digests(Path()).change_of_network(config, status) is None
