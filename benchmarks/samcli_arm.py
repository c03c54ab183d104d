"""samcli's own arm of train_speed.py: the command, with parts of it switched off or with its memory counted.

Each function here runs in a process of its own, before anything of samcli is imported.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any


def replace(owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Exchange an attribute for a change of itself; one that is not there is an error."""
    setattr(owner, name, change(getattr(owner, name)))


def without_mallopt() -> None:
    """The allocator gives freed memory back to the system, as it does by itself."""
    from samcli.cli import app

    replace(app, "keep_freed_memory", lambda _: lambda: False)


def without_channels_last() -> None:
    """Weights and images lie with the channels first."""
    import torch

    from samcli.data.normalise import Normalisation
    from samcli.train import session

    replace(session, "build_model", lambda f: lambda *a, **k: f(*a, **k).to(memory_format=torch.contiguous_format))
    replace(Normalisation, "images", lambda images: lambda self, pixels: images(self, pixels).contiguous())


def without_fused() -> None:
    """The base optimizer updates as torch does by default: a loop over the parameters on the CPU."""
    import torch

    def not_fused(init: Callable[..., None]) -> Callable[..., None]:
        return lambda self, *args, **options: init(self, *args, **{**options, "fused": None})

    for kind in (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW):
        replace(kind, "__init__", not_fused)


def without_pool_first() -> None:
    """In `cnn`, ReLU comes before the pooling."""
    from torch import nn

    from samcli.models.cnn import CNN

    def relu_first(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        def swapped(self: CNN, shape: tuple[int, ...], outputs: int) -> nn.Module:
            layers = list(build(self, shape, outputs).children())
            pools = [i for i, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
            if not pools or not all(isinstance(layers[i + 1], nn.ReLU) for i in pools):
                raise SystemExit("samcli's cnn no longer pools before its ReLUs; bring this switch up to date.")
            for i in pools:
                layers[i], layers[i + 1] = layers[i + 1], layers[i]
            return nn.Sequential(*layers)

        return swapped

    replace(CNN, "build", relu_first)


def without_in_place() -> None:
    """The ReLUs of residual networks write to new tensors."""
    from torch.nn import functional

    replace(functional, "relu_", lambda _: functional.relu)


def without_batched_data() -> None:
    """Images come one by one out of the usual loop's DataLoader, and not by one gather from a tensor on the device."""
    import torch
    import usual_loop

    from samcli.data import Dataset

    def one_by_one(self: Dataset, epoch: int, batch_size: int, seed: int, mixup: float = 0.0) -> Iterator[Any]:
        del epoch, seed, mixup
        device = self.train.targets.device
        for x, y in usual_loop.loader(self, batch_size, pin_memory=device.type == "cuda"):
            yield x.to(device, memory_format=torch.channels_last, non_blocking=True), y.to(device, non_blocking=True)

    replace(Dataset, "epoch", lambda _: one_by_one)


def without_no_waiting() -> None:
    """The host asks for the loss at each step."""
    from samcli import optim

    def waiting(take_step: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **options: Any) -> Any:
            loss = take_step(*args, **options)
            loss.item()
            return loss

        return step

    replace(optim, "take_step", waiting)


SWITCHES: dict[str, Callable[[], None]] = {
    "batched_data": without_batched_data,
    "mallopt": without_mallopt,
    "channels_last": without_channels_last,
    "fused": without_fused,
    "pool_first": without_pool_first,
    "in_place": without_in_place,
    "no_waiting": without_no_waiting,
}


def switches_of(model: str) -> list[str]:
    """The switches that change something for a model."""
    without = "in_place" if model == "cnn" else "pool_first"
    return [name for name in SWITCHES if name != without]


def samcli_without(parts: Sequence[str]) -> None:
    """In a process of its own: the command `samcli`, with its parts on the command line, less some of them."""
    for part in parts:
        SWITCHES[part]()
    from samcli.cli.app import main

    main()


def samcli_memory(file: str) -> None:
    """In a process of its own: the command `samcli`; writes the peak of tensor bytes in the last epoch to a file."""
    import torch
    from torch.profiler import ProfilerActivity, profile, record_function

    from samcli.cli.app import main
    from samcli.train.session import Session

    on_device = 0

    def counted(train: Callable[[Session], Any]) -> Callable[[Session], Any]:
        def window(self: Session) -> Any:
            nonlocal on_device
            last = self.epoch + 1 == self.config.training.epochs
            gc.collect()  # the warm-up's copy of the model, where a cycle of references still holds it
            if self.device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(self.device)
            with record_function("counted" if last else "not counted"):
                row = train(self)
            if self.device.type == "cuda":
                on_device = torch.cuda.max_memory_allocated(self.device)
            return row

        return window

    replace(Session, "_train", counted)
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as record:
        try:
            main()
        except SystemExit as ended:
            if ended.code:
                raise
    record.export_chrome_trace(file)
    peak = on_device or peak_of(json.loads(Path(file).read_text())["traceEvents"])
    Path(file).write_text(json.dumps({"bytes": peak}))


def peak_of(events: list[dict[str, Any]]) -> int:
    """The most bytes allocated at one moment of the span called `counted`."""
    span = next(event for event in events if event.get("name") == "counted")
    changes = [event for event in events if event.get("name") == "[memory]"]
    return max(int(e["args"]["Total Allocated"]) for e in changes if 0.0 <= e["ts"] - span["ts"] <= span["dur"])
