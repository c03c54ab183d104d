"""What is found out of a Ray cluster's address before Ray, which waits for minutes, is asked for it."""

import os
import socket
import time
from collections.abc import Iterator

import pytest

from samcli.errors import ConfigError
from samcli.launch.engines import _ray_cluster
from samcli.launch.engines._ray_cluster import connected

SETTING = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"  # by which Ray keeps to loopback


@pytest.fixture
def head(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of something that listens on loopback alone."""
    monkeypatch.setenv(SETTING, "as it was")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_an_address_where_nothing_answers_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    begin = time.monotonic()
    with pytest.raises(ConfigError, match=f"Nothing answers at 127.0.0.1:{port}; start the cluster's head, or"):
        connected(f"127.0.0.1:{port}").__enter__()
    assert time.monotonic() - begin < 4


@pytest.mark.parametrize("host", ["a" * 100, "a..b"])
def test_what_is_no_name_of_a_host_does_not_answer(host: str) -> None:
    with pytest.raises(ConfigError, match="Nothing answers at "):
        _ray_cluster._reach(f"{host}:6379")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_head_on_loopback_alone_is_looked_for_there(head: int, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ray_cluster, "_own_address", lambda: "127.0.0.2")
    _ray_cluster._reach(f"{host}:{head}")
    assert os.environ[SETTING] == "0"


def test_a_head_that_others_reach_is_left_to_ray(head: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ray_cluster, "_answers", lambda host, port: True)
    _ray_cluster._reach(f"127.0.0.1:{head}")
    assert os.environ[SETTING] == "as it was"
