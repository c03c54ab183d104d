from typing import Any

import pytest

from samcli.errors import ConfigError
from samcli.report.baseline import baseline_matcher


def config(name: str, **optimizer: Any) -> dict[str, Any]:
    return {
        "dataset": {"name": "digits", "label_noise": 0.4},
        "optimizer": {"name": name, **optimizer},
        "schedule": {"name": "cosine"},
        "precision": "fp32",
    }


CONFIGS = [config("sgd", lr=0.1), config("sam", lr=0.1, rho=0.05), config("sam", lr=0.1, rho=0.1, m=None)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sgd", [0]),
        ("sam", [1, 2]),
        ("sam rho=0.1", [2]),
        ("sam rho=1e-1 lr=.1", [2]),
        ("  sam   optimizer.rho=0.05 ", [1]),
        ("sam schedule=cosine precision=fp32 dataset.label_noise=0.4 dataset=digits", [1, 2]),
        ("sam m=null", [2]),
        ("sgd rho=0.1", []),
        ("asam", []),
    ],
)
def test_rows_that_a_baseline_names(text: str, found: list[int]) -> None:
    is_baseline = baseline_matcher(text, CONFIGS)
    assert [index for index, one in enumerate(CONFIGS) if is_baseline(one)] == found


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (" ", "--baseline is empty; name an optimizer such as sgd."),
        ("sam rho", "--baseline sam rho: write NAME or 'NAME KEY=VALUE ...', such as 'sam rho=0.1'."),
        ("sam =3", "write NAME or"),
        ("sam roh=0.1", "--baseline sam roh=0.1: no run has a setting 'roh'; did you mean rho?"),
    ],
)
def test_a_baseline_that_cannot_be(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        baseline_matcher(text, CONFIGS)
    assert sentence in str(caught.value)


def test_an_optimizer_with_an_average_is_not_the_baseline_where_it_is_there_without() -> None:
    """Also beside a run of before there were averages, which has no such key."""
    averaged, elsewhere = config("sgd", average="ema"), config("sgd", average="ema") | {"model": {"name": "mlp"}}
    for plain in (config("sgd"), config("sgd", average=None)):
        rows = [plain, averaged, config("sgd", average="swa"), config("sam", average=None), elsewhere]
        named = {
            "sgd": [True, False, False, False, True],
            "sgd average=ema": [False, True, False, False, True],
            "sgd average=null": [True, False, False, False, False],
        }
        for text, found in named.items():
            assert list(map(baseline_matcher(text, rows), rows)) == found
    assert baseline_matcher("sgd", [averaged])(averaged)
