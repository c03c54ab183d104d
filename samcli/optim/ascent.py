"""The options of the ascent: which examples the passes that find the perturbation see, and what they climb."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from samcli.registry import checks_options, option


@checks_options
@dataclass(frozen=True, kw_only=True)
class Ascent:
    """The options of the ascent, the same for every variant, under the same names in files and in the library.

    `m` perturbs micro-batches each by itself and averages their gradients (m-sharpness, Foret et al., ICLR 2021,
    section 3.1). `ascent_fraction` and `ascent_precision` make the passes cheaper that find where to look: they see the
    first examples of the batch only, or compute in bfloat16. A rule that descends their gradient too then descends the
    cheaper one. All three need a `Batch` as the closure. `ascent_weight_decay` adds the base optimizer's weight decay
    to the gradient that is climbed.

    >>> Ascent(ascent_fraction=0.25).is_cheaper, Ascent(m=16).is_cheaper
    (True, False)
    """

    m: int | None = option(
        None,
        "size of the micro-batches that are each perturbed by themselves (m-sharpness); null: the batch",
        minimum=1,
    )
    ascent_fraction: float = option(
        1.0, "share of the batch in the passes that find where to look", above=0.0, maximum=1.0
    )
    ascent_precision: str | None = option(
        None, "precision of those passes; null: that of the run", choices=(None, "bf16")
    )
    ascent_weight_decay: bool = option(False, "whether the gradient that is climbed contains the weight decay")

    @property
    def dtype(self) -> torch.dtype | None:
        """The type that autocast takes in the passes that find where to look; None leaves the closure's precision."""
        return torch.bfloat16 if self.ascent_precision == "bf16" else None

    @property
    def is_cheaper(self) -> bool:
        """Whether the passes that find where to look cost less than the others."""
        return self.ascent_fraction < 1.0 or self.dtype is not None


WHOLE = Ascent()
