"""What a data set holds is told in a line, and its digest changes with the data and with nothing else."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from samcli.data import DATASETS, Source, contents, digest
from samcli.data.contents import _digest_of
from samcli.errors import DataError


def table() -> Source:
    return DATASETS.create("wine").source(Path())


@pytest.mark.parametrize(
    ("name", "summary"),
    [
        ("digits", "digits: 1,797 images, 10 classes, 8×8"),
        ("diabetes", "diabetes: 442 examples, 10 columns"),
        ("blobs", "blobs: 800 examples, 2 classes, 2 columns"),
    ],
)
def test_a_line_says_what_a_data_set_holds(name: str, summary: str) -> None:
    found = contents(DATASETS.create(name), Path())
    assert found.summary == summary
    assert found.classes == {"digits": 10, "blobs": 2}.get(name)


def test_common_options_do_not_enter() -> None:
    plain = contents(DATASETS.create("digits"), Path())
    options = {"train_examples": 100, "label_noise": 0.4, "validation": 0.1, "augment": ("crop",)}
    assert contents(DATASETS.create("digits", **options), Path()) == plain


def test_the_digest_is_that_of_the_numbers() -> None:
    source = table()
    again = replace(source, inputs=source.inputs.clone(), notes=("read on another day",))
    assert _digest_of(source) == _digest_of(again)
    one_bit = source.test_inputs.clone()
    one_bit[3, 4] = torch.nextafter(one_bit[3, 4], torch.tensor(1e9))
    others = [
        replace(source, test_inputs=one_bit),
        replace(source, targets=source.targets.flip(0)),
        replace(source, class_names=("a", "b", "c")),
        replace(source, inputs=source.inputs[:-1], targets=source.targets[:-1]),
        replace(source, validation=(source.inputs[:5], source.targets[:5])),
    ]
    assert len({_digest_of(one) for one in [source, *others]}) == 6


def test_nothing_is_downloaded_for_a_digest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^MNIST is not in .*; pass --data-dir DIR with the folder that has it\.$"):
        digest(DATASETS.create("mnist"), tmp_path)
    assert not list(tmp_path.iterdir())
