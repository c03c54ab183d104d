"""Within a step the host waits for nothing, except where a rule itself must: on a device it would idle meanwhile.

The tensors are on `meta`, a device without values. There, to read a value is an error, as is an operation whose result
has a shape that depends on one; and copies between the host and the device, which wait too, can be seen.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from samcli.optim import VARIANTS, Batch, SharpnessAware, Step, take_step
from samcli.train.tally import Tally


class OnDevice(torch.optim.Optimizer):
    """Skips by a flag on the device, as torch's fused optimizers do, and has its state from the start."""

    def __init__(self, parameters: Iterator[nn.Parameter]) -> None:
        super().__init__(parameters, {"lr": 0.1, "fused": True, "weight_decay": 0.0, "momentum": 0.9})
        self.found_inf = torch.zeros((), device="meta")
        for p in self.param_groups[0]["params"]:
            self.state[p]["momentum_buffer"] = torch.zeros_like(p)

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor] | None = None) -> None:  # type: ignore[override]
        for p in self.param_groups[0]["params"]:
            if p.grad is not None:
                p.sub_(p.grad * (1.0 - getattr(self, "found_inf", 0.0)))


class Borders(TorchDispatchMode):
    """Ends where an operation has tensors on the host and on the device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        tensors = [x for x in tree_leaves((args, kwargs, found)) if isinstance(x, Tensor)]
        if len({x.device.type for x in tensors}) > 1:
            raise AssertionError(f"{func} moves values between the host and the device")
        return found


def train(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Step, "generator", lambda self: None)  # meta has no generators
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).to("meta")
    base, variant = OnDevice(model.parameters()), VARIANTS.create(name)
    if words := variant.objection(base, model, m=None, scaled=False):
        pytest.skip(words)
    optimizer = SharpnessAware(base, variant, model=model)
    tally = Tally(torch.device("meta"))
    for step in range(3):
        optimizer.progress = step / 3
        x, y = torch.empty(8, 1, 8, 8, device="meta"), torch.empty(8, dtype=torch.int64, device="meta")
        batch = Batch(model, nn.functional.cross_entropy, x, y, indices=torch.empty_like(y), population=20)
        with Borders():
            tally.add(take_step(optimizer, batch), torch.empty(1, dtype=torch.float64, device="meta"), 8)


@pytest.mark.parametrize("name", [name for name in VARIANTS if not VARIANTS.kind(name).waits])
def test_the_host_runs_ahead(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    train(name, monkeypatch)


@pytest.mark.parametrize("name", [name for name in VARIANTS if VARIANTS.kind(name).waits])
def test_what_waits_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((RuntimeError, NotImplementedError), match=r"item\(\)|nonzero"):
        train(name, monkeypatch)


def test_a_copy_to_the_device_is_seen() -> None:
    with pytest.raises(AssertionError, match="between the host and the device"), Borders():
        torch.zeros(()).to("meta")
