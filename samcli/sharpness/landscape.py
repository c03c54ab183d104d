"""The loss on lines and planes through trained weights, for pictures."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from samcli.losses import Loss
from samcli.sharpness.measure import measuring
from samcli.sharpness.measures.top_eigenvalues import TopEigenvalues
from samcli.sharpness.problem import Batches, Problem
from samcli.weights.geometry import filter_norms

Directions = Literal["random", "leading"]
Vector = list[Tensor]
Tell = Callable[[int, int], None]


def _silent(done: int, points: int) -> None: ...


@dataclass(frozen=True, eq=False)
class Landscape:
    """The mean loss at the points of a line or of a plane.

    Attributes:
        axes: the coordinates along each direction, one or two of them.
        losses: float64 on the CPU, a dimension for each axis; inf or NaN where the loss is not finite.
        examples: the number that the loss is a mean over.
        converged: False if the directions should not be taken for what they are called.
    """

    axes: tuple[tuple[float, ...], ...]
    losses: Tensor
    examples: int
    converged: bool = True


def loss_slice(
    model: nn.Module,
    loss: Loss,
    data: Batches,
    *,
    directions: Directions = "random",
    dimensions: int = 1,
    span: float = 1.0,
    points: int = 41,
    seed: int = 0,
    tell: Tell = _silent,
) -> Landscape:
    """L(w + α d) on a line, or L(w + α d + β e) on a plane, with α and β from -span to span.

    Random directions are filter-normalised (Li et al., "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018,
    section 4): standard normal, then each filter of d is given the norm of that filter of w, d_f ← d_f ‖w_f‖/‖d_f‖, so
    that α = 1 is a step as long as the weights, and rescaling filters that a later layer undoes changes nothing. A
    filter is a slice along the first dimension of a tensor; where w_f is zero, so is d_f. Tensors of one dimension
    (biases, normalisation layers) stay where they are, as the authors recommend. The second direction is drawn and
    normalised like the first, and not made orthogonal to it: in many dimensions it nearly is. d depends on the seed and
    the shapes alone before it is normalised, so networks of one architecture are cut along the same draw.

    Leading directions are the unit eigenvectors of the largest eigenvalues λ of ∇²L(w), each with the sign that points
    uphill: α is a distance, and to second order the loss is L(w) + α ⟨∇L(w), d⟩ + α² λ/2.

    Any mean over examples can stand for the loss, for instance the error rate. The model is in evaluation mode, with
    its own BatchNorm statistics at every point, and is left as it was, also after an error.

    Args:
        model: its parameters with `requires_grad` are w.
        loss: `loss(output, target)`, the mean over its batch.
        data: (input, target) batches of any sizes.
        directions: "random" or "leading".
        dimensions: 1 or 2.
        span: the largest coordinate.
        points: along each axis; w is among them where the number is odd.
        seed: decides random directions, and where the search for leading ones starts.
        tell: called after each point with the number of points done, and of all.

    Raises:
        ValueError: no such kind of directions, one or two of which the model does not have; fewer than two points; no
            examples.

    >>> model = nn.Linear(2, 1, bias=False)
    >>> data = [(torch.eye(2), torch.zeros(2, 1))]
    >>> found = loss_slice(model, nn.functional.mse_loss, data, directions="leading", points=3)
    >>> found.axes, len(found.losses)
    (((-1.0, 0.0, 1.0),), 3)
    """
    if directions not in ("random", "leading") or dimensions not in (1, 2):
        raise ValueError(f"A slice has 1 or 2 random or leading directions, not {dimensions} {directions} ones.")
    axes = (coordinates(-span, span, points),) * dimensions
    losses: list[float] = []
    with measuring(model, loss, data, seed=seed) as problem:
        basis, converged = _leading(problem, dimensions) if directions == "leading" else _random(problem, dimensions)
        for point in itertools.product(*axes):
            losses.append(problem.loss_at(_combination(point, basis)))
            tell(len(losses), points**dimensions)
    shape = [points] * dimensions
    return Landscape(axes, torch.tensor(losses, dtype=torch.float64).reshape(shape), problem.examples, converged)


def loss_line(
    model: nn.Module,
    other: Mapping[str, Tensor],
    loss: Loss,
    data: Batches,
    *,
    beyond: float = 0.5,
    points: int = 41,
    tell: Tell = _silent,
) -> Landscape:
    """L(w₀ + t (w₁ - w₀)) between two networks of one architecture, t from -beyond to 1 + beyond.

    Goodfellow, Vinyals and Saxe, "Qualitatively characterizing neural network optimization problems" (ICLR 2015). Every
    floating-point entry of the state is interpolated, BatchNorm's running statistics among them; beyond an end these
    stay what they are there, for a variance that goes on falling becomes negative. What is not floating is that of the
    first network. At t = 0 and t = 1 it is the two networks bit for bit. A barrier between networks that
    did not start alike may be due to the order of their neurons alone, which the loss does not depend on.

    Args:
        model: w₀; it is left as it is, the points are those of a copy.
        other: w₁, the `state_dict` of a network of the same architecture.
        loss: `loss(output, target)`, the mean over its batch.
        data: (input, target) batches of any sizes.
        beyond: how far the line goes on beyond either end, in units of its length.
        points: on the line; with 0.5 beyond, the two networks are among them where it is one more than a multiple of 4.
        tell: called after each point with the number of points done, and of all.

    Raises:
        ValueError: the networks differ in an entry or its shape; fewer than two points; no examples.

    >>> model, other = nn.Linear(1, 1, bias=False), {"weight": torch.tensor([[2.0]])}
    >>> found = loss_line(model, other, nn.functional.mse_loss, [(torch.ones(1, 1), torch.zeros(1, 1))], points=5)
    >>> found.axes[0], found.losses[3].item()  # at w₁
    ((-0.5, 0.0, 0.5, 1.0, 1.5), 4.0)
    """
    first = {name: entry for name, entry in model.state_dict().items() if _is_interpolated(entry)}
    last = {name: entry for name, entry in other.items() if _is_interpolated(entry)}
    _check_alike(first, last)
    between = copy.deepcopy(model)
    state = between.state_dict()  # the copy's own tensors
    weights = {name for name, _ in model.named_parameters()}
    axis = coordinates(-beyond, 1.0 + beyond, points)
    losses = []
    with measuring(between, loss, data) as problem:
        for t in axis:
            for name, start in first.items():
                share = t if name in weights else min(max(t, 0.0), 1.0)
                torch.lerp(start, last[name].to(start), share, out=state[name])
            losses.append(problem.loss_at())
            tell(len(losses), points)
    return Landscape((axis,), torch.tensor(losses, dtype=torch.float64), problem.examples)


def coordinates(start: float, stop: float, points: int) -> tuple[float, ...]:
    """Evenly spaced numbers, symmetric to the last bit where the ends are.

    Raises:
        ValueError: fewer than two points.

    >>> coordinates(-0.3, 0.3, 3)
    (-0.3, 0.0, 0.3)
    """
    if points < 2:
        raise ValueError(f"A line has two ends, so at least 2 points, not {points}.")
    return tuple((start * (points - 1 - i) + stop * i) / (points - 1) for i in range(points))


def _combination(point: Sequence[float], basis: Sequence[Vector]) -> Vector:
    total = torch._foreach_mul(basis[0], point[0])
    for coordinate, direction in zip(point[1:], basis[1:], strict=True):
        torch._foreach_add_(total, direction, alpha=coordinate)
    return list(total)


def _random(problem: Problem, dimensions: int) -> tuple[list[Vector], bool]:
    if all(weight.dim() < 2 for weight in problem.parameters):
        raise ValueError("No parameter has filters, that is two dimensions or more; choose leading directions.")
    return [_filter_normalised(problem, number) for number in range(dimensions)], True


@torch.no_grad()
def _filter_normalised(problem: Problem, number: int) -> Vector:
    draw = problem.normal(problem.generator(f"landscape {number}"))
    for part, norm, wanted in zip(draw, filter_norms(draw), filter_norms(problem.parameters), strict=True):
        part.mul_(torch.where(norm > 0.0, wanted / norm, 0.0) if part.dim() > 1 else 0.0)
    return draw


def _leading(problem: Problem, dimensions: int) -> tuple[list[Vector], bool]:
    found = TopEigenvalues(k=dimensions).find(problem)
    if len(found.pairs) < dimensions:
        raise ValueError(f"The Hessian has no {dimensions} leading eigenvectors; choose random directions.")
    gradient = torch.cat([part.reshape(-1) for part in problem.loss_and_gradient[1]])
    uphill = [-pair.vector if pair.vector.dot(gradient) < 0 else pair.vector for pair in found.pairs]
    return [problem.unflatten(vector) for vector in uphill], found.converged


def _is_interpolated(entry: Any) -> bool:
    return isinstance(entry, Tensor) and entry.is_floating_point()


def _check_alike(first: Mapping[str, Tensor], last: Mapping[str, Tensor]) -> None:
    for name in [*first, *last]:
        if name not in first or name not in last:
            raise ValueError(f"The two networks differ: only one of them has {name}.")
        if first[name].shape != last[name].shape:
            sizes = " and ".join("x".join(map(str, entry[name].shape)) for entry in (first, last))
            raise ValueError(f"The two networks differ: {name} is {sizes}.")
