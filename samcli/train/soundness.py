"""The soundness of a user's data set or model: whether it is as training expects it to be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from samcli import data, models
from samcli.shape import InputShape
from samcli.train.catalogue import CATALOGUE
from samcli.train.seeding import seed_everything

SHAPES = ((3, 32, 32), (1, 28, 28), (1, 8, 8), (10,), InputShape((16,), vocabulary=50))
WITH_CATEGORIES = InputShape((5,), categories=(0, 3, 0, 0, 7))


def dataset_faults(dataset: Mapping[str, Any], data_dir: Path) -> list[str]:
    """The faults of a data set, in sentences; empty if there are none.

    >>> dataset_faults({"name": "wine"}, Path("data"))
    []

    Args:
        dataset: its name as registered, and options; others have their default.
        data_dir: where data sets lie.
    """
    kind = CATALOGUE.create("dataset", dataset)
    first, second = (kind.source(data_dir) for _ in range(2))
    faults = data.source_faults(first, kind)
    if faults:
        return faults
    for (part, *tensors), (_, *again) in zip(first.parts(), second.parts(), strict=False):
        for what, one, other in zip(("inputs", "targets"), tensors, again, strict=True):
            if not torch.equal(one, other):
                faults.append(
                    f"Loading twice gives different {part} {what}: draw random numbers from a seeded generator."
                )
    loaded = data.load(kind, seed=0, data_dir=data_dir, device=torch.device("cpu"))
    inputs, _ = next(iter(loaded.epoch(1, 8, 0)))
    if tuple(inputs.shape[1:]) != loaded.shape or not bool(torch.isfinite(inputs).all()):
        faults.append("A training batch has another shape than the data set says, or numbers that are not finite.")
    return faults


def model_faults(name: str) -> list[str]:
    """The faults of a model, in sentences; empty if there are none.

    >>> model_faults("mlp")
    []

    Args:
        name: as registered; every option has its default.
    """
    architecture = CATALOGUE.models.create(name)
    shapes = [WITH_CATEGORIES, *SHAPES] if architecture.reads_categories else SHAPES
    shape = next((InputShape.of(shape) for shape in shapes if models.fits(architecture, shape)), None)
    if shape is None:
        return [f"It fits none of the shapes {', '.join(map(str, SHAPES))}."]
    built = []
    for _ in range(2):
        seed_everything(0, "weights")
        built.append(models.build(name, shape=shape, outputs=4))
    model, again = built
    faults = []
    if any(not torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True)):
        faults.append("Two models of one seed differ: draw initial weights from torch's global generator.")
    output = model(_inputs(shape))
    if tuple(output.shape) not in ((3, 4), *([(3, shape[0], 4)] if shape.vocabulary else [])):
        return [*faults, f"3 inputs and 4 outputs give a result of shape {tuple(output.shape)}, not (3, 4)."]
    output.square().sum().backward()
    without = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    if without:
        faults.append(f"No gradient reaches {', '.join(without)}.")
    if len(shape) == 3:
        model.to(memory_format=torch.channels_last)
        model(torch.randn(3, *shape).to(memory_format=torch.channels_last))
    return faults


def _inputs(shape: InputShape) -> torch.Tensor:
    """Three inputs of a shape: tokens, or random numbers with codes of categories among them."""
    if shape.vocabulary:
        return torch.randint(shape.vocabulary, (3, *shape))
    inputs = torch.randn(3, *shape)
    for column, codes in enumerate(shape.categories):
        if codes:
            inputs[:, column] = torch.randint(codes, (3,)).float()
    return inputs
