"""The geometry of a perturbation: global norms, and the steepest ascent in a ball.

Everything works on lists of tensors that stand for one long vector, uses torch's multi-tensor operations, and stays on
the device: no function here waits for a result on the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def global_norm(tensors: Sequence[Tensor], p: float = 2.0) -> Tensor:
    """The p-norm of all tensors taken as one vector, as a tensor without dimensions.

    >>> global_norm([torch.tensor([3.0]), torch.tensor([[0.0, 4.0]])])
    tensor(5.)
    """
    # the norm of a sparse tensor is that of its values once those of one place are added up
    dense = [tensor.coalesce().values() if tensor.is_sparse else tensor for tensor in tensors]
    length: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(dense, p)), p)
    return length


def steepest_ascent(
    gradients: Sequence[Tensor],
    rho: float | Tensor,
    norm: float = 2.0,
    scales: Sequence[Tensor] | None = None,
) -> list[Tensor]:
    """The ε that maximises ⟨g, ε⟩ within ‖T⁻¹ε‖_p ≤ ρ, T a positive diagonal.

    With h = T g and the dual exponent 1/p + 1/q = 1::

        ε = ρ · T sign(h) |h|^(q-1) / ‖h‖_q^(q-1)

    so for p = 2 it is ρ T² g / ‖T g‖₂ and for p = ∞ it is ρ T sign(g). T = 1 gives SAM (Foret et al., ICLR 2021,
    eq. 2), T = |w| + η gives ASAM (Kwon et al., ICML 2021, eq. 9). Where the gradient is zero, ε is zero.

    Args:
        gradients: g, any shapes.
        rho: the radius ρ.
        norm: p, above 1; `math.inf` for the box.
        scales: T, one tensor for each gradient and of its shape; None for T = 1.

    Returns:
        ε as new tensors with the shapes and strides of the gradients.

    >>> steepest_ascent([torch.tensor([3.0, -4.0])], rho=0.5)
    [tensor([ 0.3000, -0.4000])]
    >>> steepest_ascent([torch.tensor([3.0, -4.0])], rho=0.5, norm=float("inf"))
    [tensor([ 0.5000, -0.5000])]
    """
    if not norm > 1.0:
        raise ValueError(f"The norm of the ball must be above 1, not {norm}.")
    scaled = list(gradients) if scales is None else list(torch._foreach_mul(list(gradients), list(scales)))
    if norm == 2.0:
        direction, length = scaled, global_norm(scaled)
        factor: float | Tensor = torch.where(length > 0, rho / length, 0.0)
    elif norm == float("inf"):
        direction, factor = list(torch._foreach_sign(scaled)), rho
    else:
        q = norm / (norm - 1.0)
        length = global_norm(scaled, q)
        # |h| / ‖h‖ before the power: no overflow for q far above 2
        shares = torch._foreach_mul(scaled, torch.where(length > 0, 1.0 / length, 0.0))
        magnitude = torch._foreach_pow(torch._foreach_abs(shares), q - 1.0)
        direction = list(torch._foreach_mul(magnitude, torch._foreach_sign(scaled)))
        factor = rho
    epsilon = list(torch._foreach_mul(direction, factor))
    if scales is not None:
        torch._foreach_mul_(epsilon, list(scales))
    return epsilon


def element_scales(weights: Sequence[Tensor], adaptive: Iterable[bool], eta: float) -> list[Tensor]:
    """ASAM's T: |w| + η for the tensors marked adaptive, 1 for the others (Kwon et al., ICML 2021, section 4).

    >>> element_scales([torch.tensor([-2.0]), torch.tensor([5.0])], [True, False], eta=0.5)
    [tensor([2.5000]), tensor([1.])]
    """
    return [w.abs().add_(eta) if scaled else torch.ones_like(w) for w, scaled in zip(weights, adaptive, strict=True)]


def rejection(tensors: Sequence[Tensor], along: Sequence[Tensor]) -> list[Tensor]:
    """The part of one vector that is orthogonal to another: v - ⟨v, u⟩/‖u‖² u; v itself where u is zero.

    >>> rejection([torch.tensor([1.0, 2.0])], along=[torch.tensor([0.0, 3.0])])
    [tensor([1., 0.])]
    """
    inner = torch.stack([(v * u).sum() for v, u in zip(tensors, along, strict=True)]).sum()
    square = global_norm(along).square()
    share = torch.where(square > 0, inner / square, 0.0)
    return list(torch._foreach_sub(list(tensors), torch._foreach_mul(list(along), share)))


def filter_norms(weights: Sequence[Tensor]) -> list[Tensor]:
    """The 2-norm of each filter, with as many dimensions as the tensor that holds it, to multiply that with.

    A filter is what makes one output: a slice along the first dimension of a tensor with two or more, otherwise the
    tensor as a whole.

    >>> filter_norms([torch.tensor([[3.0, 4.0], [0.0, 0.0]]), torch.tensor([0.0, 2.0])])
    [tensor([[5.],
            [0.]]), tensor([2.])]
    """
    return [torch.linalg.vector_norm(w, dim=tuple(range(min(1, w.dim() - 1), w.dim())), keepdim=True) for w in weights]


def filter_noise(weights: Sequence[Tensor], sigma: float, generator: torch.Generator) -> list[Tensor]:
    """Normal noise whose standard deviation is σ times the 2-norm of the filter that an element belongs to.

    Filters are those of `filter_norms` (Li et al., random weight perturbation, in their code).

    >>> noise = filter_noise([torch.tensor([[3.0, 4.0], [0.0, 0.0]])], 0.1, torch.Generator())
    >>> (noise[0] != 0).tolist()
    [[True, True], [False, False]]
    """
    noise = [torch.empty_like(w).normal_(generator=generator) for w in weights]
    norms = filter_norms(weights)
    torch._foreach_mul_(norms, sigma)
    torch._foreach_mul_(noise, norms)
    return noise


def replace_where(sound: Tensor, kept: Sequence[Tensor], new: Sequence[Tensor]) -> None:
    """Overwrite what is kept with something new if the device finds it sound; the host does not learn which.

    Args:
        sound: a flag without dimensions.
        kept: changed in place.
        new: of the same shapes.

    >>> kept = [torch.tensor([1.0])]
    >>> replace_where(torch.tensor(False), kept, [torch.tensor([float("nan")])])
    >>> kept
    [tensor([1.])]
    """
    for old, fresh in zip(kept, new, strict=True):
        old.copy_(torch.where(sound, fresh, old))
