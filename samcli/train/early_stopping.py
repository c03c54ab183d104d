"""Early stopping: the network of the epoch that is best on the validation part, which a run with `patience` leaves."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from samcli.metrics import EPOCH_OF_NETWORK, score_named
from samcli.runs import EpochMetrics


class EarlyStopping:
    """The network of the best epoch so far, beside the one under training.

    What a row tells of evaluated parts is of this network, so that its last row is what the run came to. Of several
    epochs with the best validation score the first counts. It follows from the rows alone which epoch that is.

    >>> model = nn.Linear(1, 1, bias=False)
    >>> early, rows = EarlyStopping(model, "accuracy"), []
    >>> for epoch, score in enumerate((0.5, 0.7, 0.6), start=1):
    ...     _ = model.weight.data.fill_(float(epoch))
    ...     rows.append(early.choose(model, epoch, {"validation_accuracy": score, "test_accuracy": score / 2}, rows))
    >>> rows[-1]
    {'validation_accuracy': 0.7, 'test_accuracy': 0.35, 'epoch_of_network': 2}
    >>> early.network.weight.item()
    2.0

    Args:
        model: the one under training; it is only read.
        score: the name of the task's score, such as "accuracy".
    """

    def __init__(self, model: nn.Module, score: str) -> None:
        self.network = copy.deepcopy(model)
        self._column = f"validation_{score}"
        self._sign = 1.0 if score_named(score).higher_is_better else -1.0

    def choose(self, model: nn.Module, epoch: int, found: EpochMetrics, rows: Sequence[EpochMetrics]) -> EpochMetrics:
        """What the row of an epoch tells of the evaluated parts; the network becomes that of the epoch if it is better.

        Args:
            model: the one under training, after the epoch.
            epoch: counted from 1.
            found: what an evaluation of the model came to, with its validation score.
            rows: those before.
        """
        before = next((row for row in reversed(rows) if row.get(self._column) is not None), None)
        if before is None or self._sign * ((found[self._column] or 0.0) - (before[self._column] or 0.0)) > 0:
            self.network.load_state_dict(model.state_dict())  # a copy
            return {**found, EPOCH_OF_NETWORK: epoch}
        return {name: before[name] for name in (*found, EPOCH_OF_NETWORK)}


def stopped(row: EpochMetrics, patience: int | None) -> bool:
    """Whether a run ends with the epoch of this row, for none of its last ones was better than the best before.

    >>> row = {"epoch": 7, "epoch_of_network": 4}
    >>> stopped(row, 3), stopped(row, 4), stopped(row, None), stopped({"epoch": 7}, 3)
    (True, False, False, False)
    """
    epoch, best = row["epoch"], row.get(EPOCH_OF_NETWORK)
    return patience is not None and epoch is not None and best is not None and epoch - best >= patience


def tensors_with(early: EarlyStopping | None, rows: Sequence[EpochMetrics], model: nn.Module) -> Mapping[str, object]:
    """The entries of a checkpoint with the tensors of both networks; none where there is no best epoch yet.

    `model` is the network that the rows tell of, for whoever reads it.

    >>> tensors_with(None, [], nn.Linear(1, 1))
    {}
    """
    if early is None or not has_begun(rows):
        return {}
    return {"model": early.network.state_dict(), "early_stopping": {"goes_on_from": model.state_dict()}}


def has_begun(rows: Sequence[EpochMetrics]) -> bool:
    """Whether an epoch was evaluated, so that there is a best one.

    >>> has_begun([]), has_begun([{"epoch": 1, "epoch_of_network": 1}])
    (False, True)
    """
    return any(row.get(EPOCH_OF_NETWORK) is not None for row in rows)


def restore_early_stopping(early: EarlyStopping | None, model: nn.Module, state: Mapping[str, Any]) -> None:
    """Give both networks the tensors of a checkpoint, see `tensors_with`.

    Args:
        early: of the session; None is left alone.
        model: the one under training, which has the tensors of `model` in the checkpoint.
        state: the content of the checkpoint.

    Raises:
        ValueError: rows tell of a best epoch, and the checkpoint has one network alone.
    """
    if early is None:
        return
    early.network.load_state_dict(state["model"])
    if own := state.get("early_stopping"):
        model.load_state_dict(own["goes_on_from"])
    elif has_begun(state["rows"]):
        raise ValueError("it has one network where early stopping has two")
