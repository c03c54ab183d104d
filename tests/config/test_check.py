"""Checks of values against the options that declare them."""

import math

import pytest

from samcli.config.check import check
from samcli.config.source import Source, parse
from samcli.errors import ConfigError
from samcli.registry import Option


def option(kind: object, default: object = None, **bounds: object) -> dict[str, Option]:
    return {"x": Option("", name="x", type=kind, default=default, **bounds)}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "given", "value"),
    [
        (option(float), 1, 1.0),
        (option(float, infinite=True), math.inf, math.inf),
        (option(float | None, 2.0, above=1.0, infinite=True), math.inf, math.inf),
        (option(float | None, 2.0), None, None),
        (option(tuple[str, ...], choices=("a", "b")), ["a"], ("a",)),
        (option(tuple[float, float]), [1, 0.5], (1.0, 0.5)),
    ],
)
def test_values_that_fit(options: dict[str, Option], given: object, value: object):
    got = check(options, {"x": given}, "thing", Source({}), ())["x"]
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("options", "given", "sentence"),
    [
        (option(float), "abc", "x must be a number, not 'abc'."),
        (option(float), "0.1", "x must be a number, not '0.1'."),
        (option(float), True, "x must be a number, not true."),
        (option(float, minimum=0.0), -0.5, "x must be a number at least 0, not -0.5."),
        (option(float, minimum=0.0, below=1.0), 1.0, "x must be a number at least 0 and below 1, not 1.0."),
        (option(float, minimum=0.0), math.nan, "x must be a finite number at least 0, not nan."),
        (option(float, above=0.0), math.inf, "x must be a finite number above 0, not inf."),
        (option(float | None), -math.inf, "x must be a finite number or null, not -inf."),
        (option(float, above=1.0, infinite=True), math.nan, "x must be a number above 1, not nan."),
        (
            option(tuple[float, float]),
            [0.5, math.inf],
            "x must be a list of 2 entries, each a finite number, not [0.5, inf].",
        ),
        (option(int, minimum=1), 2.5, "x must be a whole number at least 1, not 2.5."),
        (option(int | None), "many", "x must be a whole number or null, not 'many'."),
        (option(bool), 1, "x must be true or false, not 1."),
        (option(str), None, "x must be a text, not null."),
        (option(str, choices=("a", "b")), "c", "x must be one of a, b, not 'c'."),
        (option(tuple[str, ...], choices=("a", "b")), ["c"], "x must be a list with entries out of a, b, not ['c']."),
        (option(tuple[float, float], below=1.0), [0.5], "x must be a list of 2 entries, each a number below 1, not"),
    ],
)
def test_values_that_do_not_fit(options: dict[str, Option], given: object, sentence: str):
    with pytest.raises(ConfigError) as caught:
        check(options, {"x": given}, "thing", parse("x: 1\n", "f.yaml"), ())
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("f.yaml, line 1: ")


def test_unknown_option_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml, line 1: thing has no option 'momentun'; did you mean momentum\?"):
        check(
            {"momentum": Option("", name="momentum", type=float, default=0.0)},
            {"momentun": 1},
            "thing",
            parse("momentun: 1\n", "f.yaml"),
            (),
        )
