"""Whether a value fits the option that declares it, and the sentence for one that does not."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any, get_args

from samcli.errors import nearest

if TYPE_CHECKING:
    from samcli.registry import Option

LARGEST = 2**31 - 1  # of a whole number that has no bound of its own


def largest(o: Option) -> float | None:
    """The upper bound of an option: no count of an experiment is beyond 2³¹.

    >>> from samcli.registry import Option
    >>> largest(Option("steps", type=int)), largest(Option("radius", type=float))
    (2147483647, None)
    """
    whole = int in (o.type, *get_args(o.type)) and float not in (o.type, *get_args(o.type))
    return LARGEST if o.maximum is None and o.below is None and whole else o.maximum


def fits(o: Option, value: Any) -> bool:
    """Whether a value given in Python is of an option's type, within its bounds, and one of its choices.

    Numbers of numpy are numbers, a list may stand for a tuple, and what is of a type not known here fits.

    >>> from samcli.registry import Option
    >>> radius = Option("radius", above=0.0, type=float)
    >>> [fits(radius, value) for value in (0.1, 1, "0.1", True, float("nan"), 0.0, None)]
    [True, True, False, False, False, False, False]
    """
    if not o.is_list:
        return _fits(o, get_args(o.type) or (o.type,), value)
    inner = get_args(o.type)
    if not isinstance(value, list | tuple) or (inner[-1] is not Ellipsis and len(value) != len(inner)):
        return False
    return all(_fits(o, (inner[0],), element) for element in value)


def _fits(o: Option, kinds: tuple[Any, ...], value: Any) -> bool:
    if o.choices:
        return any(value is choice or (type(value) is type(choice) and value == choice) for choice in o.choices)
    if not any(_is_of(kind, value) for kind in kinds):
        return False
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return True
    number = float(value)
    return (
        (math.isfinite(number) or (o.infinite and not math.isnan(number)))
        and (o.minimum is None or number >= o.minimum)
        and (o.above is None or number > o.above)
        and (o.maximum is None or number <= o.maximum)
        and (o.below is None or number < o.below)
    )


def _is_of(kind: Any, value: Any) -> bool:
    if kind is float:
        return isinstance(value, numbers.Real) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return isinstance(value, kind) if kind in _WORDS else True


_WORDS = {float: "a number", int: "a whole number", bool: "true or false", str: "a text", type(None): "null"}


def sentence(o: Option, value: Any) -> str:
    """What an option must be, and what it is, to follow its name.

    >>> from samcli.registry import Option
    >>> sentence(Option("radius", minimum=0.0, type=float), "0.1")
    "must be a number at least 0, not '0.1'."
    >>> sentence(Option("weights", choices=(None, "balanced"), type=str), "balancd")
    "must be one of null, balanced, not 'balancd'. Did you mean balanced?"
    """
    inner = get_args(o.type)
    if o.choices:
        names = ["null" if choice is None else str(choice) for choice in o.choices]
        must = f"one of {', '.join(names)}"
        must = f"a list with entries out of {', '.join(map(str, o.choices))}" if o.is_list else must
    else:
        kinds = [inner[0]] if o.is_list else list(inner) or [o.type]
        must = " or ".join(_WORDS.get(kind, "another value") for kind in kinds)
        given = value if isinstance(value, list | tuple) else [value]
        if not o.infinite and any(isinstance(x, float) and not math.isfinite(x) for x in given):
            must = must.replace(_WORDS[float], "a finite number")
        beyond = any(isinstance(x, int) and x > LARGEST for x in given)
        bounds = [
            f"{words} {bound:g}" if bound < LARGEST else f"{words} {bound:,.0f}"
            for words, bound in (
                ("at least", o.minimum),
                ("above", o.above),
                ("at most", largest(o) if beyond else o.maximum),
                ("below", o.below),
            )
            if bound is not None
        ]
        must += " " + " and ".join(bounds) if bounds else ""
        if o.is_list:
            length = "" if inner[-1] is Ellipsis else f"{len(inner)} "
            must = f"a list of {length}entries, each {must}"
    hint = f"; several are written [{value}]" if _has_commas(o, value) else ""
    return f"must be {must}, not {_shown(value)}{hint}.{_meant(o, value)}"


def _meant(o: Option, value: Any) -> str:
    """A sentence that names the choice nearest to the first text that is none; nothing where none is near."""
    known = [choice for choice in o.choices or () if isinstance(choice, str)]
    wrong = (
        x for x in (value if isinstance(value, list | tuple) else [value]) if isinstance(x, str) and x not in known
    )
    clause = nearest(next(wrong, ""), known) if known else ""
    return f" {clause[0].upper()}{clause[1:]}" if clause.startswith("did") else ""


def _has_commas(o: Option, value: Any) -> bool:
    """Whether a text names several values with commas, but no brackets."""
    if not isinstance(value, str) or "," not in value:
        return False
    return str not in (o.type, *get_args(o.type)) or all(part.strip() in (o.choices or ()) for part in value.split(","))


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return repr(value)
