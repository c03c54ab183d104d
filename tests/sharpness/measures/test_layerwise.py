"""The layerwise worst case; what it shares with the other worst-case measures is tested with them."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from samcli.sharpness import MEASURES, Problem


def examples() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return torch.randn(60, 4, generator=generator), torch.randint(3, (60,), generator=generator)


class Recording(Problem):
    """Keeps every perturbation at which the loss was asked for."""

    def __init__(self, model: nn.Module) -> None:
        x, y = examples()
        super().__init__(model.eval(), nn.functional.cross_entropy, [(x, y)], 0)
        self.visited: list[list[Tensor]] = []

    def loss_at(self, epsilon: Sequence[Tensor] | None = None) -> float:
        self.visited.append(list(epsilon or []))
        return super().loss_at(epsilon)

    def loss_and_gradient_at(self, epsilon: Sequence[Tensor]) -> tuple[float, list[Tensor]]:
        self.visited.append(list(epsilon))
        return super().loss_and_gradient_at(epsilon)


def test_linear_loss() -> None:
    """Σ over layers of ξ ‖w_l‖ ‖g_l‖."""
    torch.manual_seed(2)
    model, (x, _) = nn.Linear(4, 1).double(), examples()
    where = Problem(model, lambda output, target: output.mean(), [(x.double(), x)], 0)
    expected = 0.01 * float(model.weight.detach().norm() * x.double().mean(0).norm() + model.bias.detach().norm())
    found = MEASURES.create("worst-case-layerwise", xi=0.01).of(where)
    assert found.value == pytest.approx(expected, rel=1e-9)
    assert found.details["layers"] == 2


def test_leaves_normalisation_layers_and_zero_tensors_alone() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))
    nn.init.zeros_(model[3].bias)
    where = Recording(model)
    found = MEASURES.create("worst-case-layerwise", xi=0.1, restarts=2).of(where)
    moves = {name: any(bool(e[i].any()) for e in where.visited) for i, name in enumerate(where.names)}
    assert [name for name, moved in moves.items() if moved] == ["0.weight", "0.bias", "3.weight"]
    assert found.details["layers"] == 3
    assert found.value > 0.0
