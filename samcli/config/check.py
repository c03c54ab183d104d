"""The check of every value that a user writes, against the option that declares it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from samcli.config.source import KeyPath, Source, parse_scalar
from samcli.errors import ConfigError, nearest
from samcli.registry import Option

LARGEST = 2**31 - 1  # of a whole number that has no bound of its own

STRICT = ConfigDict(strict=True, extra="forbid", frozen=True)


def check(
    options: Mapping[str, Option], values: Mapping[str, Any], noun: str, source: Source, path: KeyPath
) -> dict[str, Any]:
    """The values with defaults filled in and types made exact.

    Args:
        options: what may be set.
        values: what was set.
        noun: whose options these are, for messages: "sam".
        source: the document, for line numbers.
        path: where in it the values stand.

    Raises:
        ConfigError: an unknown key, a wrong type, or a value out of bounds; names the line.

    >>> options = {"rho": Option("radius", minimum=0.0, name="rho", type=float, default=0.05)}
    >>> check(options, {"rho": 1}, "sam", Source({}), ()), check(options, {}, "sam", Source({}), ())
    ({'rho': 1.0}, {'rho': 0.05})
    """
    for key in values:
        if key not in options:
            known = nearest(str(key), options) if options else "it has no options."
            raise ConfigError(f"{source.where((*path, key))}: {noun} has no option {key!r}; {known}")
    model = _model_of(tuple(options.values()))
    try:
        checked = model(**{key: _as_given(options[key], value) for key, value in values.items()})
    except ValidationError as failure:
        key = str(failure.errors()[0]["loc"][0])
        raise ConfigError(f"{source.where((*path, key))}: {key} {_sentence(options[key], values[key])}") from None
    return {key: getattr(checked, key) for key in options}


def _as_given(o: Option, value: Any) -> Any:
    """The value as pydantic takes it: a tuple for a list, and where a list is wanted one value is a list of one."""
    if isinstance(value, list):
        return tuple(value)
    return (value,) if o.is_list and get_args(o.type)[-1] is Ellipsis and value is not None else value


def check_flags(options: Mapping[str, Option], texts: Mapping[str, str], noun: str) -> dict[str, Any]:
    """The values that flags give, checked like those of a document.

    Raises:
        ConfigError: as for `check`.

    >>> check_flags({"k": Option("steps", name="k", type=int, default=1)}, {"k": "20"}, "looksam")
    {'k': 20}
    """
    values = {key: parse_scalar(text) for key, text in texts.items()}
    checked = check(options, values, noun, Source({}), ())
    return {key: checked[key] for key in values}


@lru_cache(maxsize=256)
def _model_of(options: tuple[Option, ...]) -> type[BaseModel]:
    fields: dict[str, Any] = {o.name: (_annotation(o), o.default) for o in options}
    return create_model("Options", __config__=STRICT, **fields)


def _maximum(o: Option) -> float | None:
    """The upper bound of an option: no count of an experiment is beyond 2³¹."""
    whole = int in (o.type, *get_args(o.type)) and float not in (o.type, *get_args(o.type))
    return LARGEST if o.maximum is None and o.below is None and whole else o.maximum


def _annotation(o: Option) -> Any:
    finite: Any = {"allow_inf_nan": False} if float in (o.type, *get_args(o.type)) and not o.infinite else {}
    bounds = Field(ge=o.minimum, gt=o.above, le=_maximum(o), lt=o.below, **finite)
    element: Any
    if o.is_list:
        inner = get_args(o.type)
        element = Literal[o.choices] if o.choices else Annotated[inner[0], bounds]
        return tuple[element, ...] if inner[-1] is Ellipsis else tuple[(element,) * len(inner)]  # type: ignore[misc]
    if o.choices:
        return Literal[o.choices]
    if finite or any(bound is not None for bound in (o.minimum, o.above, _maximum(o), o.below)):
        return Annotated[o.type, bounds]
    return o.type


_WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a text", type(None): "null"}


def _sentence(o: Option, value: Any) -> str:
    """A sentence that says what an option must be, and what it is."""
    inner = get_args(o.type)
    if o.choices:
        names = ["null" if choice is None else str(choice) for choice in o.choices]
        must = f"one of {', '.join(names)}"
        must = f"a list with entries out of {', '.join(map(str, o.choices))}" if o.is_list else must
    else:
        kinds = [inner[0]] if o.is_list else list(inner) or [o.type]
        must = " or ".join(_WORDS[kind] for kind in kinds)
        given = value if isinstance(value, list) else [value]
        if not o.infinite and any(isinstance(x, float) and not math.isfinite(x) for x in given):
            must = must.replace(_WORDS[float], "a finite number")
        beyond = any(isinstance(x, int) and x > LARGEST for x in given)
        bounds = [
            f"{words} {bound:g}" if bound < LARGEST else f"{words} {bound:,.0f}"
            for words, bound in (
                ("at least", o.minimum),
                ("above", o.above),
                ("at most", _maximum(o) if beyond else o.maximum),
                ("below", o.below),
            )
            if bound is not None
        ]
        must += " " + " and ".join(bounds) if bounds else ""
        if o.is_list:
            length = "" if inner[-1] is Ellipsis else f"{len(inner)} "
            must = f"a list of {length}entries, each {must}"
    hint = f"; several are written [{value}]" if _has_commas(o, value) else ""
    return f"must be {must}, not {_shown(value)}{hint}."


def _has_commas(o: Option, value: Any) -> bool:
    """Whether a text names several values with commas, but no brackets."""
    if not isinstance(value, str) or "," not in value:
        return False
    return str not in (o.type, *get_args(o.type)) or all(part.strip() in (o.choices or ()) for part in value.split(","))


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value)
