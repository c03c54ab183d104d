"""The base of all robustness tests, and their registry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from samcli.registry import Registry
from samcli.robustness.outcome import Outcome
from samcli.robustness.subject import Subject


class Perturbation(ABC):
    """A robustness test: a frozen dataclass whose fields are its parameters.

    Attributes:
        STRENGTH: the parameter of which a test may have several values, a result each; empty for none.
        USUAL: its values where none are given.
        ARGUMENT: the parameter that may stand behind the name, as in `cifar10-c:DIR`; empty for none.
    """

    STRENGTH: ClassVar[str] = ""
    USUAL: ClassVar[tuple[float, ...]] = ()
    ARGUMENT: ClassVar[str] = ""

    @abstractmethod
    def of(self, subject: Subject) -> Outcome:
        """What a network does under this perturbation.

        Raises:
            NotApplicable: it is not defined for this network or its inputs.
        """


PERTURBATIONS: Registry[Perturbation] = Registry("robustness test")
