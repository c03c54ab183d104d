"""Processes meet at a store in which those of before have left their words."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import torch

from samcli.errors import ProcessError
from samcli.train import meeting

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="torch is built without torch.distributed")


def met(store: Any, order: tuple[int, ...]) -> set[str]:
    """What each rank finds in the part it was led to, after rank 0 has left something there."""
    with ThreadPoolExecutor(len(order)) as threads:
        parts = [(rank, threads.submit(meeting.meet, store, rank, len(order))) for rank in order]
        for rank, part in parts:
            if rank == 0:
                part.result().set("address", f"of attempt {store.num_keys()}")
        return {part.result().get("address").decode() for _, part in parts}


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (2, 0, 1)])
def test_those_of_before_are_never_met(order: tuple[int, ...]):
    store, found = torch.distributed.HashStore(), set[str]()
    for _ in range(5):
        (address,) = met(store, order)
        found.add(address)
    assert len(found) == 5


def test_one_that_does_not_come_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meeting, "patience", lambda rank: timedelta(seconds=0.1))
    store = torch.distributed.HashStore()
    with pytest.raises(ProcessError, match="Not all of the 2 processes have started"):
        meeting.meet(store, 0, 2)
    with pytest.raises(ProcessError, match="Not all of the 2 processes have started"):
        meeting.meet(store, 1, 2)  # the word of rank 0, who has given up, is there
