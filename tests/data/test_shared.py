"""Raw data that processes share: the same values, of every kind of part, and nothing written to them."""

import dataclasses
import multiprocessing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
import torch

from samcli.data import DATASETS, SharedSource, Source, give_source, load, raw_source
from samcli.data.raw import _GIVEN


def sums_of(shared: SharedSource, connection: Connection) -> None:
    source = shared.source()
    before = [tensor.double().sum().item() for _, *part in source.parts() for tensor in part]
    source.inputs.zero_()  # nobody else sees it
    connection.send((before, source.task.classes, source.class_names, source.digest))


@pytest.fixture
def source() -> Source:
    wine = DATASETS.create("wine").source(Path())
    own = (wine.inputs[:3] + 1.0, wine.targets[:3])
    return dataclasses.replace(wine, validation=own, digest="abc", test_inputs=wine.test_inputs[::2].T.contiguous().T)


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_another_process_maps_the_same_values(source: Source, method: str) -> None:
    context = multiprocessing.get_context(method)
    shared = SharedSource(source)
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=sums_of, args=(shared, theirs))  # type: ignore[attr-defined]
    process.start()
    theirs.close()
    sums, classes, names, digest = ours.recv()
    process.join()
    assert sums == [tensor.double().sum().item() for _, *part in source.parts() for tensor in part]
    assert (classes, names, digest) == (3, source.class_names, "abc")
    again = shared.source()
    shared.close()  # what is mapped stays
    for (_, *mine), (_, *theirs_) in zip(source.parts(), again.parts(), strict=True):
        for a, b in zip(mine, theirs_, strict=True):
            assert a.dtype == b.dtype
            assert torch.equal(a, b)


def test_a_run_on_given_data_is_that_on_its_own(tmp_path: Path) -> None:
    kind = DATASETS.create("digits", train_examples=50, label_noise=0.5, validation=0.2)
    given = SharedSource(raw_source(kind, tmp_path)).source()
    alone = load(kind, seed=3, data_dir=tmp_path, device="cpu")
    give_source(kind, tmp_path, given)
    try:
        assert raw_source(kind, tmp_path) is given
        other = load(kind, seed=3, data_dir=tmp_path, device="cpu")
    finally:
        _GIVEN.clear()
    for name in ("train", "validation", "test"):
        a, b = getattr(alone, name), getattr(other, name)
        assert torch.equal(a.inputs, b.inputs)
        assert torch.equal(a.targets, b.targets)


def test_what_no_process_knows_by_name_is_refused(source: Source) -> None:
    class Local(type(source.task)):  # type: ignore[misc]
        pass

    with pytest.raises(AttributeError, match="local object"):
        SharedSource(dataclasses.replace(source, task=Local(3)))
