"""A Ray cluster: the connection to it, its nodes, and the proof that they see the results folder."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

from samcli.errors import ConfigError
from samcli.launch.remote import Beacon
from samcli.launch.slots import available_cores
from samcli.words import joined

PROOF_SECONDS = 60.0  # that a node has to show that it sees the results folder
OF_A_LOCAL_RAY = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # all its sockets on loopback
    "RAY_USAGE_STATS_ENABLED": "0",  # nobody is told of its use
    "RAY_AUTH_MODE": "token",  # no other user of this machine has a word in it
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
ANSWER_SECONDS = 5.0  # that a head has to take a connection; Ray itself waits for minutes
STORE_BYTES = 80_000_000  # of a local Ray's object store, which runs do not use; Ray takes no less


@contextmanager
def connected(address: str | None) -> Iterator[None]:
    """A connection to the cluster for the block; a Ray that was started for it is stopped, and no other one.

    Args:
        address: HOST:PORT of its head, or `auto` on one of its nodes; None starts a Ray for the block.

    Raises:
        ConfigError: there is none.
    """
    if address is not None and address != "auto":
        _reach(address)
    if address is None and "ray" not in sys.modules:  # which reads them when it is imported
        for name, value in OF_A_LOCAL_RAY.items():
            os.environ[name] = value
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # otherwise it writes one into ~/.ray
    import ray

    options: dict[str, Any] = {"address": address}
    if address is None:
        options = {
            "address": "local",
            "num_cpus": len(available_cores()),
            "include_dashboard": False,
            "object_store_memory": STORE_BYTES,
            "_node_ip_address": "127.0.0.1",
        }
    try:
        logging.getLogger("ray").setLevel(logging.ERROR)
        ray.init(**options, log_to_driver=False, configure_logging=False)
    except Exception as error:  # of many kinds: no answer, another version, another token
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        where = f"with Ray at {address}" if address else "with a Ray of its own"
        raise ConfigError(
            f"No connection {where}: {reason.rstrip('.')}. See docs/clusters.md for what an address is."
        ) from error
    try:
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):  # Ray prints every death there at length
            yield
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Return if something takes connections at an address, and have Ray find it there.

    Raises:
        ConfigError: nothing does.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not _answers(host, int(port)):
        raise ConfigError(f"Nothing answers at {address}; start the cluster's head, or correct --ray-address.")
    if host in LOOPBACK and not _answers(_own_address(), int(port)):
        # Ray takes loopback for this host's own address, where a head that listens on loopback alone is not found
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=ANSWER_SECONDS):
            return True
    except (OSError, UnicodeError):  # the second of a name that no host can have
        return False


def _own_address() -> str:
    """The address that this host has for others; loopback where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("203.0.113.1", 9))  # an address of documentation (RFC 5737); nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def nodes_for(request: Mapping[str, float]) -> list[dict[str, Any]]:
    """The nodes that are large enough for a run.

    Raises:
        ConfigError: there is none.
    """
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    large = [node for node in nodes if places_on(node, request)]
    if not large:
        needed = joined([f"{amount:g} {name}" for name, amount in request.items()])
        there = "; ".join(f"{_name(node)} {_size(node)}" for node in nodes)
        raise ConfigError(f"No node has the {needed} that each run asks for; the cluster has: {there}.")
    return large


def places_on(node: Mapping[str, Any], request: Mapping[str, float]) -> int:
    """How many runs fit on a node."""
    return int(min(node["Resources"].get(kind, 0.0) // amount for kind, amount in request.items()))


def _size(node: Mapping[str, Any]) -> str:
    resources = node["Resources"]
    return f"{resources.get('CPU', 0):g} CPU and {resources.get('GPU', 0):g} GPU"


def _name(node: Mapping[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})"


def prove(nodes: Sequence[Mapping[str, Any]], beacon: Beacon) -> None:
    """Return if every node sees the command's file among the results.

    Raises:
        ConfigError: one does not, or does not answer.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    asked = {
        ray.remote(_sees)
        .options(num_cpus=0, scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False))
        .remote(beacon): node
        for node in nodes
    }
    answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=PROOF_SECONDS)
    for reference in silent:
        raise ConfigError(f"Node {_name(asked[reference])} did not answer within {PROOF_SECONDS:g} seconds.")
    for reference in answered:
        name = _name(asked[reference])
        try:
            seen = ray.get(reference)
        except Exception as error:
            reason = str(error).strip().splitlines()[-1][:300]
            raise ConfigError(
                f"Node {name} cannot run samcli: {reason.rstrip('.')}. Install the same there."
            ) from error
        if not seen:
            raise ConfigError(
                f"Node {name} does not see the results folder {beacon.file.parent}; name one with --results that all "
                "nodes have under the same path, such as on a network's disk."
            )


def _sees(beacon: Beacon) -> bool:
    return beacon.is_seen()
