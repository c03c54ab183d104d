import sys

import pytest

from samcli.errors import ConfigError
from samcli.models import MODELS


def test_without_the_package_it_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ConfigError) as caught:
        MODELS.create("timm:resnet18")
    assert str(caught.value) == "timm:NAME needs timm; install it with: pip install 'samcli[timm]'"
