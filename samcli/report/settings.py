"""The settings that tell runs apart, beyond the names of data set, model and optimizer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from samcli.config.schema import NEWER, NEWER_IN
from samcli.config.stages import flat_stages, without_echoes
from samcli.runs.reader import NO_SETTINGS

Config = Mapping[str, Any]

NAMES = ("dataset.name", "model.name", "optimizer.name")
ALWAYS_SHOWN = ("optimizer.rho",)  # a result of SAM without its radius says little


def flatten(config: Config) -> dict[str, str]:
    """The settings of a configuration with dotted keys, as texts; optimizer first, the seed left out.

    A plain optimizer counts as its own base, so that SAM over SGD has the base of SGD. What comes before a run is that
    of `stage1`, `stage2`, ...; there an option of the optimizer needs no more than its name, as `stage1.rho`.

    >>> flatten({"epochs": 2, "optimizer": {"name": "sgd", "lr": 0.1}, "seeds": 0})
    {'optimizer.base': 'sgd', 'optimizer.name': 'sgd', 'optimizer.lr': '0.1', 'epochs': '2'}
    """
    flat: dict[str, str] = {}
    for key in sorted(config, key=lambda key: key != "optimizer"):
        value = config[key]
        if isinstance(value, Mapping):
            flat |= {f"{key}.{option}": _text(setting) for option, setting in value.items()}
        elif key == "stages":
            flat |= {stage_key: _text(setting) for stage_key, setting in flat_stages(value).items()}
        elif key not in NO_SETTINGS:
            flat[key] = _text(value)
    return {"optimizer.base": flat["optimizer.name"]} | flat


def distinguishing(configs: Sequence[Config]) -> list[dict[str, str]]:
    """For each configuration the settings that tell it from the others, and the radius ρ where it has one.

    Two rows are told apart by a setting that both have and that differs; options of a data set or a model matter
    between rows of that data set or model, all others between rows on one data set. Every row that has such a setting
    shows it, or one would take the rows that do not for equal, save what `unsaid` names in one place; an option of the
    optimizer or of clients that is null goes without saying, and so does what a stage has as the run itself. A run
    without clients has none of them, which is told where others have some.

    Returns:
        Dotted keys and texts, the radius first.

    >>> sgd = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}, "optimizer": {"name": "sgd", "lr": 0.1}}
    >>> distinguishing([sgd, sgd | {"optimizer": {"name": "sgd", "lr": 0.2}}])
    [{'optimizer.lr': '0.1'}, {'optimizer.lr': '0.2'}]
    """
    flats = without_echoes(_completed(configs))
    if any("federated.clients" in flat for flat in flats):
        flats = [{"federated.clients": "0"} | flat for flat in flats]
    seen = _values(flats)
    usual = _usual(seen)

    def tells(key: str, value: str, flat: Mapping[str, str]) -> bool:
        if value == "null" and key.startswith(("optimizer.", "federated.")):
            return False
        return (
            len(seen[_scope(key, flat), key]) > 1
            and usual.get((_scope(key, flat), key, flat["optimizer.name"])) != value
        )

    found = []
    for config, flat in zip(configs, flats, strict=True):
        differ = {key: value for key, value in flat.items() if tells(key, value, flat)}
        if "base" not in config["optimizer"]:
            differ.pop("optimizer.base", None)
        always = {key: flat[key] for key in ALWAYS_SHOWN if key in flat}
        found.append({key: value for key, value in (always | differ).items() if key not in NAMES})
    return found


def unsaid(configs: Sequence[Config]) -> dict[str, str]:
    """The options of optimizers that `distinguishing` leaves out of most rows, because most rows have the same.

    They are those of more than three quarters of the rows on a data set, where no two rows of one optimizer differ.

    >>> sgd = {"dataset": {"name": "digits"}, "model": {"name": "cnn"}, "optimizer": {"name": "sgd", "lr": 0.1}}
    >>> others = [sgd | {"optimizer": {"name": name, "lr": 0.1}} for name in ("a", "b", "c")]
    >>> unsaid([sgd, *others, sgd | {"optimizer": {"name": "d", "lr": 0.5}}])
    {'lr': '0.1'}
    """
    flats = _completed(configs)
    usual = {(scope, key): value for (scope, key, _), value in _usual(_values(flats)).items()}
    several = len({scope for scope, _ in usual}) > 1
    return {
        key.removeprefix("optimizer.") + (f" on {scope}" if several else ""): value
        for (scope, key), value in usual.items()
    }


def _completed(configs: Sequence[Config]) -> list[dict[str, str]]:
    """The settings of each configuration, with the defaults of options that are younger than it and that others have.

    A run of before `average` is one without an average, beside one that has it.
    """
    flats = [flatten(config) for config in configs]
    known = {(_scope(key, flat), key) for flat in flats for key in flat if key in YOUNGER}
    for flat in flats:
        flat |= {key: text for key, text in YOUNGER.items() if key not in flat and (_scope(key, flat), key) in known}
    return flats


def _values(flats: Sequence[Mapping[str, str]]) -> dict[tuple[str, ...], Counter[str]]:
    """How often each value of a setting occurs where it matters, over all rows and over those of one optimizer."""
    seen: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    for flat in flats:
        for key, value in flat.items():
            seen[_scope(key, flat), key][value] += 1
            seen[_scope(key, flat), key, flat["optimizer.name"]][value] += 1
    return seen


def _usual(seen: Mapping[tuple[str, ...], Counter[str]]) -> dict[tuple[str, str, str], str]:
    """The value that goes without saying, by scope, option and optimizer; of what `_values` has counted."""
    found: dict[tuple[str, str, str], str] = {}
    for scope, key, name in (place for place in seen if len(place) == 3):
        if not key.startswith("optimizer.") or key in (*ALWAYS_SHOWN, *NAMES, "optimizer.base"):
            continue
        everywhere = seen[scope, key]
        ((value, times),) = everywhere.most_common(1)
        usual = len(everywhere) > 1 and 4 * times > 3 * everywhere.total()
        if usual and len(seen[scope, key, name]) == 1 and value != "null":
            found[scope, key, name] = value
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
            # sharpness.rho keeps its block, or it would read as the optimizer's; and there are two of every
            whole = block in ("sharpness", "evaluate", "federated") or block.startswith("stage")
            short = block if option in ("", "name") else key if whole else option
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
    """The names of a run's data set and model, as people say them.

    >>> dataset_and_model({"dataset": {"name": "digits"}, "model": {"name": "cnn"}})
    'digits, cnn'
    """
    name = config["dataset"]["name"]
    return f"{spoken([name])[name]}, {config['model']['name']}"


def spoken(datasets: Iterable[str]) -> dict[str, str]:
    """How people say the names of data sets: of an absolute path its last part, if that tells it from the others.

    >>> spoken(["digits", "image-folder:/home/me/pets"])
    {'digits': 'digits', 'image-folder:/home/me/pets': 'pets'}
    >>> list(spoken(["image-folder:/a/pets", "image-folder:/b/pets"]).values())
    ['image-folder:/a/pets', 'image-folder:/b/pets']
    """
    names = list(dict.fromkeys(datasets))
    paths = [PurePath(name.partition(":")[2]) for name in names]
    tails = [path.name if path.is_absolute() and path.name else name for name, path in zip(names, paths, strict=True)]
    return {name: tail if tails.count(tail) == 1 else name for name, tail in zip(names, tails, strict=True)}


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


# The defaults of the options that a run of an earlier version lacks, as `flatten` has them.
YOUNGER: Mapping[str, str] = {key: _text(value) for key, value in NEWER.items()} | {
    f"{block}.{key}": _text(value) for block, options in NEWER_IN.items() for key, value in options.items()
}


def method(config: Config) -> str:
    """The optimizer of a run as one of those that are compared: with the average of its weights, if it has one.

    >>> method({"optimizer": {"name": "sgd", "average": "ema"}}), method({"optimizer": {"name": "sgd"}})
    ('sgd average=ema', 'sgd')
    """
    average = config["optimizer"].get("average")
    return f"{config['optimizer']['name']}{f' average={average}' if average else ''}"
