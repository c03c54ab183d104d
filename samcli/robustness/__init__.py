"""What trained networks do when inputs or weights change. A library of its own, torch is all it needs."""

from samcli.robustness import perturbations as perturbations
from samcli.robustness.base import PERTURBATIONS as PERTURBATIONS
from samcli.robustness.base import Perturbation as Perturbation
from samcli.robustness.doubts import doubts as doubts
from samcli.robustness.measure import challenging as challenging
from samcli.robustness.measure import labels as labels
from samcli.robustness.measure import measure as measure
from samcli.robustness.outcome import Outcome as Outcome
from samcli.robustness.pixels import Pixels as Pixels
from samcli.robustness.subject import Subject as Subject
