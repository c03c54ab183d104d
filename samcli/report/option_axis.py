"""A numeric option of a grid as an axis: its value in a configuration, and runs as if they had no such option."""

from __future__ import annotations

import dataclasses
import math

from samcli.errors import ConfigError
from samcli.report.settings import Config, flatten
from samcli.runs.reader import Run


def number_of(config: Config, key: str, asked: str) -> float | None:
    """The value of an option; None for a configuration without it, and for one where it is null.

    Args:
        config: resolved.
        key: dotted, see `samcli.report.baseline.setting_key`.
        asked: what the user wrote it in, for the error: "--axis rho".

    Raises:
        ConfigError: it is no number.

    >>> number_of({"optimizer": {"name": "sam", "rho": 0.1}, "epochs": 2}, "optimizer.rho", "--axis rho")
    0.1
    """
    block, _, option = key.partition(".")
    value = config.get(block)
    if option:
        value = value.get(option) if isinstance(value, dict) else None
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigError(f"{asked}: {flatten(config)[key]} is no number; name an option with numbers.")
    return float(value)


def without(run: Run, key: str) -> Run:
    """The run as if it had no such option: runs that differ in it alone have then one setting.

    >>> from samcli.report.example import example_runs
    >>> run = example_runs()[0]
    >>> "lr" in run.config["optimizer"], "lr" in without(run, "optimizer.lr").config["optimizer"]
    (True, False)
    """
    block, _, option = key.partition(".")
    config = {name: value for name, value in run.config.items() if name != block}
    if option:
        config[block] = {name: value for name, value in run.config[block].items() if name != option}
    return dataclasses.replace(run, config=config)


def axis_words(key: str) -> str:
    """The option without its block, save where it would read as another one: there are two of rho and of every.

    >>> axis_words("optimizer.rho"), axis_words("sharpness.rho"), axis_words("batch_size")
    ('rho', 'sharpness rho', 'batch size')
    """
    block, _, option = key.rpartition(".")
    return (f"{block} {option}" if block in ("sharpness", "evaluate", "federated") else option).replace("_", " ")
