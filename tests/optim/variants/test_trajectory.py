"""The trajectory loss against torch's own divergence, and its gradient in pieces."""

import pytest
import torch
from torch import nn

from samcli.optim import Batch
from samcli.optim.variants._trajectory import check_logits, trajectory_loss


def test_is_the_tempered_divergence_of_known_examples() -> None:
    torch.manual_seed(0)
    outputs, past = torch.randn(5, 3), torch.randn(5, 3)
    known = torch.tensor([True, False, True, True, False])
    log_q, log_p = (nn.functional.log_softmax(z / 2.0, 1) for z in (outputs, past))
    each = nn.functional.kl_div(log_q, log_p, reduction="none", log_target=True).sum(1)
    torch.testing.assert_close(trajectory_loss(outputs, past, known, 2.0), 4.0 * each[known].sum() / 5)


@pytest.mark.parametrize("accumulate", [1, 2, 5])
def test_a_penalty_joins_the_gradient_but_not_the_loss(accumulate: int) -> None:
    torch.manual_seed(0)
    model, x, y, weights = nn.Linear(2, 3), torch.randn(5, 2), torch.randint(3, (5,)), torch.rand(5)
    batch = Batch(model, nn.functional.cross_entropy, x, y, accumulate=accumulate)
    loss = batch.penalised(lambda outputs, part: (weights[part] * outputs.square().sum(1)).mean())()
    found = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    plain = nn.functional.cross_entropy(model(x), y)
    expected = torch.autograd.grad(plain + (weights * model(x).square().sum(1)).mean(), list(model.parameters()))
    torch.testing.assert_close(loss, plain.detach())
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs)
    assert (batch.evaluated, batch.output is not None and len(batch.output)) == (5, 5)


@pytest.mark.parametrize("outputs", [torch.zeros(4), torch.zeros(4, 1), torch.zeros(4, 3, dtype=torch.int64)])
def test_what_is_no_distribution_over_classes_is_refused(outputs: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="saf compares distributions over classes"):
        check_logits("saf", outputs)
    check_logits("saf", torch.zeros(4, 2))
