"""The losses of single examples against `reduction="none"`."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samcli.losses import check_mean, example_losses, mean_loss
from samcli.tasks import Binary, Classification


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "expected"),
    [
        (F.cross_entropy, draw(6, 3), torch.arange(6) % 3, lambda o, t: F.cross_entropy(o, t, reduction="none")),
        (F.mse_loss, draw(6, 2, 2), draw(6, 2, 2).roll(1), lambda o, t: (o - t).square().mean((1, 2))),
        (
            Classification(4).loss,
            draw(5, 4),
            torch.arange(5) % 4,
            lambda o, t: F.cross_entropy(o, t, reduction="none"),
        ),
        (
            Binary().loss,
            draw(5, 1),
            torch.arange(5) % 2,
            lambda o, t: F.binary_cross_entropy_with_logits(o.squeeze(1), t.float(), reduction="none"),
        ),
    ],
)
def test_are_those_without_the_mean(
    loss: Callable[[Tensor, Tensor], Tensor],
    outputs: Tensor,
    targets: Tensor,
    expected: Callable[[Tensor, Tensor], Tensor],
) -> None:
    found = example_losses(loss, outputs, targets)
    torch.testing.assert_close(found, expected(outputs, targets))
    torch.testing.assert_close(found.mean(), loss(outputs, targets))


def test_are_differentiable_and_at_least_single_precision() -> None:
    outputs = draw(4, 3).bfloat16().requires_grad_()
    found = example_losses(F.cross_entropy, outputs, torch.arange(4) % 3)
    assert found.dtype == torch.float32
    found.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad.any()


def test_a_loss_derived_from_cross_entropy_is_no_cross_entropy() -> None:
    """It may compute something else, of which the sum is not known; a mean over examples it is taken for."""

    class Focal(nn.CrossEntropyLoss):
        def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
            each = nn.functional.cross_entropy(outputs, targets, reduction="none")
            return ((1.0 - torch.exp(-each)).square() * each).mean()

    class Named(nn.CrossEntropyLoss):
        pass

    assert mean_loss(Focal()) is None
    assert mean_loss(Named()) is not None
    check_mean(Focal(), torch.randn(6, 3), torch.arange(6) % 3)
