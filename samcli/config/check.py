"""The check of every value that a user writes, against the option that declares it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from samcli.config.source import KeyPath, Source, parse_scalar
from samcli.errors import ConfigError, nearest
from samcli.fit import largest, sentence
from samcli.registry import Option

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
        raise ConfigError(f"{source.where((*path, key))}: {key} {sentence(options[key], values[key])}") from None
    return {key: _canonical(options[key], getattr(checked, key), source.where((*path, key))) for key in options}


def _canonical(o: Option, value: Any, where: str) -> Any:
    if o.canonical is None:
        return value
    try:
        return o.canonical(value)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


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


def _annotation(o: Option) -> Any:
    finite: Any = {"allow_inf_nan": False} if float in (o.type, *get_args(o.type)) and not o.infinite else {}
    bounds = Field(ge=o.minimum, gt=o.above, le=largest(o), lt=o.below, **finite)
    element: Any
    if o.is_list:
        inner = get_args(o.type)
        element = Literal[o.choices] if o.choices else Annotated[inner[0], bounds]
        return tuple[element, ...] if inner[-1] is Ellipsis else tuple[(element,) * len(inner)]  # type: ignore[misc]
    if o.choices:
        return Literal[o.choices]
    if finite or any(bound is not None for bound in (o.minimum, o.above, largest(o), o.below)):
        return Annotated[o.type, bounds]
    return o.type
