"""A numeric option of a grid as an axis."""

import pytest

from samcli.errors import ConfigError
from samcli.report.option_axis import number_of


@pytest.mark.parametrize("value", ["cosine", True, [1, 2], float("inf")])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(ConfigError, match=r"--axis k: .* is no number; name an option with numbers"):
        number_of({"optimizer": {"name": "sam", "k": value}}, "optimizer.k", "--axis k")


def test_none_without_the_option() -> None:
    config = {"optimizer": {"name": "sam", "m": None}, "epochs": 3}
    assert number_of(config, "optimizer.m", "") is None
    assert number_of(config, "optimizer.rho", "") is None
    assert number_of(config, "epochs", "") == 3.0
