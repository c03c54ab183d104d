import math

import pytest
import torch

from samcli.data.split import (
    drawn_groups,
    hold_out,
    latest_groups,
    noisy_labels,
    split_source,
    stratified,
    training_subset,
)
from samcli.streams import stream
from samcli.tasks import Classification


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("size", [0, 1, 7, 50, 99, 100])
def test_every_class_has_its_share(size: int) -> None:
    targets = torch.tensor([0] * 50 + [1] * 30 + [2] * 15 + [4] * 5)[torch.randperm(100, generator=generator(1))]
    chosen, rest = stratified(targets, size, generator())
    assert sorted([*chosen.tolist(), *rest.tolist()]) == list(range(100))
    assert len(chosen) == size
    exact = targets.bincount() * size / 100
    # largest remainders: within one place of the exact share
    assert ((targets[chosen].bincount(minlength=5) - exact).abs() < 1).all()


def test_a_choice_is_uniform_within_its_class() -> None:
    targets = torch.tensor([0, 0, 0, 1, 1])
    counts = torch.zeros(5)
    for seed in range(500):
        counts[stratified(targets, 3, generator(seed))[0]] += 1
    # 2 of the 3 and 1 of the 2 (remainders 0.8 and 0.2); five standard deviations of a binomial
    expected = torch.tensor([2 / 3] * 3 + [1 / 2] * 2)
    assert ((counts / 500 - expected).abs() < 5 * (expected * (1 - expected) / 500).sqrt()).all()


def test_real_targets_have_no_strata() -> None:
    chosen, rest = stratified(torch.linspace(0, 1, 20), 5, generator())
    assert (len(chosen), len(rest)) == (5, 15)


def test_too_many_is_an_error() -> None:
    with pytest.raises(ValueError, match="A choice of 4 from 3"):
        stratified(torch.zeros(3), 4, generator())


def test_hold_out_is_a_function_of_the_seed() -> None:
    targets = torch.arange(200) % 10
    train, held_out = hold_out(targets, 0.1, seed=0)
    assert (len(train), targets[held_out].bincount().tolist()) == (180, [2] * 10)
    assert torch.equal(held_out, hold_out(targets, 0.1, seed=0)[1])
    assert not torch.equal(held_out, hold_out(targets, 0.1, seed=1)[1])
    assert len(hold_out(targets, 1e-6, seed=0)[1]) == 1


def test_training_subset_takes_shares() -> None:
    targets = torch.arange(1000) % 10
    assert targets[training_subset(targets, 100)].bincount().tolist() == [10] * 10


@pytest.mark.parametrize("share", [0.1, 0.4, 1.0])
def test_the_rate_of_label_noise(share: float) -> None:
    n, classes = 20_000, 10
    targets = torch.arange(n) % classes
    noisy = noisy_labels(targets, share, classes, seed=3)
    changed = (noisy != targets).sum().item()
    replaced = round(share * n)
    # a drawn class is the right one with probability 1/10; five standard deviations
    assert abs(changed - 0.9 * replaced) < 5 * math.sqrt(0.09 * replaced)
    # uniform over the classes: each is drawn for a tenth of the replaced
    drawn = noisy[noisy != targets].bincount(minlength=classes)
    assert ((drawn - changed / classes).abs() < 5 * math.sqrt(changed / classes)).all()


def test_label_noise_is_a_function_of_the_seed_and_nested() -> None:
    targets = torch.arange(1000) % 10
    some, more = (noisy_labels(targets, share, 10, seed=0) for share in (0.2, 0.4))
    assert torch.equal(some, noisy_labels(targets, 0.2, 10, seed=0))
    assert not torch.equal(some, noisy_labels(targets, 0.2, 10, seed=1))
    changed = some != targets
    assert torch.equal(more[changed], some[changed])
    assert torch.equal(targets, torch.arange(1000) % 10)  # the source is left as it was


def test_a_split_has_each_class_on_both_sides() -> None:
    targets = torch.tensor([0] * 100 + [1] * 2 + [2] * 1 + [3] * 3)
    source = split_source(torch.arange(106.0)[:, None], targets, Classification(4), (), split_seed=0)
    assert source.targets.bincount().tolist() == [80, 1, 1, 2]
    assert source.test_targets.bincount(minlength=4).tolist() == [20, 1, 0, 1]


def test_a_split_without_rare_classes_is_the_stratified_choice() -> None:
    targets = torch.arange(100) % 7
    source = split_source(torch.arange(100.0)[:, None], targets, Classification(7), (), split_seed=3)
    chosen, _ = stratified(targets, 20, stream(3, "test"))
    assert source.test_inputs[:, 0].tolist() == chosen.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_groups_are_drawn_whole_and_nearly_as_many_as_asked_for(seed: int) -> None:
    groups = torch.randint(12, (100,), generator=torch.Generator().manual_seed(seed))
    rest, drawn = drawn_groups(groups, 0.2, torch.Generator().manual_seed(seed))
    assert not set(groups[rest].tolist()) & set(groups[drawn].tolist())
    assert sorted([*rest.tolist(), *drawn.tolist()]) == list(range(100))
    assert 10 <= len(drawn) <= 20


def test_a_group_larger_than_the_share_is_drawn_if_there_is_no_smaller_one() -> None:
    groups = torch.tensor([4] * 6 + [2] * 5)  # numbers of groups need not be without gaps
    rest, drawn = drawn_groups(groups, 0.1, torch.Generator().manual_seed(0))
    assert (groups[rest].unique().tolist(), groups[drawn].unique().tolist()) == ([4], [2])
    assert len(drawn_groups(torch.zeros(5, dtype=torch.int64), 0.5, torch.Generator())[1]) == 0


@pytest.mark.parametrize(
    ("ranks", "share", "late"),
    [([0, 1, 2, 3, 4], 0.4, [3, 4]), ([5, 5, 9, 9, 9], 0.2, [2, 3, 4]), ([3, 1, 1, 1, 1], 0.6, [0]), ([7, 7], 0.5, [])],
)
def test_the_latest_are_those_of_the_highest_ranks(ranks: list[int], share: float, late: list[int]) -> None:
    rest, latest = latest_groups(torch.tensor(ranks), share)
    assert latest.tolist() == late
    assert sorted([*rest.tolist(), *late]) == list(range(len(ranks)))


def test_asymmetric_noise_takes_the_next_class_of_the_same_examples() -> None:
    targets = torch.arange(1000) % 7
    symmetric = noisy_labels(targets, 0.3, 7, seed=5)
    asymmetric = noisy_labels(targets, 0.3, 7, seed=5, kind="asymmetric")
    changed = asymmetric != targets
    assert int(changed.sum()) == 300
    assert torch.equal(asymmetric[changed], (targets[changed] + 1) % 7)
    assert not bool((symmetric != targets)[~changed].any())
    fewer = noisy_labels(targets, 0.1, 7, seed=5, kind="asymmetric") != targets
    assert not bool(fewer[~changed].any())
