"""Exit codes are part of the contract with scripts."""

import pytest

from samcli import errors


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError, 2),
        (errors.DataError, 2),
        (errors.CheckpointError, 2),
        (errors.ResultsError, 2),
        (errors.NothingToCompare, 3),
        (errors.Interrupted, 75),
    ],
)
def test_exit_codes(error: type[errors.SamcliError], code: int):
    assert error("a sentence").exit_code == code


def test_nearest_is_case_blind() -> None:
    assert errors.nearest("SGD", ["sgd", "adam"]) == "did you mean sgd?"
