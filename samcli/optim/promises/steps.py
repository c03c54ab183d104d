"""Promises about steps in a row: continued, recorded and replayed."""

from __future__ import annotations

import io
from collections.abc import Callable

import torch
from torch import Tensor, nn

from samcli.optim import tape
from samcli.optim.base import Base
from samcli.optim.batch import Batch
from samcli.optim.promises._trial import Trial, differing
from samcli.optim.replay import Replayed
from samcli.optim.variant import Variant


def resumes_bit_for_bit(variant: Variant, base: Base) -> str:
    """A run continued from saved states equals an uninterrupted one; the states load with weights_only=True."""
    whole = Trial(variant, base)
    whole.train(0, 7)
    file = io.BytesIO()
    torch.save({"model": whole.model.state_dict(), "optimizer": whole.optimizer.state_dict()}, file)
    file.seek(0)
    try:
        saved = torch.load(file, weights_only=True)
    except Exception as error:  # whatever the unpickler refuses
        return f"its state does not load with weights_only=True: {error}".splitlines()[0]
    resumed = Trial(variant, base)
    resumed.model.load_state_dict(saved["model"])
    resumed.optimizer.load_state_dict(saved["optimizer"])
    whole.train(7, 12)
    resumed.train(7, 12)
    names = differing(whole.model.state_dict(), resumed.model.state_dict())
    return (
        names and f"different after resuming: {names}; what changes between steps belongs in step.memory or step.state"
    )


def repeats_as_it_says(variant: Variant, base: Base) -> str:
    """Steps that the rule calls alike are alike: one of them, recorded and replayed, has the effect of the next."""
    device, ends = torch.device("cpu"), []
    for recorder in (tape.record, _refuse):
        trial = Trial(variant, base, dropout=0.0)

        def update(x: Tensor, y: Tensor, indices: Tensor, trial: Trial = trial) -> None:
            trial.optimizer.step(Batch(trial.model, nn.functional.cross_entropy, x, y, indices=indices))

        step = Replayed(update, trial.optimizer, device, recorder)
        for index in range(20):
            batch = trial.batch(index)
            assert batch.indices is not None
            trial.optimizer.progress = index / 20
            step(batch.inputs, batch.targets, batch.indices)
        if recorder is tape.record and step.failure:
            return f"a step that it says repeats cannot be recorded: {step.failure}"
        ends.append(trial.model.state_dict())
    names = differing(*ends)
    return names and (
        f"different when steps are replayed: {names}; leave out repeats, or have signature tell such steps apart"
    )


def _refuse(function: Callable[[], None]) -> tuple[None, Callable[[], None]]:
    raise RuntimeError("every step is to run")
