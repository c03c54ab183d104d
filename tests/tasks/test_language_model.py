"""A language model against sums written out."""

import math

import pytest
import torch
from torch import Tensor

from samcli.errors import ConfigError
from samcli.losses import example_losses
from samcli.metrics import SCORES
from samcli.tasks import LanguageModel


def draw(n: int, length: int, vocabulary: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(n)
    logits = 3 * torch.randn(n, length, vocabulary, generator=generator)
    return logits, torch.randint(vocabulary, (n, length), generator=generator)


def nats_of(logits: Tensor, targets: Tensor) -> Tensor:
    """-ln p of each token, (N, T)."""
    return -logits.double().softmax(-1).gather(2, targets[..., None]).squeeze(2).log()


def test_the_loss_is_the_mean_over_all_tokens() -> None:
    logits, targets = draw(5, 7, 11)
    loss = LanguageModel(11).loss(logits, targets)
    assert loss.item() == pytest.approx(nats_of(logits, targets).mean().item(), rel=1e-6)
    each = example_losses(LanguageModel(11).loss, logits, targets)
    torch.testing.assert_close(each, nats_of(logits, targets).mean(1).float())


def test_smoothing_spreads_a_share_over_the_vocabulary() -> None:
    logits, targets = draw(5, 7, 11)
    plain, spread = nats_of(logits, targets).mean(), -logits.double().log_softmax(-1).mean()
    found = LanguageModel(11).loss(logits, targets, label_smoothing=0.2)
    assert found.item() == pytest.approx((0.8 * plain + 0.2 * spread).item(), rel=1e-6)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_bits_per_byte_of_bytes_are_the_loss_in_bits_however_batches_are_cut(size: int) -> None:
    task = LanguageModel(11)
    logits, targets = draw(5, 7, 11)
    parts = zip(logits.split(size), targets.split(size), strict=True)
    sums = torch.stack([task.statistics(*part) for part in parts]).sum(0)
    assert sums.dtype == torch.float64
    assert task.score(sums, 5) == pytest.approx(task.loss(logits, targets).item() / math.log(2), rel=1e-6)


def test_bits_per_byte_of_tokens_count_the_bytes_that_they_stand_for() -> None:
    lengths = tuple(float(1 + token % 3) for token in range(11))
    task = LanguageModel(11, lengths)
    logits, targets = draw(5, 7, 11)
    text_bytes = sum(lengths[token] for token in targets.flatten().tolist())
    expected = nats_of(logits, targets).sum().item() / math.log(2) / text_bytes
    assert task.score(task.statistics(logits, targets), 5) == pytest.approx(expected, rel=1e-6)


def test_what_is_not_defined_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"mixup averages inputs, and the tokens of a text have no average; leave"):
        LanguageModel(3).soft(torch.zeros(1, 2, dtype=torch.int64))
    with pytest.raises(ValueError, match="There are 2 lengths for 3 tokens"):
        LanguageModel(3, (1.0, 2.0))


def test_less_is_better() -> None:
    score = SCORES[LanguageModel.metric]
    assert not score.higher_is_better
    assert score.gap(train=1.5, test=2.0) == 0.5
    assert LanguageModel(3).classes is None


def test_what_is_said_of_the_next_token() -> None:
    task, output = LanguageModel(3), torch.tensor([[[0.0, 2.0, 1.0], [3.0, 0.0, 0.0]]])
    assert task.predicted(output).tolist() == [[1, 0]]
    assert torch.allclose(task.prediction(output).sum(-1), torch.ones(1, 2))
    with pytest.raises(ConfigError, match="no classes to weigh"):
        task.weighted_loss(torch.ones(3))
