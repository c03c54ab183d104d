"""Every rule on two processes that share its batches, beside itself on one; see tests/optim/test_ranks.py."""

import hashlib
import json
import math
import sys
import traceback
from functools import partial
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn

from samcli.launched import leave
from samcli.losses import MeanLoss
from samcli.optim import VARIANTS, Batch, Ranks, SharpnessAware, build, take_step

# the third is passed by all: it has fewer examples than there are ranks
SIZES = (13, 12, 1, 17, 13)
EXAMPLES = sum(SIZES)
CASES: dict[str, dict[str, Any]] = {name: {"variant": name} for name in VARIANTS if name != "sam-on"} | {
    "sgd": {},
    "sam with rho 0": {"variant": "sam", "options": {"rho": 0.0}},
    "sam-on, LayerNorm": {"variant": "sam-on", "norm": "layer"},
    "sam, norm inf, 3 steps": {"variant": "sam", "options": {"norm": float("inf"), "ascent_steps": 3}},
    "sam, half of the batch climbs": {"variant": "sam", "options": {"ascent_fraction": 0.5}},
    "ae-sam, half of the batch climbs": {"variant": "ae-sam", "options": {"ascent_fraction": 0.5}},
    "n-sam, training set": {"variant": "n-sam", "training_set": 9},
    "n-sam, training set, accumulate": {"variant": "n-sam", "training_set": 20, "accumulate": 3},
    "n-sam, training set, every": {"variant": "n-sam", "training_set": 20, "options": {"every": 2}},
    "n-sam, training set, BatchNorm": {"variant": "n-sam", "training_set": 20, "norm": "batch"},
    "sam, accumulate": {"variant": "sam", "accumulate": 3},
    "sam, m": {"variant": "sam", "options": {"m": 4}},
    "gsam, m": {"variant": "gsam", "options": {"m": 4}},
    "wsam, m": {"variant": "wsam", "options": {"m": 4}},
    "bsam, m": {"variant": "bsam", "options": {"m": 4}},
    "esam, m": {"variant": "esam", "options": {"m": 4}},
    "rwp, m": {"variant": "rwp", "options": {"m": 4}},
    "lookbehind, m": {"variant": "lookbehind", "options": {"m": 4, "k": 2}},
    "msam, m": {"variant": "msam", "options": {"m": 4}},
    "friendly-sam, m": {"variant": "friendly-sam", "options": {"m": 4}},
    "looksam, m": {"variant": "looksam", "options": {"m": 4, "k": 2}},
    "saf, m": {"variant": "saf", "options": {"m": 4}},
    "sam, scaled loss": {"variant": "sam", "scaled": True},
    "sgd, scaled loss": {"scaled": True},
    "sam, not finite": {"variant": "sam", "broken": True},
    "friendly-sam, not finite": {"variant": "friendly-sam", "broken": True},
    "sam, m, not finite": {"variant": "sam", "broken": True, "options": {"m": 4}},
    "bsam, m, not finite": {"variant": "bsam", "broken": True, "options": {"m": 4}},
    "sam, scaled loss, not finite": {"variant": "sam", "broken": True, "scaled": True},
    "sam, weights of classes": {"variant": "sam", "loss": "weighted"},
    "sam, a branch that few examples take": {"variant": "sam", "norm": "branch"},
    "sam, BatchNorm": {"variant": "sam", "norm": "batch"},
    "mesa, BatchNorm": {"variant": "mesa", "norm": "batch"},
    "sam, m, BatchNorm": {"variant": "sam", "norm": "batch", "options": {"m": 5}},
}
# short periods and strong effects, so that all that a rule does happens within a few steps
OPTIONS: dict[str, dict[str, Any]] = {
    "looksam": {"k": 2},
    "sam-every": {"k": 2},
    "sparse-sam-f": {"k": 2, "samples": 4},
    "sparse-sam-d": {"k": 2},
    "saf": {"epochs_ago": 1},
    "mesa": {"delta": 0.5},
}


class Branch(nn.Module):
    """Layers of which one has no gradient unless an example calls for it."""

    def __init__(self) -> None:
        super().__init__()
        self.usual, self.rare = nn.Linear(5, 3), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Tensor:
        calls = x[:, 0] > 1.2
        out: Tensor = self.usual(x)
        return out + torch.where(calls[:, None], self.rare(x), 0.0) if calls.any() else out


def model_of(norm: str) -> nn.Module:
    torch.manual_seed(1)
    if norm == "branch":
        return Branch().double()
    middle = {"none": nn.Identity(), "batch": nn.BatchNorm1d(8), "layer": nn.LayerNorm(8)}[norm]
    return nn.Sequential(nn.Linear(5, 8), middle, nn.Tanh(), nn.Linear(8, 3)).double()


