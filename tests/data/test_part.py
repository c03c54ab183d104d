import torch

from samcli.data.normalise import Normalisation
from samcli.data.part import Part


def make_part(n: int = 10) -> Part:
    pixels = torch.arange(n * 4, dtype=torch.uint8).view(n, 2, 2, 1)
    return Part(pixels, torch.arange(n), Normalisation(pixels, torch.device("cpu")))


def test_batches_are_in_order_and_the_tail_is_kept() -> None:
    part = make_part()
    batches = list(part.batches(4))
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert torch.equal(torch.cat([y for _, y in batches]), torch.arange(10))
    x = torch.cat([x for x, _ in batches])
    expected = (part.inputs.permute(0, 3, 1, 2) / 255 - part.normalisation.mean) / part.normalisation.std
    torch.testing.assert_close(x, expected)


def test_a_table_is_passed_on_as_it_is() -> None:
    rows = torch.randn(5, 3)
    part = Part(rows, torch.arange(5), Normalisation(rows, torch.device("cpu")))
    assert torch.equal(next(part.batches(5))[0], rows)


def test_a_subset_is_fixed_by_its_seed() -> None:
    part = make_part(50)
    subset = part.subset(20, seed=0)
    assert len(subset) == len(set(subset.targets.tolist())) == 20
    assert torch.equal(subset.inputs, part.inputs[subset.targets])
    assert torch.equal(subset.targets, part.subset(20, seed=0).targets)
    assert not torch.equal(subset.targets, part.subset(20, seed=1).targets)
    assert len(part.subset(100, seed=0)) == 50
