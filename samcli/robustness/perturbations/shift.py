"""Examples of the same classes from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace

from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome
from samcli.robustness.subject import Subject


@PERTURBATIONS.register("shift")
@dataclass(frozen=True, kw_only=True)
class Shift(Perturbation):
    """Accuracy on another data set of the same classes; the details have that on the network's own beside it."""

    source: str = option("", "the data set, by the name that it was given under")

    def of(self, subject: Subject) -> Outcome:
        if self.source not in subject.shifted:
            raise NotApplicable("it needs a data set of the same classes, which --shift names")
        own = subject.cached("clean", subject.values).double().mean().item()
        found = subject.outcome(subject.values_on(subject.shifted[self.source]))
        return replace(found, details={"data": self.source, "clean": own, **found.details})
