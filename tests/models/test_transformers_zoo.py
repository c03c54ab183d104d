"""What is said of the encoders of transformers without the package; tests/extras has the rest."""

import pytest

from samcli.errors import ConfigError
from samcli.models import MODELS, transformers_zoo


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_zoo, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs transformers; install it with: pip install 'samcli\[text\]'"):
        MODELS.create("transformers:bert")


def test_two_ways_to_begin_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_zoo, "find_spec", lambda name: name)
    with pytest.raises(ConfigError, match="two ways to begin; with init set weights: null"):
        MODELS.create("transformers:bert", init="run")
    assert MODELS.create("transformers:bert", init="run", weights=None).pretrained() is None
