"""A comparison to be written in each format."""

import pytest
from run_folders import Results

from samcli.report import Comparison, compare


@pytest.fixture
def comparison(noisy: Results) -> Comparison:
    return compare(noisy.runs())
