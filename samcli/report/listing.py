"""Rows and tables of what there is to choose from, and of its options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from samcli.metrics import scores_on_request
from samcli.registry import Option, Registry
from samcli.report.text_table import text_table

Rows = list[dict[str, str]]


def registry_rows(registry: Registry[Any]) -> Rows:
    """A row for each name of a registry, with the first sentence of its documentation.

    >>> from samcli.optim import SCHEDULES
    >>> registry_rows(SCHEDULES)[0]
    {'name': 'constant', 'meaning': 'The same learning rate throughout.'}
    """
    names = zip(registry, registry.shown(), strict=True)
    return [{"name": shown, "meaning": registry.summary(name)} for name, shown in names]


def optimizer_rows(bases: Registry[Any], variants: Registry[Any]) -> Rows:
    """A row for each optimizer, with what it costs and, for a variant, the paper that it is from.

    >>> from samcli.optim import BASES, VARIANTS
    >>> [(row["name"], row["passes"]) for row in optimizer_rows(BASES, VARIANTS)][:4]
    [('sgd', '1'), ('adam', '1'), ('adamw', '1'), ('sam', '2')]
    """
    plain = [{"name": n, "passes": "1", "memory": "0", "meaning": bases.summary(n), "paper": ""} for n in bases]
    family = [
        {
            "name": name,
            "passes": variants.kind(name).passes,
            "memory": variants.kind(name).memory,
            "meaning": variants.summary(name),
            "paper": f"{variants.kind(name).paper} {variants.kind(name).year}",
        }
        for name in variants
    ]
    return plain + family


def metric_rows() -> Rows:
    """A row for each score that `evaluate.metrics` may ask for.

    >>> metric_rows()[0]["name"], metric_rows()[0]["better"]
    ('balanced-accuracy', 'higher')
    """
    return [
        {
            "name": name,
            "of": score.on_request or "",
            "better": "higher" if score.higher_is_better else "lower",
            "meaning": score.meaning,
        }
        for name, score in scores_on_request().items()
    ]


def option_table(options: Mapping[str, Option], *, width: int | None = 100, color: bool = False) -> str:
    """A row for each option; nothing for none.

    >>> from samcli.optim import VARIANTS
    >>> print(option_table(VARIANTS.options("sam"), width=60))  # doctest: +ELLIPSIS, +NORMALIZE_WHITESPACE
    option         type           default   meaning
    ────────────────────────────────────────────────────────────
    rho            number         0.05      radius ρ of the
                                            neighbourhood; 0 is
    ...
    """
    rows = [
        {"option": name, "type": type_name(o), "default": shown(o.default), "meaning": o.help}
        for name, o in options.items()
    ]
    return text_table(rows, width=width, color=color)


def option_records(options: Mapping[str, Option]) -> list[dict[str, Any]]:
    """The rows of `option_table` for programs, with each default as the value that it is.

    >>> from samcli.optim import VARIANTS
    >>> [(row["option"], row["type"], row["default"]) for row in option_records(VARIANTS.options("sam"))][:1]
    [('rho', 'number', 0.05)]
    """
    return [
        {"option": name, "type": type_name(o), "default": o.default, "meaning": o.help} for name, o in options.items()
    ]


def type_name(option: Option) -> str:
    """The type of an option in a user's words.

    >>> type_name(Option("a radius", type=float)), type_name(Option("a bound", type=float | None))
    ('number', 'number | null')
    """
    if option.choices:
        words = " | ".join(map(shown, option.choices))
        return f"list of {words}" if option.is_list else words
    names: dict[Any, str] = {float: "number", int: "whole number", bool: "true | false", str: "text"}
    names[type(None)] = "null"
    types = [one for one in get_args(option.type) if one is not Ellipsis] or [option.type]
    if option.is_list:
        return f"list of {names[types[0]]}s"
    return " | ".join(names[one] for one in types)


def shown(value: Any) -> str:
    """A default as a user would write it in a file.

    >>> shown((0.9, 0.999)), shown(None), shown(True)
    ('[0.9, 0.999]', 'null', 'true')
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f"{value:g}" if isinstance(value, float) else str(value)
