"""A small network with everything that makes a second pass delicate: BatchNorm, dropout, an unused parameter."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(4 * 36, 3)
        self.unused = nn.Linear(2, 2)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.dropout(self.norm(self.conv(x)).relu().flatten(1))) * self.frozen


Batch = tuple[Tensor, Tensor]


@pytest.fixture
def make_net() -> Callable[[], Net]:
    def make() -> Net:
        torch.manual_seed(0)
        return Net()

    return make


@pytest.fixture
def batches() -> list[Batch]:
    generator = torch.Generator().manual_seed(7)
    return [
        (torch.randn(16, 1, 8, 8, generator=generator), torch.randint(3, (16,), generator=generator)) for _ in range(20)
    ]


@pytest.fixture
def closure_of() -> Callable[[nn.Module, Batch], Callable[[], Tensor]]:
    def make(model: nn.Module, batch: Batch) -> Callable[[], Tensor]:
        def closure() -> Tensor:
            model.zero_grad()
            loss = nn.functional.cross_entropy(model(batch[0]), batch[1])
            loss.backward()
            return loss

        return closure

    return make
