"""bfloat16 as a processor with instructions for it computes, on one without: for accuracy, not for speed.

    python benchmarks/rounded_bf16.py
    samcli train experiments/fashion_label_noise.yaml --plugin benchmarks/rounded_bf16.py --set precision=bf16

Such a processor multiplies numbers of 8 significant bits exactly and adds the products in single precision; the result
is rounded to 8 bits once. Where it is missing, torch does the same in a reference implementation that takes eight to
ten times as long. Imported as a plugin, this file has matrix products and convolutions of bfloat16 computed in single
precision, forward and backward, and their results rounded: the same numbers, but for the order of the sums, about as
fast as single precision. All other operations are torch's own.

The command compares the two on a step of `cnn` and of `resnet20`: gradients from torch's own bfloat16, from this file,
and from single precision.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

aten = torch.ops.aten
HEAVY = {
    aten.convolution.default, aten.convolution_backward.default, aten.mm.default, aten.addmm.default,
    aten.bmm.default, aten.baddbmm.default,
}  # fmt: skip


class Rounded(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within it, the heavy operations on bfloat16 are computed in single precision and rounded."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func not in HEAVY or not any(isinstance(x, Tensor) and x.dtype == torch.bfloat16 for x in args):
            return func(*args, **kwargs)
        args, kwargs = tree_map_only(Tensor, Tensor.float, (args, kwargs))
        return tree_map_only(Tensor, Tensor.bfloat16, func(*args, **kwargs))


def gradient(name: str, shape: tuple[int, ...], autocast: bool) -> tuple[Tensor, float]:
    """That of one batch at the initial weights, as a vector, and the seconds it took."""
    from samcli import models

    torch.manual_seed(0)
    model = models.build(name, shape=shape, outputs=10).to(memory_format=torch.channels_last)
    x = torch.randn(128, *shape).to(memory_format=torch.channels_last)
    y = torch.randint(10, (128,))
    start = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        output = model(x)
    nn.functional.cross_entropy(output.float(), y).backward()
    seconds = time.perf_counter() - start
    return torch.cat([p.grad.reshape(-1) for p in model.parameters() if p.grad is not None]), seconds


def compare() -> None:
    """Print how far apart the gradients are, in units of their length."""
    for name, shape in (("cnn", (1, 28, 28)), ("resnet20", (3, 32, 32))):
        single, _ = gradient(name, shape, autocast=False)
        own, own_seconds = gradient(name, shape, autocast=True)
        with Rounded():
            rounded, rounded_seconds = gradient(name, shape, autocast=True)

        def apart(a: Tensor, b: Tensor) -> float:
            return float((a - b).norm() / b.norm())

        print(f"{name}: torch's bfloat16 {own_seconds:.2f} s, rounded {rounded_seconds:.2f} s")
        print(f"  rounded from torch's    {apart(rounded, own):.1e}")
        print(f"  rounded from single     {apart(rounded, single):.1e}")
        print(f"  torch's from single     {apart(own, single):.1e}")


if __name__ == "__main__":
    compare()
else:  # a plugin: for the rest of the process
    Rounded().__enter__()
