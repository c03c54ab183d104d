"""The settings of runs that a plot is made of: their finished runs, their names, and in which panel they belong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from samcli.errors import ConfigError, NothingToCompare
from samcli.report.groups import grouped, one_per_seed
from samcli.report.metric import task_metric, with_metric
from samcli.report.order import by_size
from samcli.report.plot import Panel, Plot
from samcli.report.settings import Config, distinguishing, label, spoken, unsaid
from samcli.runs.reader import Run
from samcli.words import count, joined, seeds

MOST_PANELS = 6
MOST_LINES = 30  # that can still be told apart
MOST_POINTS = 56  # pairs of colour and marker


@dataclass(frozen=True)
class Setting:
    """The finished runs of one setting, at least one.

    Attributes:
        config: that of its first run.
        words: the options that tell it from others, see `samcli.report.settings.distinguishing`.
        dataset: how people say the name of the data set.
        metric: the column that is drawn.
        runs: in the order of their seeds.
    """

    config: Config
    words: Mapping[str, str]
    dataset: str
    metric: str
    runs: tuple[Run, ...]

    def name(self, leaving_out: str = "") -> str:
        """The optimizer with the options that tell it from others, one of them perhaps left out."""
        words = {key: value for key, value in self.words.items() if key != leaving_out}
        return " ".join(filter(None, (self.config["optimizer"]["name"], label(words))))

    def where(self, leaving_out: str = "") -> str:
        """The data set and the model with the options that tell them from others, one of them perhaps left out."""
        words = {key: value for key, value in self.words.items() if key != leaving_out}
        parts = [(self.dataset, label(words, "dataset")), (self.config["model"]["name"], label(words, "model"))]
        return ", ".join(" ".join(filter(None, part)) for part in parts)


def settings_of(runs: Sequence[Run], metric: str | None = None) -> tuple[list[Setting], list[str]]:
    """The settings that have finished runs, by their names, and sentences on the runs that are not in them.

    Args:
        runs: any runs.
        metric: what is drawn; by default the test score of the task.

    Raises:
        NothingToCompare: no runs, or none that has finished.
        ConfigError: no run has the metric.

    >>> from samcli.report.example import example_runs
    >>> settings, notes = settings_of(example_runs())
    >>> [(setting.name(), setting.where(), len(setting.runs)) for setting in settings], notes
    ([('sam rho=0.05', 'digits, cnn', 2), ('sgd', 'digits, cnn', 2)], [])
    """
    if not runs:
        raise NothingToCompare("There are no runs to plot; train some first: samcli train")
    if not any(run.state == "finished" for run in runs):
        raise NothingToCompare("No run has finished; samcli runs tells how far they are and what failed.")
    if metric is not None:
        metric, runs = with_metric(metric, runs)
    single, duplicates = one_per_seed(runs)
    metrics = {place: metric or task_metric(group) for place, group in grouped(single, lambda run: run.place).items()}
    groups = list(grouped(single, lambda run: run.setting).values())
    configs = [group[0].config for group in groups]
    labels = spoken(config["dataset"]["name"] for config in configs)
    found, notes = [], []
    if left_out := unsaid(configs):
        named = joined([f"{key}={value}" for key, value in left_out.items()])
        notes.append(f"Settings that do not say otherwise have {named}.")
    for group, config, words in zip(groups, configs, distinguishing(configs), strict=True):
        finished = tuple(sorted((run for run in group if run.state == "finished"), key=lambda run: run.seed))
        setting = Setting(config, words, labels[config["dataset"]["name"]], metrics[group[0].place], finished)
        notes += _unfinished(setting, group)
        if finished:
            found.append(setting)
    notes += [f"{run.folder} repeats a run with the same settings and seed; it is not drawn." for run in duplicates]
    return sorted(found, key=lambda setting: by_size(setting.name())), notes


def _unfinished(setting: Setting, group: Sequence[Run]) -> Iterator[str]:
    """A sentence on the runs that are left out of a setting, with the state of each."""
    states = grouped((run for run in group if run.state != "finished"), lambda run: run.state)
    told = [f"{state} {seeds(sorted(run.seed for run in runs))}" for state, runs in states.items()]
    if told:
        flatters = ", which flatters it" if "diverged" in states and setting.runs else ""
        yield f"{setting.name()} on {setting.where()}: not drawn are {joined(told)}{flatters}."


def plot_of(
    panels: Sequence[Panel], runs: Sequence[Run], notes: Sequence[str], *, title: str, caption: str, most: int | None
) -> Plot:
    """The plot of some panels, if they are few enough, and so are the names of their series.

    Args:
        panels: in any order.
        runs: that it is of; the folder of the first is an example.
        notes: sentences on the runs that are not in it.
        title: what follows the name of the metric.
        caption: its one line.
        most: how many series the picture can show; None where it has room for any number, and for any panels.

    Raises:
        ConfigError: too many.

    >>> from samcli.report.plot import Quantity
    >>> x, y = Quantity("epoch", "epoch"), Quantity("test_loss", "test loss")
    >>> plot_of([Panel("digits, cnn", x, y, ())], [], [], title="over epochs", caption="", most=30).title
    'Test loss over epochs'
    """
    names = {series.name for panel in panels for series in panel.series}
    limits = (
        () if most is None else ((len(panels), "data sets and models", MOST_PANELS), (len(names), "settings", most))
    )
    for number, noun, limit in limits:
        if number > limit:
            example = runs[0].folder.parent / f"*-{runs[0].config['optimizer']['name']}-*"
            raise ConfigError(
                f"{number} {noun} are too many for one picture, which has room for {limit}; "
                f"name the folders of fewer runs, such as {example}"
            )
    metrics = " or ".join(dict.fromkeys(panel.y.label.removesuffix(" in %") for panel in panels))
    ordered = tuple(sorted(panels, key=lambda panel: by_size(panel.where)))
    return Plot(f"{metrics[:1].upper()}{metrics[1:]} {title}", caption, ordered, tuple(notes))


def over_seeds(panels: Sequence[Panel], spread: str) -> str:
    """What a caption says of means over seeds.

    Args:
        panels: at least one with a point.
        spread: what shows the standard deviation, such as "band".

    >>> from samcli.report.plot import Point, Quantity, Series
    >>> x = Quantity("epoch", "epoch")
    >>> over_seeds([Panel("", x, x, (Series("sgd", (Point(1.0, 0.5, n=2), Point(2.0, 0.5, n=3))),))], "band")
    'mean over 2 to 3 seeds, band: ± one standard deviation'
    """
    numbers = [point.n for panel in panels for series in panel.series for point in series.points]
    low, high = min(numbers), max(numbers)
    if high == 1:
        return "one seed"
    often = f"{low} to {high} seeds" if low < high else count(high, "seed")
    return f"mean over {often}, {spread}: ± one standard deviation"
