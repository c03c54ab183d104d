"""Whether confidence is what it says."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from samcli.calibration import BINS, calibration_error
from samcli.errors import NotApplicable
from samcli.registry import option
from samcli.robustness.base import PERTURBATIONS, Perturbation
from samcli.robustness.outcome import Outcome, without_value
from samcli.robustness.subject import Subject

MOST_BINS = 10_000  # there are seldom more examples to fill them, and each takes memory
DRAWS = 200  # bootstrap samples; the error of a standard error by them is about 5 %


@PERTURBATIONS.register("calibration")
@dataclass(frozen=True, kw_only=True)
class Calibration(Perturbation):
    """Expected calibration error: Σ |accuracy - confidence| over bins of confidence, weighted by their examples.

    M. P. Naeini, G. F. Cooper, M. Hauskrecht (AAAI 2015); C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of
    Modern Neural Networks" (ICML 2017). Confidence is the largest probability. Less is better. Of few examples it is
    too large even where confidence is right, by chance within bins; compare networks on equally many. The standard
    error is that of 200 bootstrap samples of the examples.
    """

    bins: int = option(
        BINS, "bins of equal width in which confidence is compared with accuracy", minimum=1, maximum=MOST_BINS
    )

    def of(self, subject: Subject) -> Outcome:
        subject.need_classes()
        probabilities = subject.probabilities()
        targets = torch.cat([targets for _, targets in subject.batches]).cpu()
        if targets.dim() > 1:
            raise NotApplicable("it is of one prediction for each example")
        if not bool(probabilities.isfinite().all()):
            return without_value("an output is not finite", subject.n, "calibration_error")
        confidence = probabilities.amax(1).numpy()
        right = subject.cached("clean", subject.values).numpy()
        generator = torch.Generator().manual_seed(subject.seed)
        drawn = [
            calibration_error(confidence[chosen], right[chosen], self.bins)
            for chosen in (torch.randint(subject.n, (subject.n,), generator=generator).numpy() for _ in range(DRAWS))
        ]
        details = {"bins": self.bins, "confidence": float(confidence.mean()), "seed": subject.seed}
        stderr = torch.tensor(drawn, dtype=torch.float64).std().item()
        value = calibration_error(confidence, right, self.bins)
        return Outcome(value, stderr, None, subject.n, "calibration_error", details)
