"""Examples in whatever structure a model takes them: counted, chosen, joined and moved.

A structure is a tensor, or tuples, lists and dictionaries of tensors, nested as they may be. Each tensor has one entry
for each example, along its first dimension; one without dimensions, and None, belong to all examples alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten, tree_leaves, tree_map, tree_unflatten

from samcli.errors import ExamplesError

Pair = tuple[Any, Any]

_PAIRS = "data is a sequence of batches, each an (inputs, targets) pair"


def count(inputs: Any, targets: Any, noun: str = "inputs") -> int:
    """The number of examples of a batch: that of its targets.

    Args:
        inputs: a structure, with as many examples as the targets.
        targets: a structure.
        noun: what the first is called in the error.

    Raises:
        ExamplesError: there is something that is no tensor, or a tensor that does not have one entry for each example.

    >>> count({"x": torch.zeros(5, 4), "scale": torch.tensor(2.0)}, torch.zeros(5))
    5
    >>> count(torch.zeros(7, 5, 4), torch.zeros(5))  # seven points in time of five sequences
    Traceback (most recent call last):
    samcli.errors.ExamplesError: The targets are of 5 examples, but the inputs have a tensor of shape (7, 5, 4): \
examples go first, so its first dimension has to be 5 (transpose it here, and back again inside the model).
    """
    if type(inputs) is Tensor and type(targets) is Tensor and inputs.dim() and inputs.shape[:1] == targets.shape[:1]:
        return len(targets)
    shapes = [leaf.shape for leaf in _tensors(targets, "targets") if leaf.dim()]
    if not shapes:
        raise ExamplesError(
            "The targets hold no tensor with an entry for each example, so nothing tells how many examples there are; "
            "give one, such as torch.zeros(n) for a loss that needs none."
        )
    n = shapes[0][0]
    for name, structure in (("targets", targets), (noun, inputs)):
        for leaf in _tensors(structure, name):
            if leaf.dim() and len(leaf) != n:
                raise ExamplesError(
                    f"The targets are of {n} examples, but the {name} have a tensor of shape {tuple(leaf.shape)}: "
                    f"examples go first, so its first dimension has to be {n} (transpose it here, and back again "
                    "inside the model)."
                )
    return n


def _tensors(structure: Any, name: str) -> list[Tensor]:
    leaves = [leaf for leaf in tree_leaves(structure) if leaf is not None]
    for leaf in leaves:
        if not isinstance(leaf, Tensor):
            raise ExamplesError(
                f"The {name} of a batch have a {type(leaf).__name__} where a tensor should be. Tensors, and tuples, "
                "lists and dictionaries of tensors are taken, with examples along the first dimension; what is the "
                "same for all examples is a tensor without dimensions."
            )
    return leaves


def pairs(data: Iterable[Any]) -> list[Pair]:
    """The batches of a data set that hold examples, as a list that can be gone through again.

    Raises:
        ExamplesError: a batch that is no (inputs, targets) pair, see `count`, or none that holds an example.

    >>> [targets.shape for _, targets in pairs([(torch.ones(2, 3), torch.ones(2)), (torch.ones(0, 3), torch.ones(0))])]
    [torch.Size([2])]
    >>> pairs([{"x": torch.ones(2, 3), "labels": torch.ones(2)}])
    Traceback (most recent call last):
    samcli.errors.ExamplesError: A batch is a dict, but data is a sequence of batches, each an (inputs, targets) pair; \
for a dictionary that holds its targets too: (batch, batch["labels"]).
    """
    if isinstance(data, Tensor | Mapping) or not isinstance(data, Iterable):
        raise ExamplesError(f"The data are a {type(data).__name__}, but {_PAIRS}; give [(inputs, targets)].")
    found = []
    for batch in data:
        if not isinstance(batch, tuple | list):
            advice = (
                'for a dictionary that holds its targets too: (batch, batch["labels"])'
                if isinstance(batch, Mapping)
                else "for a single batch give [(inputs, targets)]"
            )
            raise ExamplesError(f"A batch is a {type(batch).__name__}, but {_PAIRS}; {advice}.")
        if len(batch) != 2:
            raise ExamplesError(f"A batch has {len(batch)} entries, but {_PAIRS}; tuples go inside: ((a, b), targets).")
        if count(*batch):
            found.append((batch[0], batch[1]))
    if not found:
        raise ExamplesError(
            "Sharpness is measured on examples: data holds none. An iterator is empty once it was gone through; give a "
            "list of batches."
        )
    return found


def take(structure: Any, index: Tensor | slice) -> Any:
    """Some of the examples.

    >>> take({"x": torch.arange(4), "scale": torch.tensor(2.0)}, slice(1, 3))
    {'x': tensor([1, 2]), 'scale': tensor(2.)}
    """
    if type(structure) is Tensor:
        return structure[index] if structure.dim() else structure

    def some(leaf: Any) -> Any:
        return leaf[index] if isinstance(leaf, Tensor) and leaf.dim() else leaf

    return tree_map(some, structure)


def joined(structures: Sequence[Any]) -> Any:
    """The examples of several batches as one; None where they cannot be, such as sequences padded to other lengths.

    >>> joined([(torch.ones(1, 2), None), (torch.zeros(1, 2), None)])
    (tensor([[1., 1.],
            [0., 0.]]), None)
    >>> joined([torch.ones(1, 2), torch.ones(1, 3)])
    """
    flat = [tree_flatten(structure) for structure in structures]
    if any(spec != flat[0][1] for _, spec in flat):
        return None
    columns = []
    for leaves in zip(*(leaves for leaves, _ in flat), strict=True):
        first = leaves[0]
        if any(not _fit(first, leaf) for leaf in leaves):
            return None
        columns.append(torch.cat(leaves) if isinstance(first, Tensor) and first.dim() else first)
    return tree_unflatten(columns, flat[0][1])


def _fit(first: Any, other: Any) -> bool:
    """Whether two leaves are parts of one tensor, or the same for all examples."""
    if not (isinstance(first, Tensor) and isinstance(other, Tensor)):
        return first is other
    if first.dtype != other.dtype or first.dim() != other.dim():
        return False
    return first.shape[1:] == other.shape[1:] if first.dim() else bool(first == other)


def moved_to(structure: Any, device: torch.device) -> Any:
    """The same examples on a device; what lies there already is not copied.

    >>> examples = (torch.ones(2), None)
    >>> moved_to(examples, torch.device("cpu"))[0] is examples[0]
    True
    """
    if type(structure) is Tensor:
        return structure.to(device)
    return tree_map(lambda leaf: leaf.to(device) if isinstance(leaf, Tensor) else leaf, structure)
