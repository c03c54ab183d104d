"""Which rows of a comparison the others are compared to, and what a user calls their settings."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable

from samcli.errors import ConfigError, nearest
from samcli.report.settings import YOUNGER, Config, flatten, method


def baseline_matcher(text: str, configs: Iterable[Config]) -> Callable[[Config], bool]:
    """A function that recognises the configurations a text names: by an optimizer, and settings as tables show them.

    A name alone stands for the optimizer without an average of its weights, which is a rival of its own, wherever there
    is one on the same data and model.

    Args:
        text: NAME or "NAME KEY=VALUE ...", where a key is that of an option of the optimizer, any other key of a
            configuration, or a dotted one: "sam rho=0.1 schedule=cosine dataset.label_noise=0.4".
        configs: resolved configurations, one of which should have each key.

    Raises:
        ConfigError: not of this form, or no configuration has such a key.

    >>> sam = {"optimizer": {"name": "sam", "rho": 0.1}, "precision": "bf16"}
    >>> [baseline_matcher(text, [sam])(sam) for text in ("sam", "sam rho=0.10 precision=bf16", "sam rho=0.2", "sgd")]
    [True, True, False, False]
    """
    if not text.strip():
        raise ConfigError("--baseline is empty; name an optimizer such as sgd.")
    name, *assignments = text.split()
    configs = list(configs)
    known = {key: None for config in configs for key in flatten(config)}
    wanted: dict[str, str] = {}
    for assignment in assignments:
        key, equals, value = assignment.partition("=")
        if not (key and equals):
            raise ConfigError(f"--baseline {text}: write NAME or 'NAME KEY=VALUE ...', such as 'sam rho=0.1'.")
        wanted[setting_key(key, known, f"--baseline {text}")] = value

    def is_named(config: Config) -> bool:
        settings = {**YOUNGER, **flatten(config)}
        same = all(key in settings and _equal(settings[key], value) for key, value in wanted.items())
        return config["optimizer"]["name"] == name and same

    plain = {_place(config) for config in configs if is_named(config) and method(config) == name}

    def is_baseline(config: Config) -> bool:
        is_rival = "optimizer.average" not in wanted and method(config) != name and _place(config) in plain
        return is_named(config) and not is_rival

    return is_baseline


def _place(config: Config) -> str:
    return json.dumps([config.get("dataset"), config.get("model")], sort_keys=True, default=str)


def setting_key(key: str, known: Collection[str], option: str) -> str:
    """The dotted key of a setting that a user wrote, perhaps in short: "rho" for "optimizer.rho".

    Args:
        key: of an option of the optimizer, or any other key of a configuration, or a dotted one.
        known: the dotted keys that the runs have.
        option: what the user wrote it in, for the error.

    Raises:
        ConfigError: no run has such a key.

    >>> setting_key("schedule", ["optimizer.rho", "schedule.name"], "--axis schedule")
    'schedule.name'
    """
    found = [k for k in (f"optimizer.{key}", key, f"{key}.name") if k in known]
    if not found:
        short = dict.fromkeys(k.removeprefix("optimizer.").removesuffix(".name") for k in known)
        raise ConfigError(f"{option}: no run has a setting {key!r}; {nearest(key.removeprefix('optimizer.'), short)}")
    return found[0]


def _equal(setting: str, written: str) -> bool:
    """Whether two texts are equal, or stand for the same number."""
    try:
        return setting == written or float(setting) == float(written)
    except ValueError:
        return False
