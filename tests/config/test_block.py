"""Alternatives of a section, and the choices that their lists stand for."""

import pytest

from samcli.config.block import Block, blocks_of, choices_of
from samcli.config.source import parse
from samcli.errors import ConfigError
from samcli.registry import Option


def test_alternatives_are_names_and_blocks_and_know_where_they_stand() -> None:
    source = parse("optimizer:\n  - sgd\n  - {name: sam, rho: 0.1}\n", "x.yaml")
    plain, sam = blocks_of(source, "optimizer", source.data["optimizer"])
    assert (plain.values, plain.path) == ({"name": "sgd"}, ("optimizer", 0))
    assert (sam.values, source.where(sam.path)) == ({"name": "sam", "rho": 0.1}, "x.yaml, line 3")


@pytest.mark.parametrize("written", ["[]", "3", "[sgd, 3]"])
def test_what_is_neither_is_refused(written: str) -> None:
    source = parse(f"optimizer: {written}\n", "x.yaml")
    with pytest.raises(ConfigError, match=r"x\.yaml, line 1: optimizer"):
        blocks_of(source, "optimizer", source.data["optimizer"])


def test_names_and_bases_are_the_product_of_their_lists() -> None:
    block = Block({"name": ["sam", "asam"], "base": ["sgd", "adam"], "rho": [0.1, 0.2]}, ())
    assert list(block.names_and_bases()) == [("sam", "sgd"), ("sam", "adam"), ("asam", "sgd"), ("asam", "adam")]


def test_a_list_is_an_axis_unless_the_option_is_one() -> None:
    options = {"augment": Option("", name="augment", type=tuple[str, ...])}
    cells = list(choices_of({"lr": [0.1, 0.2], "augment": ["crop", "flip"]}, options))
    assert cells == [{"lr": lr, "augment": ["crop", "flip"]} for lr in (0.1, 0.2)]
    assert len(list(choices_of({"augment": [["crop"], []]}, options))) == 2
