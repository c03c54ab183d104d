"""Stratified subsets, hold-outs and label noise: the choices that a seed makes about a data set."""

from __future__ import annotations

import torch
from torch import Tensor

from samcli.data.base import Source
from samcli.streams import stream
from samcli.tasks import Task

# The subset of `train_examples` is one for all seeds of a comparison, so it has a seed of its own.
SUBSET_SEED = 0

# The part of a data set without a test part that becomes one.
TEST_SHARE = 0.2


def stratified(targets: Tensor, size: int, generator: torch.Generator, *, both: bool = False) -> tuple[Tensor, Tensor]:
    """A random choice of examples in which every class has its share.

    A class with c of the N examples gets c·size/N places, rounded so that the sum is `size` (largest remainders,
    lower classes first among equals). Targets that are not classes (floating-point) are drawn without strata.

    Args:
        targets: (N,), int64 classes or floats.
        size: how many are chosen, at most N.
        generator: decides which.
        both: whether each class of two or more examples is to be in the choice and in what is left, and one of a single
            example in what is left; the choice may then be larger or smaller than `size`.

    Returns:
        The indices of the chosen examples and of the others, each in increasing order.

    >>> chosen, rest = stratified(torch.tensor([0] * 6 + [1] * 2), 4, torch.Generator().manual_seed(0))
    >>> (chosen < 6).sum(), len(rest)
    (tensor(3), 4)
    """
    n = len(targets)
    if not 0 <= size <= n:
        raise ValueError(f"A choice of {size} from {n} examples is not possible.")
    strata = torch.zeros(n, dtype=torch.int64) if targets.is_floating_point() else targets
    counts = strata.bincount()
    places, remainder = counts * size // n, counts * size % n
    left = size - int(places.sum())
    places[remainder.argsort(descending=True, stable=True)[:left]] += 1
    if both:
        places = places.clamp(min=1).minimum((counts - 1).clamp(min=0))

    # shuffled examples, grouped by class: the first places of each group are the chosen
    shuffled = torch.randperm(n, generator=generator)
    grouped = shuffled[strata[shuffled].argsort(stable=True)]
    stratum = strata[grouped]
    position = torch.arange(n) - (counts.cumsum(0) - counts)[stratum]
    is_chosen = torch.empty(n, dtype=torch.bool)
    is_chosen[grouped] = position < places[stratum]
    return is_chosen.nonzero().squeeze(1), (~is_chosen).nonzero().squeeze(1)


def training_subset(targets: Tensor, size: int) -> Tensor:
    """The indices of the stratified subset of `size` examples that all seeds share.

    >>> training_subset(torch.tensor([0, 0, 0, 1, 1, 1]), 2).tolist()  # one of each class
    [1, 5]
    """
    return stratified(targets, size, stream(SUBSET_SEED, "train_examples"))[0]


def training_window(n: int, start: int, size: int | None) -> Tensor:
    """The indices of a piece of an order of n examples that all seeds share, in increasing order.

    The order looks at no label. Pieces [start, start + size) that do not overlap have no example in common.

    Args:
        n: the training examples.
        start: how many examples of the order come before.
        size: how many are taken; None for all that are left.

    Raises:
        ValueError: there are not so many.

    >>> first, second = training_window(6, 0, 4), training_window(6, 4, None)
    >>> len(first), sorted([*first.tolist(), *second.tolist()])
    (4, [0, 1, 2, 3, 4, 5])
    """
    end = n if size is None else start + size
    if not start < end <= n:
        raise ValueError(f"{n} examples have none from {start} to {end}.")
    return torch.randperm(n, generator=stream(SUBSET_SEED, "examples_from"))[start:end].sort().values


