"""The engine's promises, as checks that any variant can be put to: for users' own variants, and for ours.

Each takes a variant and what it stands on, and returns what was found, in words: empty if the promise holds.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from samcli.optim.base import SGD, Base
from samcli.optim.promises._trial import Trial as Trial
from samcli.optim.promises.passes import (
    costs_as_it_says,
    draws_as_one_pass,
    passes_share_their_draws,
    statistics_count_once,
)
from samcli.optim.promises.settings import (
    climbs_cheaper,
    climbs_the_weight_decay,
    micro_batches_stand_apart_as_it_says,
    takes_a_scaled_loss,
    takes_micro_batches,
    takes_pieces_in_bfloat16,
)
from samcli.optim.promises.steps import repeats_as_it_says, resumes_bit_for_bit
from samcli.optim.promises.weights import (
    bad_gradient_changes_nothing,
    bad_second_gradient_changes_nothing,
    radius_matters,
    stays_finite,
    weights_come_back,
    weights_come_back_after_an_error,
    zero_radius_is_the_base,
)
from samcli.optim.variant import Variant

Promise = Callable[[Variant, Base], str]
PROMISES: tuple[Promise, ...] = (
    zero_radius_is_the_base,
    radius_matters,
    weights_come_back,
    weights_come_back_after_an_error,
    statistics_count_once,
    draws_as_one_pass,
    passes_share_their_draws,
    costs_as_it_says,
    resumes_bit_for_bit,
    bad_gradient_changes_nothing,
    bad_second_gradient_changes_nothing,
    stays_finite,
    repeats_as_it_says,
    takes_a_scaled_loss,
    takes_micro_batches,
    micro_batches_stand_apart_as_it_says,
    climbs_the_weight_decay,
    climbs_cheaper,
    takes_pieces_in_bfloat16,
)


def broken_promises(variant: Variant, base: Base | None = None) -> dict[str, str]:
    """Put a variant to every promise.

    >>> from samcli.optim import VARIANTS
    >>> any(broken_promises(VARIANTS.create("sam")).values())
    False

    Args:
        variant: with the options to try it with.
        base: the optimizer that it stands on; SGD with momentum and weight decay if left out.

    Returns:
        The name of each promise with what was found: empty if it holds.
    """
    base = SGD(lr=0.05, weight_decay=0.01) if base is None else base
    random_state = torch.get_rng_state()
    found = {}
    for promise in PROMISES:
        try:
            found[promise.__name__] = promise(variant, base)
        except Exception as error:  # a user's code may raise anything; the other promises are tried all the same
            found[promise.__name__] = f"raised {type(error).__name__}: {error}"
    torch.set_rng_state(random_state)
    return found


def meaning(promise: str) -> str:
    """The sentence that says what a promise is.

    >>> meaning("weights_come_back")
    'With learning rate 0 the weights do not move, whatever was perturbed.'
    """
    (found,) = [p for p in PROMISES if p.__name__ == promise]
    return (found.__doc__ or "").strip()
