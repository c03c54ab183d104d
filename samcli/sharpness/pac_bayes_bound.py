"""A bound on the error of a network with random weights, by a prior that has seen other examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from samcli.errors import NotApplicable
from samcli.examples import moved_to, pairs
from samcli.sharpness.problem import Batches
from samcli.stats.binary_kl import kl_upper
from samcli.weights.state import untouched

SIGMAS = (0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128)
TRIES = 10  # draws by which σ is chosen
MONTE_CARLO = 0.2  # the share of δ that goes to the draws


@dataclass(frozen=True)
class PacBayesBound:
    """The bound, and what it is made of.

    Attributes:
        value: with probability 1 - δ the error of the network with random weights is at most this.
        risk: the share of errors on the examples, the mean over the draws.
        risk_bound: what the expectation of that over all draws is at most.
        kl: KL(Q‖P) in nats.
        sigma: the standard deviation σ of each weight.
        n: the examples of the bound.
        delta: δ.
        draws: of the weights.
    """

    value: float
    risk: float
    risk_bound: float
    kl: float
    sigma: float
    n: int
    delta: float
    draws: int


def pac_bayes_bound(
    model: nn.Module,
    prior: Sequence[Tensor],
    is_wrong: Callable[[Any, Any], Tensor],
    data: Batches,
    *,
    delta: float = 0.05,
    sigmas: Sequence[float] = SIGMAS,
    draws: int = 1000,
    seed: int = 0,
) -> PacBayesBound:
    """A bound on the error of a network whose weights are w + σz, from examples that its prior has not seen.

    With probability 1 - δ over the n examples and the draws::

        kl(R̂‖R) ≤ (KL(Q‖P) + ln(2√n/δ₁))/n,  KL = ‖w - w_p‖²/2σ²,  Q = N(w, σ²I),  P = N(w_p, σ²I)

    (J. Langford, M. Seeger, 2001; A. Maurer, "A Note on the PAC Bayesian Theorem", 2004), where R̂ and R are the errors
    of Q on the examples and on all there could be. R̂ is an expectation over all weights, and is itself bounded by the
    mean R̂_k of k draws: kl(R̂_k‖R̂) ≤ ln(2/δ₂)/k (J. Langford, R. Caruana, 2001). δ₂ is a fifth of δ; what is left is
    divided by the number of σ that are tried, for the best is chosen after the examples were seen (a union bound). σ
    is chosen by ten draws each, and the k draws of the bound are fresh ones.

    The prior is a network that was trained on other examples (G. K. Dziugaite et al., "On the Role of Data in
    PAC-Bayes Bounds", AISTATS 2021): where it has seen these the bound means nothing. Nothing else of what the network
    computes may depend on them but its weights: networks with running statistics are refused, and inputs must have
    been normalised by other examples.

    Args:
        model: all its parameters are random; it comes back as it was, bit for bit.
        prior: w_p, a tensor for each parameter in their order.
        is_wrong: of outputs and targets of a batch, (B,) bool.
        data: (input, target) batches.
        delta: δ, from 0 to 1.
        sigmas: what σ may be, fixed before the examples were seen.
        draws: k.
        seed: decides the draws.

    Raises:
        NotApplicable: the model has running statistics, or the prior's tensors are not those of the model.

    >>> model, data = nn.Linear(2, 2), [(torch.eye(2), torch.tensor([0, 1]))]
    >>> model.weight.data, model.bias.data = torch.eye(2), torch.zeros(2)
    >>> prior = [parameter.detach().clone() for parameter in model.parameters()]
    >>> found = pac_bayes_bound(model, prior, lambda output, target: output.argmax(1) != target, data, draws=100)
    >>> found.risk, found.kl, found.n, found.value < 1.0  # two examples bound nothing by much
    (0.0, 0.0, 2, True)
    """
    inner = cast(nn.Module, getattr(model, "_orig_mod", model))
    if any(buffer.is_floating_point() for buffer in inner.buffers()):
        raise NotApplicable(
            "A PAC-Bayes bound needs a network whose outputs depend on examples by its weights alone, and this one has "
            "running statistics (BatchNorm); take one without, such as mlp."
        )
    parameters = list(inner.parameters())
    if [tuple(one.shape) for one in prior] != [tuple(one.shape) for one in parameters]:
        raise NotApplicable("The prior has other tensors than the network; take one of the same architecture.")
    device = parameters[0].device
    batches = [moved_to(batch, device) for batch in pairs(data)]
    n = sum(len(targets) for _, targets in batches)
    distance = sum(
        float((w.detach().cpu().double() - p.cpu().double()).square().sum())
        for w, p in zip(parameters, prior, strict=True)
    )
    each = (1.0 - MONTE_CARLO) * delta / len(sigmas)

    def bound(risk: float, sigma: float) -> float:
        return kl_upper(risk, (distance / (2.0 * sigma**2) + math.log(2.0 * math.sqrt(n) / each)) / n)

    with untouched(inner), _RandomWeights(parameters) as random:

        def risk_at(sigma: float, count: int, purpose: int) -> float:
            generator = torch.Generator().manual_seed(2 * seed + purpose)
            wrong = torch.zeros((), dtype=torch.int64, device=device)
            with torch.no_grad():
                for _ in range(count):
                    random.draw(sigma, generator)
                    for inputs, targets in batches:
                        wrong += is_wrong(inner(inputs), targets).sum()
            return int(wrong) / (n * count)

        sigma = min(sigmas, key=lambda one: bound(risk_at(one, TRIES, 0), one))
        risk = risk_at(sigma, draws, 1)
    risk_bound = kl_upper(risk, math.log(2.0 / (MONTE_CARLO * delta)) / draws)
    kl = distance / (2.0 * sigma**2)
    return PacBayesBound(bound(risk_bound, sigma), risk, risk_bound, kl, sigma, n, delta, draws)


class _RandomWeights:
    """Parameters that are drawn anew around where they were, and put back at the end."""

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = parameters
        self._saved = [one.detach().clone() for one in parameters]

    def draw(self, sigma: float, generator: torch.Generator) -> None:
        """Set each to w + σz."""
        for one, old in zip(self._parameters, self._saved, strict=True):
            one.copy_(old + sigma * torch.randn(one.shape, generator=generator).to(one))

    def __enter__(self) -> _RandomWeights:
        return self

    def __exit__(self, *raised: object) -> None:
        with torch.no_grad():
            for one, old in zip(self._parameters, self._saved, strict=True):
                one.copy_(old)