def loss_of(kind: str) -> Any:
    weight = torch.tensor([1.0, 4.0, 0.5], dtype=torch.float64)
    if kind == "weighted":
        return MeanLoss(nn.CrossEntropyLoss(weight, reduction="sum"), lambda targets: weight[targets].sum())
    return nn.functional.cross_entropy


def trained(case: dict[str, Any], ranks: Ranks | None) -> tuple[nn.Module, torch.optim.Optimizer, list[float]]:
    """The model after two epochs, in one process if there are no ranks."""
    model = model_of(case.get("norm", "none"))
    plain = case.get("variant") == "bsam"
    base = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.0 if plain else 0.9)
    optimizer: torch.optim.Optimizer = base
    if name := case.get("variant"):
        optimizer = build(name, base, model=model, seed=3, **{**OPTIONS.get(name, {}), **case.get("options", {})})
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(EXAMPLES, 5, generator=generator, dtype=torch.float64)
    y = torch.randint(3, (EXAMPLES,), generator=generator)
    if case.get("broken"):
        x[SIZES[0] - 1] = torch.inf  # which the last rank alone passes
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0) if case.get("scaled") else None
    losses, evaluated, parts = [], 0, case.get("training_set")
    for epoch in range(2):
        at = 0
        for step, size in enumerate(SIZES):
            if isinstance(optimizer, SharpnessAware):
                optimizer.progress = (epoch * len(SIZES) + step) / (2 * len(SIZES))
            here = slice(at, at + size)
            if size == 1 and case.get("norm") == "batch":
                continue
            batch = Batch(
                model,
                loss_of(case.get("loss", "")),
                x[here],
                y[here],
                indices=torch.arange(at, at + size),
                population=EXAMPLES,
                accumulate=case.get("accumulate", 1),
                scale=scaler.scale if scaler else None,
                ranks=ranks,
                training_set=partial(zip, x.split(parts), y.split(parts)) if parts else None,
            )
            losses.append(float(take_step(optimizer, batch, scaler)))
            evaluated += batch.evaluated
            at += size
    return model, optimizer, [*losses, evaluated]


def digest(model: nn.Module, optimizer: torch.optim.Optimizer) -> str:
    """A digest of every bit of the weights, the running statistics and the optimizer's state."""
    found = hashlib.sha256()

    def note(value: Any) -> None:
        if isinstance(value, Tensor):
            found.update(value.detach().contiguous().numpy().tobytes())
        elif isinstance(value, dict):
            for key in value:
                found.update(str(key).encode())
                note(value[key])
        elif isinstance(value, list | tuple):
            for item in value:
                note(item)
        else:
            found.update(repr(value).encode())

    note(model.state_dict())
    note(optimizer.state_dict())
    return found.hexdigest()


def tried(case: dict[str, Any], rank: int, size: int) -> dict[str, Any]:
    """How far one process is from this one, which is one of several; and the digest of all bits here."""
    batch_norm = case.get("norm") == "batch"
    ranks = Ranks(rank, size, sync_batch_norm=batch_norm, least=2 if batch_norm else 1)
    alone, _, losses_alone = trained(case, None)
    messages: list[int] = []
    reduce = torch.distributed.all_reduce

    def counted(tensor: Tensor) -> None:
        messages.append(tensor.numel())
        reduce(tensor)

    with patch.object(torch.distributed, "all_reduce", counted):
        shared, optimizer, losses = trained(case, ranks)
    distances = [
        float((a.double() - b.double()).abs().max())
        for a, b in zip(alone.state_dict().values(), shared.state_dict().values(), strict=True)
    ]
    distances += [
        abs(a - b) for a, b in zip(losses_alone, losses, strict=True) if not math.isnan(a) or not math.isnan(b)
    ]
    skipped = getattr(optimizer, "skipped_steps", 0)
    moved = max(
        float((a - b).abs().max())
        for a, b in zip(model_of(case.get("norm", "none")).parameters(), shared.parameters(), strict=True)
    )
    return {
        "distance": max(distances),
        "moved": moved,
        "digest": digest(shared, optimizer),
        "skipped": skipped,
        "messages": len(messages),
    }


def main() -> None:
    """Arguments: rank, number of ranks, file to meet at, file to write to, and cases if not all."""
    rank, size = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{sys.argv[3]}", rank=rank, world_size=size)
    found: dict[str, Any] = {}
    for name in sys.argv[5:] or CASES:
        try:
            found[name] = tried(CASES[name], rank, size)
        except Exception:
            found[name] = {"error": traceback.format_exc()}
            break
    with open(sys.argv[4], "w", encoding="utf-8") as file:
        json.dump(found, file)
    torch.distributed.destroy_process_group()
    leave()
