"""A data set ready for training: its parts on the device, and the batches of an epoch."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from samcli.config.exclusions import BOTH_MIX
from samcli.data.augment import ImageStore, mix, store_of
from samcli.data.base import Source
from samcli.data.part import Part
from samcli.data.regions import Box, cutmix_, cutmix_boxes
from samcli.errors import ConfigError
from samcli.streams import stream, stream_seed
from samcli.tasks import Task


class Dataset:
    """The parts of a data set on the device.

    Attributes:
        train, validation, test: the parts; validation is None where nothing was held out.
        task: what is predicted.
        class_names: in the order of the class numbers; empty for a regression.
        shape: that of one input: (C, H, W), (F,) or (T,), and what its numbers are.
        mean, std: the statistics that inputs are normalised by, see `Normalisation`.
        wrong_labels: which training labels the noise made wrong, (N,) bool; None without label noise.
    """

    def __init__(
        self,
        source: Source,
        train: Part,
        validation: Part | None,
        test: Part,
        store: ImageStore | None,
        wrong_labels: Tensor | None = None,
    ):
        """Take parts that are ready; `load` makes them."""
        self.train, self.validation, self.test = train, validation, test
        self.task: Task = source.task
        self.class_names = source.class_names
        self.mean, self.std = train.normalisation.mean, train.normalisation.std
        self.shape = source.shape
        self.wrong_labels = wrong_labels
        self.reading = source.reading
        self._store = store

    def document(self) -> dict[str, Any]:
        """What a network needs to be given new inputs without these data, in plain values and tensors.

        >>> from pathlib import Path
        >>> from samcli.data import DATASETS, load
        >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu").document()
        >>> wine["shape"], wine["task"], wine["class_names"]
        ([13], {'name': 'classification', 'number': 3}, ['class_0', 'class_1', 'class_2'])
        """
        return {
            "kind": "images" if self._store else "tokens" if self.shape.vocabulary else "table",
            "shape": list(self.shape),
            "categories": list(self.shape.categories),
            "vocabulary": self.shape.vocabulary,
            "task": self.task.document(),
            "class_names": list(self.class_names),
            "mean": self.mean,
            "std": self.std,
            "reading": dict(self.reading),
        }

    def relabelled(self, kept: Tensor, labels: Tensor) -> Dataset:
        """The same with some of its training examples alone, and other labels for these; this one stays as it is.

        Inputs go on to be normalised by the statistics of all training examples. Which labels noise made wrong is not
        known of the new ones.

        Args:
            kept: (K,) int64, the numbers of the examples, rising.
            labels: (K,), their targets.

        >>> from pathlib import Path
        >>> from samcli.data import DATASETS, load
        >>> wine = load(DATASETS.create("wine"), seed=0, data_dir=Path(), device="cpu")
        >>> two = wine.relabelled(torch.tensor([3, 5]), torch.tensor([2, 2]))
        >>> two.train.targets, torch.equal(two.train.inputs[1], wine.train.inputs[5])
        (tensor([2, 2]), True)
        """
        made = copy.copy(self)
        device = self.train.targets.device
        inputs = self.train.inputs.index_select(0, kept.to(self.train.inputs.device))
        if self._store is not None:
            made._store = store_of(inputs, self._store.augment)
            inputs = made._store.inputs
        made.train = dataclasses.replace(self.train, inputs=inputs, targets=labels.to(device))
        made.wrong_labels = None
        return made

    def steps(self, batch_size: int, among: Tensor | None = None) -> int:
        """The number of training batches of an epoch, or of one over some of the examples.

        The last batch has what is left of the examples; a single one that would be left is dropped, because BatchNorm
        cannot train on it.

        >>> from pathlib import Path
        >>> from samcli.data import DATASETS, load
        >>> digits = load(DATASETS.create("digits", train_examples=129), seed=0, data_dir=Path(), device="cpu")
        >>> digits.steps(64), digits.steps(65)
        (2, 2)
        """
        return steps_of(len(self.train) if among is None else len(among), batch_size)

    def epoch(
        self, epoch: int, batch_size: int, seed: int, mixup: float = 0.0, among: Tensor | None = None
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The training batches of one epoch: shuffled, augmented and normalised.

        Order, augmentation and mixup are functions of (seed, epoch) alone, whatever was drawn before, and the same on
        every device. All draws but those of torchvision's augmentations, see `PerImage`, are made on the host when the
        first batch is asked for; from then on nothing waits for the device.

        Args:
            epoch: any number; the training loop counts from 1.
            batch_size: examples in a batch; see `steps` for the last one.
            seed: that of the run.
            mixup: α of the distribution Beta(α, α) of the mixing share λ, one for each batch; 0 for none. Targets
                are then soft, see `Task.soft`, as they are with CutMix.
            among: (n,) int64 on the host, the examples that it goes over; None for all.

        Raises:
            ConfigError: both mixup and CutMix are asked for.

        Yields:
            Inputs as (B, C, H, W) float32 in channels-last memory order, (B, F) float32 or (B, T) int64; and their
            targets.
        """
        self.check_mixup(mixup)
        order = self.order(epoch, seed, among)
        steps = self.steps(batch_size, among)
        batches = [slice(step * batch_size, (step + 1) * batch_size) for step in range(steps)]
        targets = self.train.targets[_to_device(order, self.train.targets)]
        shares = _mixing_shares(mixup, steps, stream_seed(seed, "mixup", epoch))
        boxes: list[Box | None] = [None] * steps
        if self._store is not None and self._store.cutmix:
            if mixup:
                raise ConfigError(BOTH_MIX)
            boxes = [*cutmix_boxes(steps, self.shape[1], self.shape[2], seed, epoch)]
        inputs = self._inputs(order, batches, seed, epoch)
        for x, batch, share, box in zip(inputs, batches, shares, boxes, strict=True):
            y = targets[batch]
            if mixup:
                yield mix(x, share), mix(self.task.soft(y), share)
            elif box is not None:
                yield x, mix(self.task.soft(y), cutmix_(x, box))
            else:
                yield x, y

    def order(self, epoch: int, seed: int, among: Tensor | None = None) -> Tensor:
        """The training examples in the order in which an epoch takes them, (N,) int64 on the host."""
        generator = stream(seed, "order", epoch)
        if among is not None:
            return among[torch.randperm(len(among), generator=generator)]
        return torch.randperm(len(self.train), generator=generator)

    def check_mixup(self, alpha: float) -> None:
        """Refuse mixup of texts.

        Raises:
            ConfigError: it is wanted of tokens.
        """
        if alpha and self.shape.vocabulary:
            raise ConfigError("mixup averages inputs, and the tokens of a text have no average; leave mixup out.")

    def _inputs(self, order: Tensor, batches: Sequence[slice], seed: int, epoch: int) -> Iterator[Tensor]:
        """The inputs of each batch, changed by all but mixing."""
        if self._store is None:
            order = _to_device(order, self.train.targets)
            yield from (self.train.normalisation.ready(self.train.inputs[order[batch]]) for batch in batches)
            return
        host = self._store.plan(order, seed, epoch)
        plan = _to_device(host, self.train.targets)
        for pixels, batch in zip(self._store.pixels(host, plan, batches, seed, epoch), batches, strict=True):
            yield self._store.cut(self.train.normalisation.images(pixels), plan[:, batch])


def steps_of(examples: int, batch_size: int) -> int:
    """The number of training batches of an epoch over so many examples, see `Dataset.steps`.

    >>> steps_of(128, 64), steps_of(129, 64), steps_of(130, 64)
    (2, 2, 3)
    """
    full, left = divmod(examples, batch_size)
    return full + (left > 1 or (left == 1 and full == 0))


def _mixing_shares(alpha: float, steps: int, seed: int) -> list[float]:
    """λ ~ Beta(α, α) for each step; 1 without mixup: a batch is all its own."""
    if not alpha:
        return [1.0] * steps
    shares: list[float] = np.random.default_rng(seed).beta(alpha, alpha, steps).tolist()
    return shares


def _to_device(host: Tensor, like: Tensor) -> Tensor:
    # only from pinned memory can the copy run beside the host
    return host.pin_memory().to(like.device, non_blocking=True) if like.is_cuda else host.to(like.device)
