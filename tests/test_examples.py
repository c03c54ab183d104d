"""Examples in structures, against the same examples as plain tensors."""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from samcli.errors import DataError, ExamplesError
from samcli.examples import count, joined, moved_to, pairs, take


class Named(NamedTuple):
    x: Tensor
    mask: Tensor | None


X, Y = torch.arange(12.0).reshape(6, 2), torch.arange(6)


@pytest.mark.parametrize(
    "inputs",
    [
        X,
        (X, X),
        [X, [X]],
        {"x": X, "mask": X[:, :1]},
        Named(X, None),
        {"x": X, "scale": torch.tensor(2.0)},
        torch.Tensor(X),
    ],
    ids=lambda inputs: type(inputs).__name__,
)
def test_structures_are_counted_cut_and_joined(inputs: Any) -> None:
    assert count(inputs, Y) == count(inputs, {"y": Y, "z": (Y,)}) == 6
    parts = [take(inputs, part) for part in (slice(0, 4), slice(4, 6))]
    assert [count(part, Y[:n]) for part, n in zip(parts, (4, 2), strict=True)] == [4, 2]
    again = joined(parts)
    assert type(again) is type(inputs)
    assert str(again) == str(inputs) == str(moved_to(inputs, torch.device("cpu")))
    assert str(take(inputs, torch.tensor([0, 1, 2, 3]))) == str(parts[0])


@pytest.mark.parametrize(
    ("inputs", "targets", "words"),
    [
        (torch.ones(7, 6, 2), Y, r"shape \(7, 6, 2\): examples go first"),
        ({"x": X, "steps": torch.ones(7, 6)}, Y, r"the inputs have a tensor of shape \(7, 6\)"),
        (X, {"y": Y, "z": Y[:3]}, r"the targets have a tensor of shape \(3,\)"),
        (X, None, "targets hold no tensor"),
        (X, torch.tensor(1), "targets hold no tensor"),
        (X, 3, "targets of a batch have a int"),
        ({"x": X, "names": ["a"] * 6}, Y, "inputs of a batch have a str"),
        ([1.0] * 6, Y, "a float where a tensor should be"),
        (X.numpy(), Y, "a ndarray where a tensor should be"),
        (torch.nn.utils.rnn.pack_sequence([X, X[:4]]), Y[:2], "examples go first"),
        ([torch.ones(3), torch.ones(4)], Y, "examples go first"),
    ],
)
def test_what_is_not_by_examples(inputs: Any, targets: Any, words: str) -> None:
    with pytest.raises(ExamplesError, match=words):
        count(inputs, targets)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (X, r"give \[\(inputs, targets\)\]"),
        ({"x": X, "y": Y}, "data are a dict"),
        (None, "data are a NoneType"),
        ((X, Y), r"A batch is a Tensor.*give \[\(inputs, targets\)\]"),
        ([X], "A batch is a Tensor"),
        ([{"input_ids": X, "labels": Y}], r'A batch is a dict.*\(batch, batch\["labels"\]\)'),
        ([(X, X, Y)], r"has 3 entries.*\(\(a, b\), targets\)"),
        ([(X,)], "has 1 entries"),
        ([], "holds none"),
        ([(X[:0], Y[:0])], "holds none"),
        (iter(()), "empty once it was gone through"),
        ([("xy", "ab")], "have a str"),
    ],
)
def test_what_is_no_list_of_batches(data: Any, words: str) -> None:
    with pytest.raises(ExamplesError, match=words):
        pairs(data)


def test_an_error_is_a_sentence_for_the_command_and_a_value_error_for_python() -> None:
    assert issubclass(ExamplesError, DataError)
    assert issubclass(ExamplesError, ValueError)


def test_a_list_of_batches_can_be_gone_through_again() -> None:
    found = pairs((X, Y) for _ in range(3))
    assert len(found) == len(list(found)) == 3


def test_what_cannot_be_joined() -> None:
    assert joined([X, X[:, :1]]) is None
    assert joined([X, X.double()]) is None
    assert joined([(X, torch.tensor(1.0)), (X, torch.tensor(2.0))]) is None
    assert joined([(X, None), (X, X)]) is None
    assert joined([{"a": X}, {"b": X}]) is None
