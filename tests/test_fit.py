"""Values that a user gives to constructors, whatever declares the option: one check, one sentence."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import samcli.optim
from samcli import sharpness
from samcli.errors import ConfigError, OptionError
from samcli.optim.variants import ASAM, SAM


def build(**options: Any) -> object:
    return samcli.optim.build("sam", torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1), **options)


def one_step(**options: Any) -> object:
    data = [(torch.ones(4, 2), torch.ones(4, 1))]
    return sharpness.measure(nn.Linear(2, 1), nn.functional.mse_loss, data, ["one-step-adaptive", "trace"], **options)


@pytest.mark.parametrize(
    ("use", "options", "words"),
    [
        (build, {"norm": "inf"}, "norm must be a number above 1, not 'inf'"),
        (build, {"rho": "0.1"}, "rho must be a number at least 0, not '0.1'"),
        (build, {"rho": True}, "rho must be a number at least 0, not true"),
        (build, {"rho": None}, "rho must be a number at least 0, not null"),
        (build, {"rho": -0.1}, "rho must be a number at least 0"),
        (build, {"rho": math.nan}, "rho must be a finite number"),
        (build, {"rho": math.inf}, "rho must be a finite number"),
        (build, {"rho": torch.tensor(0.1)}, "rho must be a number"),
        (build, {"m": 2.5}, "m must be a whole number or null at least 1"),
        (build, {"m": 0}, "m must be a whole number or null at least 1"),
        (build, {"ascent_fraction": 1.5}, "ascent_fraction must be a number above 0 and at most 1"),
        (build, {"ascent_precision": "fp16"}, "ascent_precision must be one of null, bf16"),
        (build, {"ascent_weight_decay": 1}, "ascent_weight_decay must be true or false"),
        (one_step, {"rho": "0.1"}, "rho must be a number"),
        (one_step, {"rho": [0.1, "0.2"]}, "rho must be a number"),
        (one_step, {"rho": []}, "rho must be a number"),
        (one_step, {"scale": "both"}, "scale must be one of all, weights, not 'both'.$"),
        (one_step, {"scale": "weigths"}, "not 'weigths'. Did you mean weights?"),
        (one_step, {"eta": [0.1]}, "eta must be a number"),
        (one_step, {"max_products": 10.5}, "max_products must be a whole number"),
        (SAM, {"rho": "0.1"}, "rho must be a number"),
        (ASAM, {"eta": "small"}, "eta must be a number"),
    ],
)
def test_what_does_not_fit_is_told_in_a_sentence(
    use: Callable[..., object], options: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words) as raised:
        use(**options)
    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, OptionError)


@pytest.mark.parametrize(
    "options",
    [
        {"rho": 1},
        {"rho": np.float32(0.5)},
        {"rho": np.int64(1)},
        {"norm": math.inf},
        {"m": None},
        {"m": np.int64(2)},
        {"rho": 0.0, "ascent_precision": "bf16"},
    ],
)
def test_what_fits_is_taken(options: dict[str, Any]) -> None:
    build(**options)


def test_an_option_that_there_is_not() -> None:
    with pytest.raises(TypeError, match="SAM has no option 'roh'; did you mean rho"):
        build(roh=0.1)
