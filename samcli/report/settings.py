"""What tells the rows of a comparison apart, beyond the names of data set, model and optimizer."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from samcli.config.schema import without_newer

Config = Mapping[str, Any]

NAMES = ("dataset.name", "model.name", "optimizer.name")
ALWAYS = ("optimizer.rho",)  # a result of SAM without its radius says little
NOT_OF_THE_CELL = ("name", "seeds")


def cell_key(config: Config, *blocks: str) -> str:
    """A text that is equal for equal settings, whatever the order of their keys and the version that wrote them.

    The seed is left out.

    Args:
        config: the resolved configuration of a run.
        blocks: the parts to look at; none means all.
    """
    body = {k: v for k, v in config.items() if k not in NOT_OF_THE_CELL and (not blocks or k in blocks)}
    return json.dumps(without_newer(body), sort_keys=True, default=str)


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
        elif key not in NOT_OF_THE_CELL:
            flat[key] = _text(value)
    return {"optimizer.base": flat["optimizer.name"]} | flat


def shared(a: Config, b: Config) -> int:
    """How many settings two configurations have in common, names aside."""
    left, right = flatten(a), flatten(b)
    return sum(key in right and right[key] == value for key, value in left.items() if key not in NAMES)


def telling(configs: Sequence[Config]) -> list[dict[str, str]]:
    """For each configuration its settings that tell it from others, and the radius ρ where it has one.

    Two rows are told apart by a setting that both have and that differs; options of a data set or a model matter
    between rows of that data set or model, all others between rows on one data set. An option of the optimizer that
    more than half of the rows share goes without saying, unless rows of the same optimizer differ in it; so does null.

    Returns:
        Dotted keys and texts, the radius first.
    """
    flats = [flatten(config) for config in configs]
    seen: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for flat in flats:
        for key, value in flat.items():
            seen[_scope(key, flat), key][value] += 1
            seen[_scope(key, flat), key, flat["optimizer.name"]][value] += 1

    def tells(key: str, value: str, flat: Mapping[str, str]) -> bool:
        everywhere = seen[_scope(key, flat), key]
        usual = key.startswith("optimizer.") and (value == "null" or 2 * everywhere[value] > everywhere.total())
        alike = value == "null" or len(seen[_scope(key, flat), key, flat["optimizer.name"]]) == 1
        return len(everywhere) > 1 and not (usual and alike)

    found = []
    for config, flat in zip(configs, flats, strict=True):
        differ = {key: value for key, value in flat.items() if tells(key, value, flat)}
        if "base" not in config["optimizer"]:
            differ.pop("optimizer.base", None)
        always = {key: flat[key] for key in ALWAYS if key in flat}
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


def captions(configs: Sequence[Config]) -> list[tuple[str, str]]:
    """What to call each run: the optimizer with what tells it from the others, and the seed.

    Data set and model are named only where there is more than one.
    """
    several = len({place(config) for config in configs}) > 1
    found = []
    for config, words in zip(configs, telling(configs), strict=True):
        where = [place(config)] if several else []
        parts = [*where, config["optimizer"]["name"], label(words, "dataset", "model"), label(words)]
        found.append((" ".join(part for part in parts if part), f"seed {config['seeds']}"))
    return found


def place(config: Config) -> str:
    """Data set and model of a run."""
    return f"{config['dataset']['name']}, {config['model']['name']}"
