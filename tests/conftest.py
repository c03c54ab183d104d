"""One thread for each process: `make test` keeps all cores busy with processes of its own.

With several threads, small tensors would wait for each other's threads longer than they compute.
"""

import os
from collections.abc import Iterator

os.environ["OMP_NUM_THREADS"] = "1"  # read when torch is imported, also by the commands that tests start

import pytest
import torch

from samcli import registry
from samcli.robustness import PERTURBATIONS
from samcli.train import CATALOGUE

torch.set_num_threads(1)

REGISTRIES = [one for one in (*vars(CATALOGUE).values(), PERTURBATIONS) if isinstance(one, registry.Registry)]


@pytest.fixture(autouse=True)
def _no_names_left() -> Iterator[None]:
    """What a test registers is gone after it, whichever test its process runs next."""
    before, plugins = [dict(one._kinds) for one in REGISTRIES], dict(registry._PLUGINS)
    yield
    for one, kinds in zip(REGISTRIES, before, strict=True):
        one._kinds.clear()
        one._kinds.update(kinds)
    registry._PLUGINS.clear()
    registry._PLUGINS.update(plugins)