def hold_out(targets: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """The indices of what is left for training and of the share held out for validation: at least one example.

    >>> train, held_out = hold_out(torch.tensor([0, 0, 1, 1]), share=0.5, seed=0)
    >>> len(train), len(held_out), sorted([*train.tolist(), *held_out.tolist()])
    (2, 2, [0, 1, 2, 3])
    """
    held_out, rest = stratified(targets, max(1, round(share * len(targets))), stream(seed, "validation"))
    return rest, held_out


def drawn_groups(groups: Tensor, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The indices of what is left and of a random share, for which whole groups are drawn.

    Groups are taken in random order as long as they fit into the share; if not one does, the smallest is. One group at
    least is left: with a single one nothing is drawn.

    >>> rest, drawn = drawn_groups(torch.tensor([0, 0, 1, 1, 2, 2]), 1 / 3, torch.Generator().manual_seed(0))
    >>> len(drawn), set(drawn.tolist()) & set(rest.tolist())
    (2, set())
    """
    sizes = groups.bincount().tolist()
    order = [group for group in torch.randperm(len(sizes), generator=generator).tolist() if sizes[group]]
    taken: list[int] = []
    room = max(1, round(share * len(groups)))
    for group in order:
        if sizes[group] <= room and len(taken) < len(order) - 1:
            taken.append(group)
            room -= sizes[group]
    if not taken and len(order) > 1:
        taken = [min(order, key=lambda group: sizes[group])]
    is_drawn = torch.isin(groups, torch.tensor(taken, dtype=groups.dtype))
    return (~is_drawn).nonzero().squeeze(1), is_drawn.nonzero().squeeze(1)


def latest_groups(ranks: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """The indices of what is left and of the latest share, as nearly as examples of one rank stay together.

    >>> latest_groups(torch.tensor([3, 0, 1, 2, 2]), 0.25)  # 3 alone is nearer than 3 with both of 2
    (tensor([1, 2, 3, 4]), tensor([0]))
    """
    counts = ranks.bincount()
    later = counts.flip(0).cumsum(0).flip(0)  # how many examples have a rank at least this one
    nearest = (later - max(1, round(share * len(ranks)))).abs()
    nearest[later == len(ranks)] = len(ranks) + 1  # something is left
    nearest[counts == 0] = len(ranks) + 1
    is_late = ranks >= nearest.argmin()
    if int((counts > 0).sum()) < 2:
        is_late = torch.zeros_like(is_late)
    return (~is_late).nonzero().squeeze(1), is_late.nonzero().squeeze(1)


def noisy_labels(targets: Tensor, share: float, classes: int, seed: int, kind: str = "symmetric") -> Tensor:
    """The targets with a share of them replaced by other classes.

    Symmetric noise draws them uniformly, and a drawn class may be the right one, so that a share r spoils
    r·(1 - 1/classes) of the labels on average (Zhang et al., ICLR 2017, "partially corrupted labels"). Asymmetric noise
    puts the next class in the place of each, the first in that of the last: every one of the share is wrong, and wrong
    ones are alike (Patrini et al., CVPR 2017). Exactly round(share · N) are replaced. At one seed the labels replaced
    at a smaller share are among those at a larger one, and those of both kinds are the same examples.

    >>> noisy_labels(torch.zeros(4, dtype=torch.int64), share=0.0, classes=10, seed=0)
    tensor([0, 0, 0, 0])
    >>> noisy_labels(torch.tensor([0, 8, 9]), share=1.0, classes=10, seed=0, kind="asymmetric")
    tensor([1, 9, 0])
    """
    generator = stream(seed, "label_noise")
    n = len(targets)
    replaced = torch.randperm(n, generator=generator)[: round(share * n)]
    drawn = torch.randint(classes, (n,), generator=generator) if kind == "symmetric" else (targets + 1) % classes
    noisy = targets.clone()
    noisy[replaced] = drawn[replaced]
    return noisy


def split_source(inputs: Tensor, targets: Tensor, task: Task, class_names: tuple[str, ...], split_seed: int) -> Source:
    """A source from a data set without a test part: a stratified fifth of it becomes one.

    At least one example of each class goes there if the class has two; one that has a single example is trained on.

    >>> from samcli.tasks import Binary
    >>> source = split_source(torch.zeros(10, 3), torch.arange(10) % 2, Binary(), ("no", "yes"), split_seed=0)
    >>> len(source.targets), sorted(source.test_targets.tolist())
    (8, [0, 1])
    """
    test, train = stratified(targets, round(TEST_SHARE * len(targets)), stream(split_seed, "test"), both=True)
    parts = (inputs.index_select(0, train), targets[train], inputs.index_select(0, test), targets[test])
    return Source(*parts, task, class_names)
