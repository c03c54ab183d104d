"""Leaving a model as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from samcli.weights.guard import RandomState, buffers_untouched, evaluating


@contextmanager
def untouched(model: nn.Module) -> Iterator[None]:
    """Put the model into evaluation mode; afterwards modes, buffers and global random state are what they were.

    Whatever surrounds the call, there are derivatives, and all is computed in the precision of the parameters: under
    `no_grad` every gradient would be missing and read as zero, and autocast rounds a one-step difference away.

    Gradients need no saving: nothing here writes to `.grad`.

    >>> model = nn.Dropout()
    >>> with torch.no_grad(), untouched(model):
    ...     model.training, torch.is_grad_enabled()
    (False, True)
    >>> model.training
    True
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    random_state = RandomState(device)
    try:
        with (
            torch.inference_mode(False),
            torch.enable_grad(),
            torch.autocast(device.type, enabled=False),
            buffers_untouched(model),
            evaluating(model),
        ):
            yield
    finally:
        random_state.restore()
