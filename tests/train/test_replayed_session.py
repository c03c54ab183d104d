"""A session whose steps are replayed trains as one whose steps run: on a tape everywhere, in CUDA graphs on a GPU."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_run import TIMES, MakeConfig, Places

from samcli.config import RunConfig
from samcli.optim import Replayed
from samcli.optim.replay import Recorder
from samcli.optim.tape import record
from samcli.train.session import Session

ON_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def refuse(function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
    """A recorder that never can."""
    raise RuntimeError("out of tape")


def trained(config: RunConfig, places: Places, recorder: Recorder | None) -> tuple[Session, int]:
    """A finished session, and how many steps were replayed."""
    session = Session(config, **places)
    session._step = step = Replayed(session._take_step, session.optimizer, places["device"], recorder)
    while not session.finished:
        session.train_epoch()
    failure = "out of tape" if recorder is refuse else ""
    assert session.replay_status == {"steps": step.replays, "failure": failure}
    return session, step.replays


def rows(session: Session) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in session.rows]


@pytest.mark.parametrize("name", ["sgd", "adamw", "sam", "looksam", "{name: sam, average: ema}"])
def test_rows_of_a_replayed_run(name: str, config_of: MakeConfig, places: Places) -> None:
    config = config_of("model.dropout=0.0", f"optimizer={name}")
    run, _ = trained(config, places, refuse)
    replayed, count = trained(config, places, record)
    assert rows(run) == rows(replayed)
    for one, other in ((run.model, replayed.model), (run.network, replayed.network)):
        assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert count > 0


@ON_GPU
@pytest.mark.parametrize("name", ["sgd", "adamw", "sam", "asam", "gsam", "looksam", "friendly-sam", "wsam", "msam"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_rows_of_a_run_in_graphs(name: str, precision: str, config_of: MakeConfig, places: Places) -> None:
    places = {**places, "device": torch.device("cuda")}
    config = config_of("model.dropout=0.0", f"optimizer={name}", f"precision={precision}")
    run, _ = trained(config, places, refuse)
    graphs, count = trained(config, places, None)
    assert count > 0
    for a, b in zip(rows(run), rows(graphs), strict=True):
        # the same kernels on the same numbers; convolutions may add in another order, which four epochs amplify
        assert b == pytest.approx(a, rel=1e-2, abs=1e-3, nan_ok=True)


@ON_GPU
@pytest.mark.parametrize("name", ["sgd", "sam"])
def test_the_same_seed_gives_the_same_bits(name: str, config_of: MakeConfig, places: Places) -> None:
    places = {**places, "device": torch.device("cuda")}
    config = config_of("model.dropout=0.0", f"optimizer={name}")  # with dropout nothing would be recorded
    first, second = (trained(config, places, None)[0] for _ in range(2))
    assert rows(first) == rows(second)


@ON_GPU
@pytest.mark.filterwarnings(
    "ignore:Synchronization debug mode is a prototype"
)  # what torch says when it is switched on
@pytest.mark.parametrize("name", ["sgd", "sam", "esam", "saf", "looksam"])
def test_nothing_waits_within_an_epoch(
    name: str, config_of: MakeConfig, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(config_of("model.dropout=0.0", f"optimizer={name}"), **{**places, "device": torch.device("cuda")})
    for _ in range(2):  # algorithms are chosen, full batches recorded
        session.train_epoch()
    step, inside = session._step, 0

    def watched(*tensors: torch.Tensor) -> tuple[int, int]:
        nonlocal inside
        inside += 1
        torch.cuda.set_sync_debug_mode("error")
        try:
            return step(*tensors)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(session, "_step", watched)
    session.train_epoch()
    assert inside == session.steps_per_epoch
