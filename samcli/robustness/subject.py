"""A trained network and the examples that it is tested on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor, nn

from samcli.errors import NotApplicable
from samcli.losses import example_losses
from samcli.robustness.outcome import Outcome, mean_of, share_of, without_value
from samcli.robustness.pixels import Pixels
from samcli.streams import stream_seed

T = TypeVar("T")
Change = Callable[[Tensor, Tensor, slice], Tensor]


class Prediction(Protocol):
    """What is asked of a task; those of `samcli.tasks` have it.

    Attributes:
        classes: the number of classes; None for anything else.
    """

    @property
    def classes(self) -> int | None:
        """The number of classes; None for anything else."""

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """The mean loss over a batch."""

    def predicted(self, output: Tensor) -> Tensor:
        """The classes that count as predicted, (N,) int64."""

    def prediction(self, output: Tensor) -> Tensor:
        """The probabilities of the classes, (N, classes)."""


class Subject:
    """A network in evaluation mode, and labelled examples.

    Args:
        model: in evaluation mode.
        task: what it predicts.
        batches: (inputs, targets), the inputs as the network gets them, on its device.
        pixels: the scale of images; None where the inputs are none.
        seed: decides all random draws.
        shifted: examples of the same task from elsewhere, by the name of where they are from.
        foreign: inputs of other classes, likewise.

    Attributes:
        n: the number of examples.
    """

    def __init__(
        self,
        model: nn.Module,
        task: Prediction,
        batches: Sequence[tuple[Tensor, Tensor]],
        *,
        pixels: Pixels | None = None,
        seed: int = 0,
        shifted: dict[str, Sequence[tuple[Tensor, Tensor]]] | None = None,
        foreign: dict[str, Sequence[tuple[Tensor, Tensor]]] | None = None,
    ) -> None:
        self.model, self.task, self.batches, self.seed = model, task, list(batches), seed
        self.shifted, self.foreign = shifted or {}, foreign or {}
        self.n = sum(len(targets) for _, targets in self.batches)
        self._pixels = pixels
        self._cache: dict[str, Any] = {}

    @property
    def score(self) -> str:
        """What an outcome is: the accuracy where there are classes, else the mean loss."""
        return "loss" if self.task.classes is None else "accuracy"

    @property
    def pixels(self) -> Pixels:
        """The scale of the images.

        Raises:
            NotApplicable: the inputs are no images.
        """
        if self._pixels is None:
            raise NotApplicable("it changes pixels, and the inputs of this network are no images")
        return self._pixels

    def need_classes(self) -> int:
        """The number of classes.

        Raises:
            NotApplicable: what is predicted has none.
        """
        if self.task.classes is None:
            raise NotApplicable("it counts classes that are predicted rightly, and this network predicts none")
        return self.task.classes

    def cached(self, name: str, make: Callable[[], T]) -> T:
        """What `make` returned the first time that this name was asked for."""
        if name not in self._cache:
            self._cache[name] = make()
        found: T = self._cache[name]
        return found

    def placed(self) -> Iterator[tuple[Tensor, Tensor, slice]]:
        """Each batch, and which of all examples it has."""
        start = 0
        for inputs, targets in self.batches:
            yield inputs, targets, slice(start, start + len(targets))
            start += len(targets)

    def hits(self, output: Tensor, target: Tensor) -> Tensor:
        """Which examples of a batch are predicted rightly, (B,) bool; an output that is not finite is wrong."""
        finite = output.detach().isfinite().flatten(1).all(1)
        return (self.task.predicted(output) == target) & finite

    @torch.no_grad()
    def values(self, change: Change | None = None) -> Tensor:
        """For each example whether it is right, as bool, or its loss; (n,) on the host.

        Args:
            change: of the inputs and targets of a batch and its place, the inputs that the network gets instead.
        """
        found = []
        for inputs, targets, place in self.placed():
            output = self.model(inputs if change is None else change(inputs, targets, place))
            found.append(self._values_of(output, targets))
        return torch.cat(found).cpu()

    @torch.no_grad()
    def values_on(self, batches: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """The same of other examples."""
        return torch.cat([self._values_of(self.model(inputs), targets) for inputs, targets in batches]).cpu()

    def _values_of(self, output: Tensor, targets: Tensor) -> Tensor:
        if self.task.classes is not None:
            return self.hits(output, targets)
        return example_losses(self.task.loss, output, targets)

    @torch.no_grad()
    def probabilities(self, batches: Sequence[tuple[Tensor, Tensor]] | None = None) -> Tensor:
        """The probabilities of the classes, (n, classes) float64 on the host, of these examples or others."""
        chosen = self.batches if batches is None else batches
        return torch.cat([self.task.prediction(self.model(inputs).cpu().double()) for inputs, _ in chosen])

    def outcome(self, values: Tensor, **details: Any) -> Outcome:
        """The accuracy or mean loss of what `values` returned."""
        details = {"seed": self.seed, **details}
        if values.dtype == torch.bool:
            return share_of(values, **details)
        if not bool(values.isfinite().all()):
            return without_value("a loss is not finite", len(values), self.score, **details)
        return mean_of(values, self.score, **details)

    def generators(self, purpose: str, place: slice) -> Iterator[torch.Generator]:
        """A generator on the host for each example of a batch in turn: its draws depend on nothing but the seed, the
        purpose and the number of the example, and so not on how examples are cut into batches.
        """
        generator = torch.Generator()
        for number in range(place.start, place.stop):
            yield generator.manual_seed(stream_seed(self.seed, purpose, number))
