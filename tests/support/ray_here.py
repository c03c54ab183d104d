"""Ray, where it is installed, with what a Ray of samcli's own is given; without it the test file is skipped."""

import os

import pytest

from samcli.launch.engines._ray_cluster import OF_A_LOCAL_RAY

os.environ.update({**OF_A_LOCAL_RAY, "RAY_AUTH_TOKEN": "0123456789abcdef" * 4})  # read when Ray is imported
ray = pytest.importorskip("ray", reason="Ray is not installed; make test-extras installs it")
