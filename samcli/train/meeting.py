"""The meeting of processes at a store of torch.distributed that others have met at before."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING

import torch

from samcli.errors import ProcessError
from samcli.train.group import patience

if TYPE_CHECKING:  # a torch without torch.distributed has neither
    from torch._C._distributed_c10d import PrefixStore, Store

PAUSE = 0.02


def meet(store: Store, rank: int, size: int) -> PrefixStore:
    """A part of the store that these processes alone know, once all of them are here.

    When torchrun starts processes again, they get the store of before, with the addresses of those that have ended; a
    process that reads one of these calls for nobody. The number of the restart does not tell attempts apart: on each
    machine it is another. So each process leaves a word of its own, rank 0 proposes a part of the store to the words
    that it finds, and who finds its own among these agrees. If a word was one of before, nobody agrees, and rank 0
    proposes again as soon as the new word is there.

    >>> meet(torch.distributed.HashStore(), 0, 1).underlying_store.num_keys() > 0
    True

    Args:
        store: that all of them reach.
        rank: the number of this one.
        size: how many there are.

    Raises:
        ProcessError: not all of them come.
    """
    word, end = uuid.uuid4().hex, time.monotonic() + patience(rank).total_seconds()
    store.set(f"samcli/word/{rank}", word)
    proposed: list[str] = []
    part = ""
    while time.monotonic() < end:
        if rank == 0:
            words = [_read(store, f"samcli/word/{other}") for other in range(size)]
            if all(words) and words != proposed:
                part, proposed = f"samcli/{uuid.uuid4().hex}", words
                store.set("samcli/proposal", json.dumps([part, words]))
            if proposed and all(_read(store, f"{part}/agreed/{other}") for other in range(1, size)):
                store.set(f"{part}/begun", "yes")
                return _part(part, store)
        elif proposal := _read(store, "samcli/proposal"):
            part, words = json.loads(proposal)
            if len(words) > rank and words[rank] == word:
                store.set(f"{part}/agreed/{rank}", "yes")
                if _read(store, f"{part}/begun"):
                    return _part(part, store)
        time.sleep(PAUSE)
    raise ProcessError(f"Not all of the {size} processes have started; look at what the others say.")


def _part(name: str, store: Store) -> PrefixStore:
    part: PrefixStore = torch.distributed.PrefixStore(name, store)  # type: ignore[attr-defined]
    return part


def _read(store: Store, key: str) -> str:
    """What stands under a key; empty if nothing does, for which a store would wait."""
    return store.get(key).decode() if store.check([key]) else ""
