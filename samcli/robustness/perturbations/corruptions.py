"""All corruptions together."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome, mean_of
from samcli.robustness.perturbations._corruption import Corruption
from samcli.robustness.subject import Subject


@PERTURBATIONS.register("corruptions")
@dataclass(frozen=True, kw_only=True)
class Corruptions(Perturbation):
    """The mean accuracy over all kinds of corruption and their five severities, each kind with the same weight.

    The standard error is that of a mean over images, of the share of the corruptions under which each is right: the
    corruptions are these, and no sample of others.
    """

    kinds: tuple[str, ...] = option((), "which kinds; none named: all that are listed as robustness tests")

    def of(self, subject: Subject) -> Outcome:
        made = {name: PERTURBATIONS.create(name) for name in self.kinds or PERTURBATIONS}
        kinds = {name: one for name, one in made.items() if isinstance(one, Corruption)}
        found = {name: one.values(subject) for name, one in kinds.items()}
        each = torch.stack([values.mean(0) for values in found.values()]).mean(0)
        by_kind = {name: values.mean().item() for name, values in found.items()}
        by_severity = torch.stack([values.mean(1) for values in found.values()]).mean(0).tolist()
        return mean_of(each, "accuracy", kinds=by_kind, severities=by_severity, seed=subject.seed)
