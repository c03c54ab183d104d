"""A network that begins with tensors of another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from samcli.errors import ConfigError
from samcli.weights.layers import head_of

PREFIXES = ("module", "model", "_orig_mod", "state_dict")  # what wrappers put before every name
NEVER_KEPT = "num_batches_tracked"  # older files have none, and nothing normalises by it


@dataclass(frozen=True)
class Adopted:
    """What became of the tensors.

    Attributes:
        taken: the names of those that the network has now.
        fresh: the names of the network's tensors that stayed as they were: the head, where it is another.
    """

    taken: tuple[str, ...]
    fresh: tuple[str, ...]


def adopt(
    model: nn.Module,
    tensors: Mapping[str, Tensor],
    outputs: int,
    *,
    source: str,
    new_head: bool = False,
    spare: Sequence[str] = (),
) -> Adopted:
    """Give a network the tensors of another one, all but the head where that has other outputs.

    A prefix that all names have of `PREFIXES` is seen through.

    Args:
        model: its tensors are overwritten; those of the head stay as they are where they do not fit.
        tensors: by their names.
        outputs: columns of the model's output, by which the head is known.
        source: where the tensors are from, for messages.
        new_head: whether the head stays as it is even if it fits.
        spare: beginnings of names that the model need not have, such as those of extra outputs.

    Raises:
        ConfigError: some tensor is missing, unexpected, or of another shape; the model is unchanged.

    >>> teacher, model = (nn.Sequential(nn.Linear(2, 3), nn.Linear(3, classes)) for classes in (5, 2))
    >>> adopt(model, teacher.state_dict(), outputs=2, source="teacher.pth")
    Adopted(taken=('0.weight', '0.bias'), fresh=('1.weight', '1.bias'))
    >>> torch.equal(model[0].weight, teacher[0].weight)
    True
    """
    own = model.state_dict()
    there = _unwrapped(tensors, own)
    head = set(head_of(model, outputs))
    replaced = head if new_head or not all(_fits(own[name], there.get(name)) for name in head) else set[str]()
    replaced |= {name for name, tensor in own.items() if _is_of_outputs(tensor, there.get(name), outputs)}
    missing = [name for name in own if name not in there and name not in replaced and not name.endswith(NEVER_KEPT)]
    strange = [name for name in there if name not in own and not name.startswith(tuple(spare))]
    misfits = [name for name in own if name in there and name not in replaced and not _fits(own[name], there[name])]
    faults = [
        *_told("it lacks", missing),
        *_told("it has the unexpected", strange),
        *_told("of another shape is", [f"{n} ({_size(there[n])} there, {_size(own[n])} here)" for n in misfits]),
    ]
    if faults:
        raise ConfigError(f"{source} does not fit the model: {'; '.join(faults)}. Only the head may be another one.")
    taken = [name for name in own if name in there and name not in replaced]
    if not taken:
        raise ConfigError(f"{source} has nothing for this model but a head; name the file of the same model.")
    with torch.no_grad():
        for name in taken:
            own[name].copy_(there[name])
    return Adopted(tuple(taken), tuple(name for name in own if name in replaced))


def _unwrapped(tensors: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without the prefixes that all of their names have, as far as no name fits with them."""
    there = dict(tensors)
    while there and not own.keys() & there.keys():
        (first, *others) = {name.partition(".")[0] for name in there}
        if others or first not in PREFIXES or any("." not in name for name in there):
            break
        there = {name.partition(".")[2]: tensor for name, tensor in there.items()}
    return there


def _fits(own: Tensor, there: Tensor | None) -> bool:
    return there is not None and own.shape == there.shape and own.is_floating_point() == there.is_floating_point()


def _is_of_outputs(own: Tensor, there: Tensor | None, outputs: int) -> bool:
    """Whether a tensor has a row for each output and the other one another number of them, and else the same shape."""
    if there is None or not own.dim() or own.shape == there.shape or own.shape[0] != outputs:
        return False
    return own.shape[1:] == there.shape[1:] and own.is_floating_point()


def _told(words: str, names: Iterable[str]) -> list[str]:
    """A clause with the first names, and how many more there are."""
    told = [name[:100] for name in names]
    more = f" and {len(told) - 2} more" if len(told) > 2 else ""
    return [f"{words} {', '.join(told[:2])}{more}"] if told else []


def _size(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a number"
