"""What each file of a run must hold."""

from typing import Any

import pytest

from samcli.runs.documents import ConfigDocument, DataDocument, Document, MeasurementDocument, StatusDocument, fault_of

CONFIG = {
    "dataset": {"name": "digits", "augment": []},
    "model": {"name": "cnn", "dropout": 0.0},
    "optimizer": {"name": "sam", "base": "sgd", "lr": 0.1, "norm": None},
    "seeds": 3,
}
KEY = {"measure": "trace", "examples": 9}
DETAILS = {"examples": 9, "batch_norm": "evaluation"}
MEASURED = {"label": "trace", "key": KEY, "value": 1.0, "stderr": None, "converged": True, "details": DETAILS}


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        (ConfigDocument, CONFIG | {"name": "a", "epochs": 3, "sharpness": {"measures": ["trace"]}, "later": {"x": 1}}),
        (StatusDocument, {"status": "finished", "epochs_done": 3, "git": {"commit": None, "dirty": True}, "new": [1]}),
        (MeasurementDocument, MEASURED),
        (MeasurementDocument, MEASURED | {"value": "inf", "stderr": 1}),
    ],
)
def test_sound(kind: type[Document], document: dict[str, Any]) -> None:
    assert fault_of(document, kind) is None


@pytest.mark.parametrize(
    ("kind", "document", "fault"),
    [
        (ConfigDocument, {}, "has no dataset"),
        (ConfigDocument, CONFIG | {"model": {}}, "has no model.name"),
        (ConfigDocument, CONFIG | {"model": "cnn"}, "has no sound value of model: 'cnn'"),
        (ConfigDocument, CONFIG | {"seeds": "0-4"}, "has no sound value of seeds: '0-4'"),
        (ConfigDocument, CONFIG | {"seeds": True}, "has no sound value of seeds: True"),
        (ConfigDocument, CONFIG | {"seeds": -1}, "has no sound value of seeds: -1"),
        (ConfigDocument, CONFIG | {"epochs": "many"}, "has no sound value of epochs: 'many'"),
        (ConfigDocument, CONFIG | {"stop_at_train_loss": "low"}, "has no sound value of stop_at_train_loss: 'low'"),
        (ConfigDocument, CONFIG | {"optimizer": {"name": "sam", "base": 3}}, "has no sound value of optimizer.base: 3"),
        (ConfigDocument, CONFIG | {"optimizer": {"name": "sam", "rho": {"a": 1}}}, "value of optimizer.rho: dict"),
        (StatusDocument, {}, "has no status"),
        (StatusDocument, {"status": "napping"}, "has no sound value of status: 'napping'"),
        (StatusDocument, {"status": "finished", "epochs_done": "x"}, "has no sound value of epochs_done: 'x'"),
        (StatusDocument, {"status": "finished", "epochs_done": 1e300}, "has no sound value of epochs_done: 1e+300"),
        (StatusDocument, {"status": "running", "pid": "1"}, "has no sound value of pid: '1'"),
        (StatusDocument, {"status": "running", "versions": [1]}, "has no sound value of versions: list"),
        (MeasurementDocument, MEASURED | {"value": [1]}, "has no sound value of value: list"),
        (MeasurementDocument, MEASURED | {"key": {"examples": 9}}, "has no key.measure"),
        (MeasurementDocument, MEASURED | {"converged": 1}, "has no sound value of converged: 1"),
        (ConfigDocument, CONFIG | {"name": "x" * 5000}, "has no sound value of name: 'xxx"),
    ],
)
def test_unsound(kind: type[Document], document: dict[str, Any], fault: str) -> None:
    found = fault_of(document, kind)
    assert found is not None
    assert fault in found
    assert len(found) < 150


DATA = {
    "kind": "images",
    "shape": [1, 8, 8],
    "categories": [],
    "vocabulary": 0,
    "task": {"name": "classification", "number": 10},
    "class_names": [],
    "reading": {},
    "mean": object(),
}


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({}, None),
        ({"kind": "sounds"}, "has no sound value of kind: 'sounds'"),
        ({"shape": []}, "has no sound value of shape"),
        ({"shape": [1, 8, 0]}, "has no sound value of shape.2: 0"),
        ({"shape": [1, 8, 8.0]}, "has no sound value of shape.2: 8.0"),
        ({"vocabulary": -1}, "has no sound value of vocabulary: -1"),
        ({"task": {"number": 3}}, "has no task.name"),
        ({"class_names": [7]}, "has no sound value of class_names.0: 7"),
        ({"reading": None}, "has no sound value of reading: None"),
    ],
)
def test_what_a_network_is_given(change: dict[str, object], sentence: str | None) -> None:
    found = fault_of(DATA | change, DataDocument)
    assert found is None if sentence is None else str(found).startswith(sentence)
