"""Seeds as people write them, and as they should not."""

from typing import Any

import pytest

from samcli.config import Source
from samcli.config.seeds import parse_seeds
from samcli.errors import ConfigError


def test_forms() -> None:
    assert parse_seeds(3, Source({})) == [3]
    assert parse_seeds("0,2,5-7", Source({})) == [0, 2, 5, 6, 7]
    assert parse_seeds([0, "2-3", 3], Source({})) == [0, 2, 3]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("3-1", "must be written as"),
        ("a", "must be written as"),
        (True, "must be written as"),
        ([], "seeds is empty"),
        ("0-99999", "more than 10,000 seeds"),
    ],
)
def test_mistakes(value: Any, sentence: str):
    with pytest.raises(ConfigError, match=sentence):
        parse_seeds(value, Source({}))
