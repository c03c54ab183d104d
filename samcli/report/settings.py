"""The settings that tell runs apart, beyond the names of data set, model and optimizer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.runs.reader import NO_SETTINGS

Config = Mapping[str, Any]

NAMES = ("dataset.name", "model.name", "optimizer.name")
ALWAYS_SHOWN = ("optimizer.rho",)  # a result of SAM without its radius says little


def flatten(config: Config) -> dict[str, str]:
    """The settings of a configuration with dotted keys, as texts; optimizer first, the seed left out.

    A plain optimizer counts as its own base, so that SAM over SGD has the base of SGD.

    >>> flatten({"epochs": 2, "optimizer": {"name": "sgd", "lr": 0.1}, "seeds": 0})
    {'optimizer.base': 'sgd', 'optimizer.name': 'sgd', 'optimizer.lr': '0.1', 'epochs': '2'}
    """
    flat: dict[str, str] = {}
    for key in sorted(config, key=lambda key: key != "optimizer"):
        value = config[key]
        if isinstance(value, Mapping):
            flat |= {f"{key}.{option}": _text(setting) for option, setting in value.items()}
        elif key not in NO_SETTINGS:
            flat[key] = _text(value)
    return {"optimizer.base": flat["optimizer.name"]} | flat


def count_shared(a: Mapping[str, str], b: Mapping[str, str]) -> int:
    """The number of settings that two configurations have in common, names aside.

    Args:
        a: one configuration, as `flatten` gives it.
        b: the other one.

    >>> sgd, sam = {"name": "sgd", "lr": 0.1}, {"name": "sam", "base": "sgd", "lr": 0.1, "rho": 0.05}
    >>> count_shared(flatten({"optimizer": sgd}), flatten({"optimizer": sam}))  # the base and its learning rate
    2
    """
    return sum(key in b and b[key] == value for key, value in a.items() if key not in NAMES)


def distinguishing(configs: Sequence[Config]) -> list[dict[str, str]]:
    """For each configuration the settings that tell it from the others, and the radius ρ where it has one.

    Two rows are told apart by a setting that both have and that differs; options of a data set or a model matter
    between rows of that data set or model, all others between rows on one data set. Every row that has such a setting
    shows it, or one would take the rows that do not for equal; an option of the optimizer that is null goes without
    saying.

    Returns:
        Dotted keys and texts, the radius first.

    >>> sgd = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}, "optimizer": {"name": "sgd", "lr": 0.1}}
    >>> distinguishing([sgd, sgd | {"optimizer": {"name": "sgd", "lr": 0.2}}])
    [{'optimizer.lr': '0.1'}, {'optimizer.lr': '0.2'}]
    """
    flats = [flatten(config) for config in configs]
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    for flat in flats:
        for key, value in flat.items():
            seen[_scope(key, flat), key].add(value)

    def tells(key: str, value: str, flat: Mapping[str, str]) -> bool:
        return len(seen[_scope(key, flat), key]) > 1 and not (value == "null" and key.startswith("optimizer."))

    found = []
    for config, flat in zip(configs, flats, strict=True):
        differ = {key: value for key, value in flat.items() if tells(key, value, flat)}
        if "base" not in config["optimizer"]:
            differ.pop("optimizer.base", None)
        always = {key: flat[key] for key in ALWAYS_SHOWN if key in flat}
        found.append({key: value for key, value in (always | differ).items() if key not in NAMES})
    return found


def label(settings: Mapping[str, str], *blocks: str) -> str:
    """The settings of some blocks in one line; no block means all but data set and model.

    >>> label({"optimizer.rho": "0.1", "schedule.name": "cosine", "dataset.label_noise": "0.4"})
    'rho=0.1 schedule=cosine'
    """
    words = []
    for key, value in settings.items():
        block, _, option = key.partition(".")
        if block in blocks if blocks else block not in ("dataset", "model"):
            # sharpness.rho keeps its block, or it would read as the optimizer's
            short = block if option in ("", "name") else option if block != "sharpness" else key
            words.append(f"{short}={value}")
    return " ".join(words)


def captions(configs: Sequence[Config]) -> list[tuple[str, str]]:
    """A name for each run in two parts: the optimizer with the settings that tell it from the others, and the seed.

    Data set and model are named only where there is more than one.

    >>> sgd = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}, "optimizer": {"name": "sgd", "lr": 0.1}}
    >>> captions([sgd | {"seeds": 0}, sgd | {"epochs": 30, "seeds": 1}])
    [('sgd', 'seed 0'), ('sgd', 'seed 1')]
    """
    several = len({dataset_and_model(config) for config in configs}) > 1
    found = []
    for config, words in zip(configs, distinguishing(configs), strict=True):
        where = [dataset_and_model(config)] if several else []
        parts = [*where, config["optimizer"]["name"], label(words, "dataset", "model"), label(words)]
        found.append((" ".join(part for part in parts if part), f"seed {config['seeds']}"))
    return found


def dataset_and_model(config: Config) -> str:
    """The names of a run's data set and model.

    >>> dataset_and_model({"dataset": {"name": "digits"}, "model": {"name": "cnn"}})
    'digits, cnn'
    """
    return f"{config['dataset']['name']}, {config['model']['name']}"


def _scope(key: str, flat: Mapping[str, str]) -> str:
    return flat["model.name"] if key.startswith("model.") else flat["dataset.name"]


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list):
        return "+".join(map(_text, value)) or "none"
    return str(value)
