"""Where Optuna is missing, one sentence says how to get it."""

import pytest

from samcli.errors import ConfigError
from samcli.tune import suggest


def test_without_optuna(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suggest, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"^samcli tune needs Optuna; install it with: pip install 'samcli\[tune\]'$"):
        suggest.require()
