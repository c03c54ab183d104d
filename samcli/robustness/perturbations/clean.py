"""Nothing changed."""

from __future__ import annotations

from dataclasses import dataclass

from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome
from samcli.robustness.subject import Subject


@PERTURBATIONS.register("clean")
@dataclass(frozen=True, kw_only=True)
class Clean(Perturbation):
    """Accuracy on the examples as they are, to read all others beside; the mean loss where there are no classes."""

    def of(self, subject: Subject) -> Outcome:
        return subject.outcome(subject.cached("clean", subject.values))
