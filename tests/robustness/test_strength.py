"""ε as people write it."""

import pytest

from samcli.errors import ConfigError
from samcli.robustness.strength import strength, strength_text


@pytest.mark.parametrize("text", ["1/255", "8/255", "0.5", "0", "0.03", "255/255", "1.5/255"])
def test_text_and_number_agree(text: str) -> None:
    assert strength(strength_text(strength(text))) == pytest.approx(strength(text), abs=1e-12)


@pytest.mark.parametrize("text", ["", "a", "-1/255", "1/0", "nan", "inf", "8/", "1/2/3", "1/-2"])
def test_what_is_no_radius_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"ε must be a number of at least 0 or a fraction such as 8/255, not"):
        strength(text)


@pytest.mark.parametrize("text", ["1e30", "1e300", "1e-45", "1e-300", "1/1e200", 1e7, 1e-10])
def test_what_single_precision_cannot_compute_with_is_refused(text: str | float) -> None:
    with pytest.raises(ConfigError, match=r"ε must be 0, or from 1e-09 to 1e\+06, and is "):
        strength(text)
