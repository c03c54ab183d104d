"""The shape of an input is a tuple that says what its numbers are."""

import copy
import pickle

from samcli.shape import InputShape


def test_it_is_the_tuple_of_its_lengths() -> None:
    shape = InputShape((3, 8, 8))
    assert shape == (3, 8, 8)
    assert hash(shape) == hash((3, 8, 8))
    assert (shape.categories, shape.vocabulary) == ((), 0)
    assert InputShape.of(shape) is shape
    assert InputShape((2,), categories=(0, 0)).categories == ()


def test_copies_know_what_it_knows() -> None:
    shape = InputShape((4,), categories=(0, 3, 0, 2), vocabulary=7)
    for twin in (copy.deepcopy(shape), pickle.loads(pickle.dumps(shape))):
        assert (twin, twin.categories, twin.vocabulary) == (shape, shape.categories, 7)
