"""Names, options and prefixes."""

from dataclasses import dataclass

import pytest

from samcli.errors import ConfigError
from samcli.registry import Registry, option


class Animal:
    pass


ANIMALS: Registry[Animal] = Registry("animal")


@ANIMALS.register("cat")
@dataclass(frozen=True, kw_only=True)
class Cat(Animal):
    """Meows.

    At night.
    """

    lives: int = option(9, "how many", minimum=1)
    colours: tuple[str, ...] = option((), "which", choices=("black", "white"))
    undeclared: int = 3


@ANIMALS.register("file:")
@dataclass(frozen=True, kw_only=True)
class FromFile(Animal):
    """An animal described in a file."""

    argument: str
    ARGUMENT = "PATH"
    loud: bool = option(False, "whether it is")


def test_options_are_the_declared_fields() -> None:
    options = ANIMALS.options("cat")
    assert list(options) == ["lives", "colours"]
    assert options["lives"].type is int
    assert options["lives"].default == 9
    assert options["lives"].minimum == 1
    assert options["colours"].is_list
    assert not options["lives"].is_list


def test_create() -> None:
    assert ANIMALS.create("cat", lives=7) == Cat(lives=7)
    assert ANIMALS.create("file:a/b:c", loud=True) == FromFile(argument="a/b:c", loud=True)


def test_names() -> None:
    assert list(ANIMALS) == ["cat", "file:"]
    assert ANIMALS.shown() == ["cat", "file:PATH"]
    assert "cat" in ANIMALS
    assert "file:x" in ANIMALS
    assert not any(name in ANIMALS for name in ("file:", "file", "dog"))
    assert ANIMALS.summary("cat") == "Meows."
    assert ANIMALS.summary("file:x") == "An animal described in a file."


@pytest.mark.parametrize(("name", "sentence"), [("cta", "did you mean cat?"), ("zebra", "known are: cat, file:PATH.")])
def test_unknown_name(name: str, sentence: str):
    with pytest.raises(ConfigError) as caught:
        ANIMALS.create(name)
    assert str(caught.value) == f"There is no animal named {name!r}; {sentence}"


@pytest.mark.parametrize("name", ["file:", "file"])
def test_prefix_without_argument(name: str):
    with pytest.raises(ConfigError, match="There is no animal named"):
        ANIMALS.create(name)
