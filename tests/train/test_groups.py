"""Runs whose parameters have rates of their own: schedules multiply all of them, and they are resumed bit for bit."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_run import TIMES, MakeConfig, Places

from samcli.config import RunConfig
from samcli.optim import Replayed
from samcli.optim.tape import record
from samcli.train.session import Session

GROUPED = ("head_lr=0.2", "layer_decay=0.5", "decay=weights", "optimizer.weight_decay=0.01")


def finished(session: Session) -> Session:
    while not session.finished:
        session.train_epoch()
    return session


def refuse(function: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
    """A recorder that never can."""
    raise RuntimeError("out of tape")


def same(one: Session, other: Session) -> bool:
    rows = [[{k: v for k, v in row.items() if k not in TIMES} for row in session.rows] for session in (one, other)]
    states = [session.model.state_dict() for session in (one, other)]
    return rows[0] == rows[1] and all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def test_a_schedule_multiplies_every_groups_own_rate(config_of: MakeConfig, places: Places) -> None:
    session = Session(config_of(*GROUPED, "schedule={name: multi-step, milestones: [1], gamma: 0.1}"), **places)
    tops = [group["lr"] for group in session.optimizer.param_groups]
    assert sorted(set(tops)) == pytest.approx([0.05 * 0.5**3, 0.05 * 0.5**2, 0.05 * 0.5, 0.2])
    for _ in range(2):
        row = session.train_epoch()
    assert [group["lr"] for group in session.optimizer.param_groups] == pytest.approx([0.1 * top for top in tops])
    assert row["learning_rate"] == pytest.approx(0.1 * 0.05)


@pytest.mark.parametrize("name", ["sgd", "adamw", "sam", "looksam", "wsam"])
def test_a_run_of_several_groups_is_resumed_bit_for_bit(name: str, config_of: MakeConfig, places: Places) -> None:
    config = _grouped(name, config_of)
    whole, stopped, resumed = (Session(config, **places) for _ in range(3))
    stopped.train_epoch()
    resumed.restore(stopped.state())
    assert same(finished(whole), finished(resumed))


@pytest.mark.parametrize("name", ["sgd", "adamw", "sam", "looksam"])
def test_steps_of_several_groups_are_recorded_and_replayed(name: str, config_of: MakeConfig, places: Places) -> None:
    config = _grouped(name, config_of)
    run, replayed = (Session(config, **places) for _ in range(2))
    run._step = Replayed(run._take_step, run.optimizer, places["device"], refuse)
    replayed._step = step = Replayed(replayed._take_step, replayed.optimizer, places["device"], record)
    assert same(finished(run), finished(replayed))
    assert step.replays > 0


def _grouped(name: str, config_of: MakeConfig) -> RunConfig:
    return config_of("model.dropout=0.0", f"optimizer={name}", *GROUPED)
