"""Examples from elsewhere, of the same classes and of others."""

from typing import Any

import pytest
import torch
from images import PIXELS, images, network, self_labelled
from torch import Tensor

from samcli import robustness
from samcli.errors import NotApplicable
from samcli.tasks import Classification, Regression


def measured(data: Any, tests: Any, **options: Any) -> Any:
    return robustness.measure(network(), Classification(4), data, tests, pixels=PIXELS, **options)


def test_the_accuracy_elsewhere_stands_beside_that_at_home() -> None:
    data = self_labelled(network(), images(30))
    wrong = [(x, (y + (torch.arange(len(y)) % 2)) % 4) for x, y in data]
    found = measured(data, ["clean", "shift"], shifted={"wrong": wrong, "same": data})
    half = sum((len(y) + 1) // 2 for _, y in data) / 30
    assert found["clean"].value == 1.0
    assert found["shift wrong"].value == pytest.approx(half)
    assert found["shift same"].value == 1.0
    assert found["shift wrong"].details == {"data": "wrong", "clean": 1.0, "seed": 0}


def test_confidence_tells_other_classes_apart() -> None:
    """Images of one grey have the same confidence each: below all others, or above, by a network that is scaled."""
    data = images(30)

    def confidence(inputs: Tensor) -> Tensor:
        model = network().eval()
        with torch.no_grad():
            found: Tensor = model(inputs).softmax(1).amax(1)
        return found

    inputs = torch.cat([x for x, _ in data])
    order = confidence(inputs).argsort()
    unsure, sure = inputs[order[:15]], inputs[order[15:]]
    labels = torch.zeros(15, dtype=torch.int64)
    found = measured([(sure, labels)], "other-classes", foreign={"fog": [(unsure, labels)]})["other-classes fog"]
    assert (found.value, found.score, found.n) == (1.0, "roc_auc", 30)
    assert found.details["confidence"] > found.details["confidence_there"]
    same = measured(data, "other-classes", foreign={"itself": data})["other-classes itself"]
    assert same.value == pytest.approx(0.5)
    assert same.stderr > 0.0


@pytest.mark.parametrize(("name", "flag"), [("shift", "--shift"), ("other-classes", "--other-classes")])
def test_without_other_data_it_says_what_is_missing(name: str, flag: str) -> None:
    with pytest.raises(NotApplicable, match=flag):
        measured(images(), name)


def test_a_regression_has_a_shift_and_no_confidence() -> None:
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 1)
    data = [(torch.randn(9, 3), torch.randn(9))]
    found = robustness.measure(model, Regression(), data, "shift", shifted={"there": data})
    assert found["shift there"].score == "loss"
    with pytest.raises(NotApplicable, match="classes"):
        robustness.measure(model, Regression(), data, "other-classes", foreign={"there": data})
