"""The layers of a network, by the names of its parameters: the head, the embeddings, and how deep the others lie."""

from __future__ import annotations

import re

from torch import nn

EMBEDDINGS = re.compile(r"embed|token|position", re.IGNORECASE)  # of a parameter that no layer of its own has


def head_of(model: nn.Module, outputs: int) -> list[str]:
    """The names of the parameters of the head: of the last layer with weights that makes as many numbers as asked for.

    Where no layer does, it is the last layer with weights.

    Args:
        model: layers in the order in which they are declared.
        outputs: columns of the model's output.

    >>> head_of(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)), outputs=2)
    ['2.weight', '2.bias']
    """
    layers = {
        prefix: [f"{prefix}.{name}".removeprefix(".") for name, _ in module.named_parameters(recurse=False)]
        for prefix, module in model.named_modules()
        if any(p.dim() >= 2 for p in module.parameters(recurse=False))
    }
    rows = {
        prefix: {p.shape[0] for p in model.get_submodule(prefix).parameters(recurse=False) if p.dim() >= 2}
        for prefix in layers
    }
    fitting = [prefix for prefix in layers if outputs in rows[prefix]] or list(layers)
    return layers[fitting[-1]] if fitting else []


def embeddings_of(model: nn.Module) -> list[str]:
    """The names of the parameters by which inputs come in: the first layer with weights, and those beside the layers.

    Of a vision transformer these are the patch embedding, the class token and the positions; of a convolutional network
    the first convolution. Where the first layer is a table of embeddings, the tables beside it belong to them: of BERT
    those of tokens, positions and types, with their normalisation, for there is nothing else in the module around them.

    >>> embeddings_of(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)))
    ['0.weight', '0.bias']
    """
    first: list[str] = []
    beside: list[str] = []
    for prefix, module in model.named_modules():
        own = {f"{prefix}.{name}".removeprefix("."): p for name, p in module.named_parameters(recurse=False)}
        if any(module.children()):
            beside += [name for name in own if EMBEDDINGS.search(name.rpartition(".")[2])]
        elif not first and any(p.dim() >= 2 for p in own.values()):
            first = [*own, *(_beside(model, prefix) if isinstance(module, nn.Embedding) else [])]
    return [name for name, _ in model.named_parameters() if name in {*first, *beside}]


def _beside(model: nn.Module, prefix: str) -> list[str]:
    """The parameters that belong to a table of embeddings: all of the module around it if it holds nothing else with
    weights, otherwise those of the tables beside it.
    """
    around = prefix.rpartition(".")[0]
    parent = model.get_submodule(around)
    below = [module for module in parent.modules() if any(p.dim() >= 2 for p in module.parameters(recurse=False))]
    tables = [name for name, module in parent.named_children() if isinstance(module, nn.Embedding)]
    kept = all(isinstance(module, nn.Embedding) for module in below)
    names = [name for name, _ in parent.named_parameters() if kept or name.partition(".")[0] in tables]
    return [f"{around}.{name}".removeprefix(".") for name in names]


def depths_of(model: nn.Module, outputs: int) -> dict[str, int]:
    """How many layers each parameter lies below the head, by its name: 0 for the head, 1 for the layer before it.

    A layer is what stands under the first part of a name that has a digit: a stage of a residual network, a block of a
    transformer, an entry of a sequence. Without one it is a module that has weights. What has no weights, as a
    normalisation, counts to the layer before it, and all embeddings are one layer.

    >>> model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    >>> depths_of(model, outputs=3)
    {'0.weight': 1, '0.bias': 1, '1.weight': 1, '1.bias': 1, '3.weight': 0, '3.bias': 0}
    """
    head, embeddings = set(head_of(model, outputs)), set(embeddings_of(model))
    parameters = dict(model.named_parameters())
    with_weights = {_layer(name) for name, p in parameters.items() if p.dim() >= 2}
    order: dict[str, int] = {"": 0} if embeddings - head else {}
    place: dict[str, int] = {}
    latest = 0
    for name in parameters:
        if name in head:
            continue
        layer = "" if name in embeddings else _layer(name)
        if layer in with_weights or not layer:
            latest = order.setdefault(layer, len(order))
        place[name] = latest
    below = max(place.values(), default=-1) + 1
    return {name: 0 if name in head else below - place[name] for name in parameters}


def _layer(name: str) -> str:
    parts = name.split(".")
    numbered = next((i for i, part in enumerate(parts[:-1]) if re.search(r"\d", part)), None)
    return ".".join(parts[:-1] if numbered is None else parts[: numbered + 1])
