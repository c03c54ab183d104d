"""An experiment as written: blocks that may hold lists, changed by flags, expanded into runs."""

from __future__ import annotations

import itertools
import math
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from samcli.config.block import Block, as_list, blocks_of, check_size, choices_of
from samcli.config.budget import budgets_of, with_tokens
from samcli.config.check import check
from samcli.config.claim import Claim, claim_of
from samcli.config.equal_compute import wants_equal_compute, with_equal_compute
from samcli.config.exclusions import check_exclusions
from samcli.config.federated import Federated, federated_of
from samcli.config.hypotheses import Hypothesis, check_hypotheses, hypotheses_of
from samcli.config.name import default_name
from samcli.config.pattern import patterns_of
from samcli.config.rounds import check_federated
from samcli.config.schema import Catalogue, Evaluation, RunConfig, Sharpness, Training
from samcli.config.seeds import parse_seeds
from samcli.config.selection import Selection
from samcli.config.source import KeyPath, Source, parse_scalar
from samcli.config.stages import remembered, stages_of, with_stages
from samcli.config.tune import Tuning, check_space, tuning_of
from samcli.errors import ConfigError, PluginNeeded, nearest
from samcli.registry import is_loaded, load_plugin, options_of, plugin_of

# the model that stands for none depends on the data set
DEFAULTS = {"dataset": ["digits"], "optimizer": ["sgd", "sam"], "schedule": ["cosine"]}
SECTIONS = ("dataset", "model", "optimizer", "schedule")
SCALARS = options_of(Training)
# blocks of which there is one
NAMELESS = {
    "sharpness": options_of(Sharpness),
    "evaluate": options_of(Evaluation),
    "federated": options_of(Federated),
}
SELECTING = ("only", "exclude")
JUDGED = ("hypotheses", "claim", "tune")  # what is made of the runs, and no part of any
OF_THE_GRID = ("name", "seeds", "tokens", "equal_compute")  # beside its scalars
KEYS = (*OF_THE_GRID, *SECTIONS, *SCALARS, *NAMELESS, "stages", "plugins", *SELECTING, *JUDGED)


