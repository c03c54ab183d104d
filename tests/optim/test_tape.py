"""The recorder of the CPU: what it repeats, what it undoes, and what it refuses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from samcli.optim.tape import Waits, record


def test_a_recording_has_no_effect_and_playing_it_has() -> None:
    total, step = torch.zeros(3), torch.ones(3)

    def add() -> Tensor:
        total.add_(2.0 * step)
        return total.sum()

    returned, play = record(add)
    assert total.tolist() == [0.0, 0.0, 0.0]
    play()
    assert (total.tolist(), returned.item()) == ([2.0, 2.0, 2.0], 6.0)
    step.mul_(10.0)  # read anew at each playing, from where it was
    play()
    assert (total.tolist(), returned.item()) == ([22.0, 22.0, 22.0], 66.0)


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (lambda x: x.sum().item(), "waits for the device"),
        (lambda x: x.nonzero(), "waits for the device"),
        (lambda x: torch.equal(x, x), "waits for the device"),
        (torch.rand_like, "draws a random number"),
    ],
)
def test_what_cannot_be_recorded_leaves_everything_as_it_was(operation: Callable[[Tensor], object], words: str) -> None:
    x = torch.zeros(2)

    def function() -> object:
        x.add_(1.0)
        return operation(x)

    with pytest.raises(Waits, match=words):
        record(function)
    assert x.tolist() == [0.0, 0.0]
