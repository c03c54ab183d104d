"""The experiment file that a search ends in: every optimizer with the settings chosen, on the final seeds."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from samcli.config.draft import Draft
from samcli.config.federated import Federated
from samcli.config.hypotheses import Hypothesis, check_hypotheses
from samcli.config.schema import Catalogue, Evaluation, RunConfig, Sharpness, Training, vars_of
from samcli.config.source import parse
from samcli.config.stages import BLOCKS, OWN
from samcli.config.tune import Tuning
from samcli.errors import ConfigError
from samcli.registry import options_of
from samcli.tune.search import Progress
from samcli.tune.trial import best_of

MARK = "# Written by samcli tune"


def tuned_runs(runs: Sequence[RunConfig], progress: Progress, tuning: Tuning, catalogue: Catalogue) -> list[RunConfig]:
    """The runs of the final comparison: every optimizer with its best trial's settings, on the experiment's seeds.

    Args:
        runs: of the experiment that was tuned.
        progress: the search, at its end; every optimizer has a trial that finished.
        tuning: how was searched.
        catalogue: checks settings.
    """
    found = []
    for one in progress.contenders:
        best = best_of(progress.trials[one.name])
        assert best is not None
        found += one.configs(best.settings, tuning.seeds[:1], catalogue)
    name = f"{runs[0].name}-tuned"
    seeds = dict.fromkeys(run.seed for run in runs)
    return [dataclasses.replace(run, name=name, seed=seed) for seed in seeds for run in found]


def fitting(
    hypotheses: Sequence[Hypothesis], runs: Sequence[RunConfig], catalogue: Catalogue
) -> tuple[list[Hypothesis], list[Hypothesis]]:
    """The hypotheses that can be put to the final runs, and those that name what is not among them any more."""
    kept: list[Hypothesis] = []
    left: list[Hypothesis] = []
    for one in hypotheses:
        try:
            check_hypotheses([one], runs, catalogue.datasets.canonical)
        except ConfigError:
            left.append(one)
        else:
            kept.append(one)
    return kept, left


def experiment_text(
    runs: Sequence[RunConfig],
    hypotheses: Sequence[Hypothesis],
    words: Sequence[str],
    catalogue: Catalogue,
    written_out: Collection[str] = (),
) -> str:
    """The text of an experiment file of these runs, which differ in optimizer and seed; defaults are left out.

    Args:
        runs: of every optimizer on every seed.
        hypotheses: that go into it.
        words: lines of the comment on top.
        catalogue: knows the defaults.
        written_out: options of optimizers that are written also where they have their default.
    """
    first = runs[0]
    optimizers = {repr(run.optimizer): run.optimizer for run in runs}
    body: dict[str, Any] = {"name": first.name}
    if first.stages:
        body["stages"] = [_short_stage(stage, first, catalogue) for stage in first.stages]
    for section in ("dataset", "model"):
        body[section] = _name_or_block(_short(section, getattr(first, section), catalogue))
    body |= _changed(vars_of(first.training), Training)
    body["schedule"] = _name_or_block(_short("schedule", first.schedule, catalogue))
    for key, kind in (("sharpness", Sharpness), ("evaluate", Evaluation)):
        if changed := _changed(vars_of(getattr(first, key)), kind):
            body[key] = changed
    if first.federated:
        body["federated"] = _changed(vars_of(first.federated), Federated)
    body["optimizer"] = [_short("optimizer", block, catalogue, written_out) for block in optimizers.values()]
    body["seeds"] = list(dict.fromkeys(run.seed for run in runs))
    if first.plugins:
        body["plugins"] = list(first.plugins)
    if hypotheses:
        body["hypotheses"] = [{**one.document, "says": one.says} for one in hypotheses]
    comment = "".join(f"# {line}\n" for line in words)
    rest = comment + "".join(_lines(key, value) for key, value in body.items())
    text = f"{MARK}, sha256 {_digest(rest)}\n{rest}"
    _check(text, runs, catalogue)
    return text


def is_own(path: Path) -> bool:
    """Whether a file is as `experiment_text` made one; also if it is not there.

    >>> is_own(Path("nowhere.yaml"))
    True
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError):
        return False
    first, _, rest = text.partition("\n")
    return first == f"{MARK}, sha256 {_digest(rest)}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _short(
    section: str, block: Mapping[str, Any], catalogue: Catalogue, written_out: Collection[str] = ()
) -> dict[str, Any]:
    """A resolved block without the options that have their default."""
    options = catalogue.options(section, block["name"], block.get("base"))
    return {
        key: value
        for key, value in block.items()
        if key not in options or key == "base" or key in written_out or value != options[key].default
    }


def _short_stage(stage: Mapping[str, Any], run: RunConfig, catalogue: Catalogue) -> dict[str, Any]:
    """A stage without the settings in which it is as the run."""
    own = {**vars_of(run.training), **{key: options_of(Training)[key].default for key in OWN}}
    blocks = {key: _name_or_block(_short(key, stage[key], catalogue)) for key in BLOCKS}
    rest = {key: value for key, value in stage.items() if key not in BLOCKS}
    return blocks | {key: value for key, value in rest.items() if key not in own or value != own[key]}


def _name_or_block(block: Mapping[str, Any]) -> Any:
    return block["name"] if list(block) == ["name"] else block


def _changed(values: Mapping[str, Any], kind: type) -> dict[str, Any]:
    options = options_of(kind)
    return {key: value for key, value in values.items() if key == "epochs" or value != options[key].default}


def _lines(key: str, value: Any) -> str:
    """A key of the document; an item of a list of blocks has a line of its own."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return f"{key}:\n" + "".join(f"  - {_flow(item)}\n" for item in value)
    return f"{key}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    value = _plain(value)
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _check(text: str, runs: Sequence[RunConfig], catalogue: Catalogue) -> None:
    """A file that is read as other runs than it was written for would be a defect."""
    read = Draft.of(parse(text, "the tuned experiment"), catalogue).expand()
    assert {run.identity for run in read} == {run.identity for run in runs}, text
