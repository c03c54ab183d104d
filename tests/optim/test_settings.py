"""What the settings of an optimizer say of its cost."""

import pytest

from samcli.errors import ConfigError
from samcli.optim import OptimizerSettings
from samcli.train import CATALOGUE


def settings(name: str, **options: object) -> OptimizerSettings:
    defaults = {key: option.default for key, option in CATALOGUE.options("optimizer", name).items()}
    return OptimizerSettings.of({"name": name, **defaults, **options})


@pytest.mark.parametrize(
    ("name", "options", "passes"),
    [
        ("sgd", {}, 1.0),
        ("sam", {}, 2.0),
        ("sam", {"rho": 0.0, "ascent_steps": 7}, 1.0),
        ("sam", {"start_epoch": 5.0}, 1.75),
        ("sam", {"start_epoch": 5.0, "end_epoch": 10.0}, 1.25),
        ("sam", {"start_epoch": 30.0}, 1.0),
        ("sam", {"end_epoch": 90.0}, 2.0),
        ("esam", {"gamma": 0.3}, 1.0 + 39 / 128),
        ("esam", {"gamma": 0.3, "m": 10}, 1.3),
        ("async-sam", {"ascent_fraction": 1.0}, 1.0),
    ],
)
def test_passes_on_average_over_a_training_of_20_epochs(name: str, options: dict[str, object], passes: float) -> None:
    assert settings(name, **options).passes_per_step(128, 20) == pytest.approx(passes, rel=1e-12)


def test_what_is_known_after_training_only_is_said() -> None:
    with pytest.raises(ConfigError, match="decides by what it sees"):
        settings("ae-sam").passes_per_step(128, 20)
    with pytest.raises(ConfigError, match="ascent_fraction"):
        settings("sam", ascent_fraction=0.5).passes_per_step(128, 20)