@dataclass
class Draft:
    """An experiment before its lists are multiplied out.

    Attributes:
        blocks: for each section the alternatives; an empty list stands for the default.
        nameless: the values in `sharpness`, `evaluate` and `federated`.
        selection: which cells of the grid are runs.
        hypotheses: what the document expects of them.
        claim: of the literature that it looks into.
        tuning: how it has settings searched for.
        is_stage: whether it is of a stage, which says nothing of what comes before.
        left_out: how many cells it left out when the draft was last expanded.
        withheld: Python files that the document names and may not run.
        folders: the names of folders that are in the results, see `samcli.config.name.default_name`.
    """

    source: Source
    catalogue: Catalogue
    name: str | None = None
    blocks: dict[str, list[Block]] = field(default_factory=lambda: {section: [] for section in SECTIONS})
    scalars: dict[str, Any] = field(default_factory=dict)
    nameless: dict[str, dict[str, Any]] = field(default_factory=lambda: {key: {} for key in NAMELESS})
    seeds: Any = 0
    tokens: Any = None
    equal_compute: Any = False
    stages: Any = ()
    plugins: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    selection: Selection = field(default_factory=Selection)
    hypotheses: tuple[Hypothesis, ...] = ()
    claim: Claim | None = None
    tuning: Tuning | None = None
    left_out: int = 0
    is_stage: bool = False
    folders: frozenset[str] = frozenset()

    @classmethod
    def of(cls, source: Source, catalogue: Catalogue) -> Draft:
        """The draft in a document.

        Raises:
            ConfigError: an unknown key, or a section that is neither a name, a block, nor a list of these.
        """
        draft = cls(source, catalogue)
        for key, value in source.data.items():
            if str(key).startswith("x-") or key in JUDGED:  # the user's own, a place for anchors; and see below
                continue
            if key not in KEYS:
                raise ConfigError(f"{source.where((key,))}: {_refusal(str(key), value)}")
            if key in SECTIONS:
                draft.blocks[key] = blocks_of(source, key, value)
            elif key in NAMELESS:
                if not isinstance(value, dict) and not (key == "federated" and value is None):
                    example = "{clients: 100, alpha: 0.1}" if key == "federated" else "{every: 5}"
                    raise ConfigError(f"{source.where((key,))}: {key} must be a block such as {example}.")
                draft.nameless[key] = dict(value or {})
            elif key in SCALARS:
                draft.scalars[key] = value
            elif key in SELECTING:
                if value is not None:  # nor what a base selects
                    getattr(draft.selection, key).append(patterns_of(source, key))
            elif key == "plugins":
                for file in as_list(value):
                    draft.plug_in(source.file_named(str(file), (key,)))
            else:
                setattr(draft, key, value)
        draft.hypotheses = hypotheses_of(source, catalogue.canonical)
        draft.claim = claim_of(source)
        draft.tuning = tuning_of(source)
        return draft

    def plug_in(self, file: str) -> None:
        """Run a Python file for the names it registers, unless the document may not name one.

        Raises:
            ConfigError: it cannot be run.
        """
        if not self.source.trusted and not is_loaded(file):
            self.withheld.append(file)  # who needs it is told so, see `_placed`
            return
        load_plugin(file)
        if file not in self.plugins:
            self.plugins.append(file)

    def choose(self, section: str, names: Iterable[str]) -> None:
        """Keep the blocks of these names; a name that is not among them takes its defaults."""
        self.blocks[section] = [
            block
            for name in names
            for block in [b for b in self.blocks[section] if name in as_list(b.values.get("name"))]
            or [Block({"name": name}, (section,))]
        ]

    def set(self, assignment: str) -> None:
        """Apply `key=value` or `section.key=value`; a section's key reaches every block that has such an option.

        Raises:
            ConfigError: not of this form, or nothing has this key.
        """
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise ConfigError(f"--set {assignment} must be written key=value, such as --set optimizer.rho=0.1.")
        value = parse_scalar(text)
        section, dot, inner = key.partition(".")
        if section in SECTIONS and dot:
            if not self.set_in_blocks(section, inner, value):
                known = ["name", *(key for options in self._options_of_blocks(section) for key in options)]
                meant = nearest(inner, dict.fromkeys(known))
                raise ConfigError(f"--set {key}: no {section} here has an option {inner!r}; {meant}")
        elif section in NAMELESS and (dot or isinstance(value, Mapping)):
            for option, one in ({inner: value} if dot else value).items():
                if option not in NAMELESS[section]:
                    raise ConfigError(f"--set {key}: unknown key {option!r}; {nearest(str(option), NAMELESS[section])}")
                self.source.flags.add((section, option))
                self.nameless[section][option] = one
        elif section in NAMELESS:
            raise ConfigError(f"--set {key}: name the option, for example {key}.{next(iter(NAMELESS[section]))}=VALUE.")
        elif key in SECTIONS:
            self.blocks[key] = blocks_of(Source({}), key, value)
        elif section in (*SELECTING, *JUDGED, "base", "stages"):
            instead = "use --only KEY=VALUE, or " if section in SELECTING else ""
            raise ConfigError(f"--set {key}: {section} is no setting of a run; {instead}write it in a file.")
        else:
            if key not in (known := [*SCALARS, *OF_THE_GRID]):
                places = " or ".join(f"{section}.{key}" for section in self._sections_with(key))
                meant = f"did you mean {places}?" if places else nearest(key, [*known, *SECTIONS, *NAMELESS])
                raise ConfigError(f"--set {key}: unknown key {key!r}; {meant}")
            self.assign(key, value)

    def assign(self, key: str, value: Any) -> None:
        """Set a scalar, the name or the seeds from a flag, which messages then name instead of the file."""
        self.source.flags.add((key,))
        if key in SCALARS:
            self.scalars[key] = value
        else:
            setattr(self, key, value)

    def expand(self) -> list[RunConfig]:
        """Every run of the grid that `only` and `exclude` leave, each once.

        They come seed by seed, and within a seed optimizer by optimizer.

        Raises:
            ConfigError: a value that does not fit its option, or one that is selected and in no run.
        """
        grid = self._grid()
        runs = self.selection.of(grid, self.catalogue.canonical, self._as_written)
        self.left_out = len(grid) - len(runs)
        if self.hypotheses:
            check_hypotheses(self.hypotheses, self._as_written(), self.catalogue.canonical)
        if self.tuning:
            check_space(self.tuning, self._written()._options_of_blocks("optimizer"))
        for run in runs:
            check_federated(run, self.source, tokens=self.tokens is not None)
            check_exclusions(run, self.source, is_stage=self.is_stage)
        return runs

    def as_written(self) -> list[RunConfig]:
        """Every run that the document asks for, whatever flags say."""
        written = self._written()
        return written.selection.of(written._grid(), self.catalogue.canonical, written._as_written)

    def _as_written(self) -> list[RunConfig]:
        """The grid of the document as it is without flags."""
        return self._written()._grid()

    def _written(self) -> Draft:
        """The document as it is without flags."""
        return Draft.of(replace(self.source, flags=set()), self.catalogue)

    def _grid(self) -> list[RunConfig]:
        """Every cell, each once."""
        datasets = self._variations("dataset")
        names = self._names(datasets)
        runs: dict[str, RunConfig] = {}
        optimizers = self._variations("optimizer")
        trainings = [Training(**values) for values in self._checked(self.scalars, SCALARS, "the experiment", ())]
        schedules, sharpnesses = self._variations("schedule"), self._sharpness()
        evaluations = [Evaluation(**values) for values in self._nameless("evaluate")]
        federated = federated_of(self._nameless("federated"), self.nameless["federated"], self.source)
        seeds = parse_seeds(self.seeds, self.source)
        budgets = budgets_of(self.tokens, self.source)
        if self.tokens is not None and "epochs" in self.scalars:
            raise ConfigError(
                f"{self.source.where(('tokens',))}: tokens says how many epochs there are; give one of the two."
            )
        is_equal = wants_equal_compute(self.equal_compute, self.source)
        stages = stages_of(self.source, self.stages or [])
        if stages and is_equal:
            raise ConfigError(
                f"{self.source.where(('stages',))}: equal_compute counts the passes of one training, and this has "
                "stages; leave one of them out."
            )
        expand = remembered(self._of_stage)
        models = [self._models(dataset) for dataset in datasets]
        shared: tuple[list[Any], ...] = (trainings, budgets, schedules, sharpnesses, evaluations, federated, seeds)
        check_size(math.prod(map(len, shared)) * sum(map(len, models)) * len(optimizers))
        axes = itertools.product(zip(datasets, models, strict=True), *shared)
        for (dataset, its_models), training, budget, schedule, sharpness, evaluation, clients, seed in axes:
            for model, optimizer in itertools.product(its_models, optimizers):
                run = RunConfig(
                    name=names[dataset["name"]],
                    dataset=dataset,
                    model=model,
                    optimizer=optimizer,
                    schedule=schedule,
                    training=training,
                    sharpness=sharpness,
                    evaluate=evaluation,
                    seed=seed,
                    plugins=tuple(self.plugins),
                    federated=clients,
                )
                run = run if budget is None else with_tokens(run, budget, self.source)
                run = with_equal_compute(run, self.catalogue, self.source) if is_equal else run
                for staged in with_stages(run, stages, self.source, expand):
                    runs.setdefault(staged.identity, staged)
                check_size(len(runs))
        return list(runs.values())

    def _of_stage(self, source: Source) -> list[RunConfig]:
        draft = Draft.of(source, self.catalogue)
        draft.is_stage = True
        return draft.expand()

    def _sharpness(self) -> list[Sharpness]:
        found = [Sharpness(**values) for values in self._nameless("sharpness")]
        for name in (name for sharpness in found for name in sharpness.measures):
            with self._placed(self.source.where(("sharpness", "measures"))):
                self.catalogue.measures.kind(name)
        return found

    def _nameless(self, key: str) -> list[dict[str, Any]]:
        return self._checked(self.nameless[key], NAMELESS[key], key, (key,))

    def _models(self, dataset: Mapping[str, Any]) -> list[dict[str, Any]]:
        if self.blocks["model"]:
            return self._variations("model")
        return self._resolve("model", Block({"name": self._default_model(dataset)}, ("model",)))

    def _variations(self, section: str) -> list[dict[str, Any]]:
        return [settings for block in self._chosen(section) for settings in self._resolve(section, block)]

    def _chosen(self, section: str) -> list[Block]:
        """The blocks of a section, or those that stand for none."""
        if self.blocks[section]:
            return self.blocks[section]
        names = DEFAULTS.get(section) or dict.fromkeys(map(self._default_model, self._variations("dataset")))
        return [Block({"name": name}, (section,)) for name in names]

    def _default_model(self, dataset: Mapping[str, Any]) -> str:
        kind = self.catalogue.datasets.kind(dataset["name"])
        return str(kind.default_model or ("cnn" if kind.is_images else "linear"))

    def _resolve(self, section: str, block: Block) -> list[dict[str, Any]]:
        """The block's own little grid, each cell with its defaults."""
        where = self.source.where((*block.path, "name"))
        resolved = []
        for name, base in block.names_and_bases():
            if not isinstance(name, str):
                raise ConfigError(f"{where}: this {section} has no name; write it as in {section}: {{name: ...}}.")
            options = self._options(section, name, base, where)
            name = self.catalogue.canonical(name) if section in ("dataset", "model") else name  # noqa: PLW2901
            values = {k: v for k, v in block.values.items() if k not in ("name", "base")}
            if base is not None:
                values["base"] = base
            for settings in self._checked(values, options, name, block.path):
                self._construct(section, name, settings, where)
                resolved.append({"name": name, **settings})
        return resolved

    def _options(self, section: str, name: str, base: Any, where: str) -> Mapping[str, Any]:
        with self._placed(where):
            for file in filter(None, map(plugin_of, (name, str(base)))):
                if ":" not in file:
                    self.plug_in(file)
            return self.catalogue.options(section, name, base)

    @contextmanager
    def _placed(self, where: str) -> Iterator[None]:
        """Say where a name stands that is not known, or that a Python file may know which was not to be run."""
        try:
            yield
        except ConfigError as error:
            if not self.withheld:
                raise ConfigError(f"{where}: {error}") from None
            files = tuple(dict.fromkeys(self.withheld))
            flags = " ".join(f"--plugin {shlex.quote(file)}" for file in files)
            raise PluginNeeded(
                f"{self.source.name} names the Python file {' and '.join(files)}; allow it with {flags}.", files
            ) from None

    def _construct(self, section: str, name: str, settings: Mapping[str, Any], where: str) -> None:
        """Let the kinds check what no single option can."""
        try:
            self.catalogue.create(section, {"name": name, **settings})
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None

    def _checked(
        self, values: Mapping[str, Any], options: Mapping[str, Any], noun: str, path: KeyPath
    ) -> list[dict[str, Any]]:
        for key, value in values.items():
            if value == [] and not (key in options and options[key].is_list):
                raise ConfigError(f"{self.source.where((*path, key))}: {key} is an empty list; give it a value.")
        return [check(options, cell, noun, self.source, path) for cell in choices_of(values, options)]

    def set_in_blocks(self, section: str, key: str, value: Any) -> bool:
        """Give an option of a section's blocks a value wherever there is such an option; False if nowhere."""
        self.blocks[section] = self._chosen(section)
        reached = False
        for block in self.blocks[section]:
            if key == "name" or any(key in options for options in self._options_of_block(section, block)):
                block.values[key] = value
                self.source.flags.add((*block.path, key))
                reached = True
        return reached

    def names(self, section: str) -> list[Any]:
        """The names in a section, or those that stand for none."""
        return [name for block in self._chosen(section) for name in as_list(block.values.get("name"))]

    def _options_of_block(self, section: str, block: Block) -> list[Mapping[str, Any]]:
        return [self._options(section, str(name), base, "--set") for name, base in block.names_and_bases()]

    def _options_of_blocks(self, section: str) -> list[Mapping[str, Any]]:
        return [options for block in self._chosen(section) for options in self._options_of_block(section, block)]

    def _sections_with(self, key: str) -> list[str]:
        """The sections that have such an option here."""
        found = [name for name in SECTIONS if any(key in options for options in self._options_of_blocks(name))]
        return list(dict.fromkeys([*found, *(name for name, options in NAMELESS.items() if key in options)]))

    def _names(self, datasets: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """The name of the experiment for each data set: the same where it is given."""
        each = [str(dataset["name"]) for dataset in datasets]
        if self.name is None:
            known = list(self.catalogue.datasets)
            return {one: default_name(one, beside=each, known=known, folders=self.folders) for one in each}
        if not isinstance(self.name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", self.name):
            raise ConfigError(
                f"{self.source.where(('name',))}: the name {str(self.name)[:100]!r} is to be a folder's; "
                "use letters, digits, dots, dashes and underscores, at most 100 of them."
            )
        return dict.fromkeys(each, self.name)


def _refusal(key: str, value: Any) -> str:
    """A sentence on a key that a document cannot have, with what may have been meant."""
    if key == "base":  # where a file is read, it is taken out
        return "only an experiment file can have a base; leave it out."
    clause = nearest(key, (*KEYS, "base"))
    if isinstance(value, dict | list) and clause.startswith("known"):
        clause = f"{clause.removesuffix('.')}; values to be named by aliases go under a key such as x-{key}."
    return f"unknown key {key!r}; {clause}"
