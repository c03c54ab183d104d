"""Training examples of one run that another run was not trained on."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from samcli.data.base import DatasetKind
from samcli.data.classes import of_classes
from samcli.data.loading import held_out_indices, training_indices
from samcli.data.normalise import Normalisation
from samcli.data.raw import plain_kind, raw_source
from samcli.errors import ConfigError, NotApplicable


def unseen(
    kind: DatasetKind, seed: int, other: DatasetKind, other_seed: int, data_dir: Path
) -> tuple[Tensor, Tensor, Normalisation]:
    """The raw inputs and targets that a run trains on and another does not, and the constants of the other's inputs.

    What the other holds out as its validation part it has seen too: early stopping chooses a network by it.

    Args:
        kind: the data set of the run, with its options.
        seed: of the run.
        other: that of the other run: the same data set, of which it may take fewer examples.
        other_seed: of the other run.
        data_dir: where data sets lie.

    Raises:
        ConfigError: they are not the same data set.
        NotApplicable: nothing is left, labels are noisy, images are turned, or what inputs are made of was found on all
            examples.

    >>> from samcli.data import DATASETS
    >>> whole, part = DATASETS.create("digits", train_examples=300), DATASETS.create("digits", train_examples=100)
    >>> inputs, targets, normalisation = unseen(whole, 0, part, 0, Path())
    >>> len(inputs), len(targets)
    (200, 200)
    """
    if (plain_kind(kind), kind.classes) != (plain_kind(other), other.classes):
        raise ConfigError("The prior was trained on another data set, or with other options of it, than the network.")
    if kind.label_noise or other.label_noise:
        raise NotApplicable("A bound on errors needs labels that are right; it is not made of runs with label_noise")
    if kind.rotate or kind.rotate_test or other.rotate or other.rotate_test:
        raise NotApplicable("A bound is made of images as they are, and these are turned (rotate)")
    source = of_classes(raw_source(kind, data_dir), kind.classes)
    if source.vocabulary or source.categories or (not kind.is_images and source.reading):
        raise NotApplicable(
            "What this data set makes of its rows or texts was found on all training examples, with those of the bound "
            "among them; a bound is made of images and of scikit-learn's tables"
        )
    own, seen = (training_indices(one, source, number) for one, number in ((kind, seed), (other, other_seed)))
    known = torch.cat([seen, held_out_indices(other, source, other_seed)])
    left = own[~torch.isin(own, known)]
    if not len(left):
        raise NotApplicable(
            "The prior has seen all training examples of the network, so that none is left for the bound; let it take "
            "fewer of them: dataset.train_examples"
        )
    constants = Normalisation(source.inputs.index_select(0, seen), torch.device("cpu"))
    return source.inputs.index_select(0, left), source.targets[left], constants
