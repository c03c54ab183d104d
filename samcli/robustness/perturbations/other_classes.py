"""Whether a network is less sure of what it has never seen."""

from __future__ import annotations

from dataclasses import dataclass

from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome, area_under_roc, without_value
from samcli.robustness.subject import Subject


@PERTURBATIONS.register("other-classes")
@dataclass(frozen=True, kw_only=True)
class OtherClasses(Perturbation):
    """AUROC of confidence: how often an example is given more confidence than one of classes that were never learned.

    D. Hendrycks, K. Gimpel, "A Baseline for Detecting Misclassified and Out-of-Distribution Examples in Neural
    Networks" (ICLR 2017). 0.5 is chance, 1 is told apart in every pair; the error is DeLong's.
    """

    source: str = option("", "the data set, by the name that it was given under")

    def of(self, subject: Subject) -> Outcome:
        subject.need_classes()
        if self.source not in subject.foreign:
            raise NotApplicable("it needs data of other classes, which --other-classes names")
        own, foreign = (subject.probabilities(batches).amax(1) for batches in (None, subject.foreign[self.source]))
        details = {"data": self.source, "confidence": own.mean().item(), "confidence_there": foreign.mean().item()}
        details["seed"] = subject.seed
        if not bool(own.isfinite().all() and foreign.isfinite().all()):
            return without_value("an output is not finite", len(own) + len(foreign), "roc_auc", **details)
        return area_under_roc(own, foreign, **details)
