"""Scores of rounds of clients against plain loops."""

import statistics

import pytest
import torch

from samcli.tasks import Binary, Classification
from samcli.train.client_scores import ClassHits, recent, worst_tenth


def test_hits_are_counted_over_batches() -> None:
    generator = torch.Generator().manual_seed(0)
    output, target = torch.randn(40, 5, generator=generator), torch.randint(4, (40,), generator=generator)
    hits = ClassHits(Classification(5))
    for start in range(0, 40, 16):
        hits(output[start : start + 16], target[start : start + 16])
    found = hits.accuracies()
    for c in range(4):
        own = output[target == c].argmax(1)
        assert float(found[c]) == float((own == c).double().mean())
    assert bool(found[4].isnan())


def test_two_classes_have_one_output() -> None:
    hits = ClassHits(Binary())
    hits(torch.tensor([[2.0], [-1.0], [3.0]]), torch.tensor([1, 1, 0]))
    assert hits.accuracies().tolist() == [0.0, 0.5]


@pytest.mark.parametrize(("clients", "tenth"), [(3, 1), (10, 1), (11, 2), (40, 4)])
def test_the_worst_tenth(clients: int, tenth: int) -> None:
    generator = torch.Generator().manual_seed(clients)
    shares = torch.rand(clients, 3, generator=generator, dtype=torch.float64)
    shares /= shares.sum(1, keepdim=True)
    accuracies = torch.tensor([0.9, 0.2, 0.6], dtype=torch.float64)
    each = sorted(sum(float(p) * float(a) for p, a in zip(row, accuracies, strict=True)) for row in shares)
    assert worst_tenth(accuracies, shares) == pytest.approx(statistics.fmean(each[:tenth]), abs=1e-12)


def test_a_class_that_nobody_is_tested_on_counts_for_nobody() -> None:
    accuracies = torch.tensor([0.5, float("nan")])
    assert worst_tenth(accuracies, torch.tensor([[0.1, 0.9], [0.0, 1.0]])) == 0.5
    assert worst_tenth(accuracies, torch.tensor([[0.0, 1.0]])) is None


def test_recent_rounds() -> None:
    rows: list[dict[str, float | int | None]] = [{"a": value} for value in (0.1, 0.4, None, 0.6)]
    assert recent([], "a", 0.5, 3) == (0.5, None)
    mean, scatter = recent(rows, "a", 0.8, 3)
    assert (mean, scatter) == (pytest.approx(0.7), pytest.approx(statistics.stdev([0.6, 0.8])))
    mean, scatter = recent(rows, "a", 0.8, 50)
    assert mean == pytest.approx(statistics.fmean([0.1, 0.4, 0.6, 0.8]))
