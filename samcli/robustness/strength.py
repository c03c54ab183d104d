"""ε in pixel units, as papers write it: so many 255ths."""

from __future__ import annotations

from samcli.errors import ConfigError

LEAST, MOST = 1e-9, 1e6  # beyond, single precision has no squares of it; images change by a 10⁻⁷th of a pixel at least


def strength(text: str | float) -> float:
    """A number, or a fraction such as 8/255.

    Raises:
        ConfigError: it is neither, below 0, or so small or large that single precision cannot compute with it.

    >>> strength("0.25"), strength("51/255"), strength(0.5)
    (0.25, 0.2, 0.5)
    """
    above, slash, below = str(text).partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError):
        value = -1.0
    if not 0.0 <= value < float("inf"):
        raise ConfigError(f"ε must be a number of at least 0 or a fraction such as 8/255, not {text!r:.60}.")
    if value > MOST or 0.0 < value < LEAST:
        raise ConfigError(f"ε must be 0, or from {LEAST:g} to {MOST:g}, and is {value:g}; pixels are from 0 to 1.")
    return value


def strength_text(value: float) -> str:
    """The shortest way to write it: as 255ths where it is a whole number of them, or one of the first halves.

    >>> strength_text(8 / 255), strength_text(0.5), strength_text(0.5 / 255), strength_text(0.0)
    ('8/255', '0.5', '0.5/255', '0')
    """
    steps = value * 255.0
    halves = round(2.0 * steps)
    if halves and abs(2.0 * steps - halves) < 1e-9 * halves and (halves % 2 == 0 or halves < 16):
        return f"{halves / 2:g}/255"
    return f"{value:g}"
