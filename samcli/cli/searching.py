"""The search of `samcli tune`: rounds of runs, trained as those of `samcli train` are."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from samcli.cli.output import document, hint, terminal_width, text, warn
from samcli.cli.reading import reading_shown
from samcli.cli.training import Training
from samcli.errors import ConfigError

if TYPE_CHECKING:
    from samcli.config import Draft, RunConfig
    from samcli.config.tune import Tuning
    from samcli.tune.contender import Contender
    from samcli.tune.search import Progress
    from samcli.tune.trial import Outcome


class Search:
    """The search of an experiment's `tune:`.

    Args:
        how: its runs are trained.
        draft: the experiment.
        tuning: its block.

    Attributes:
        runs: of the experiment; their seeds are the final ones.
        contenders: the optimizers that are tuned.
        place: the folder of the trials.

    Raises:
        ConfigError: an experiment that cannot be tuned, see `samcli.tune.contender.contenders_of`.
    """

    def __init__(self, how: Training, draft: Draft, tuning: Tuning) -> None:
        from samcli.train import CATALOGUE
        from samcli.tune.contender import contenders_of

        self.draft, self.tuning, self.runs = draft, tuning, how.checked(draft)
        self.contenders: list[Contender] = contenders_of(self.runs, tuning, CATALOGUE)
        self.place = how.results / f"{self.runs[0].name}-tune"
        self._how = how
        self._begun = False
        self._rounds = 0

    def train(self) -> Progress:
        """Search to the end; `tune.csv` is replaced after each round.

        Raises:
            Exit: a run is another process's, or none did anything but fail.
        """
        from samcli.runs.files import write_atomic
        from samcli.train import CATALOGUE
        from samcli.tune.search import rounds
        from samcli.tune.suggest import OptunaSuggester
        from samcli.tune.table import as_csv, trial_rows

        column, unit = self._measure()
        suggesters = {one.name: OptunaSuggester(one, self.tuning.search, column) for one in self.contenders}
        self._tell_starts()
        progress = None
        for progress in rounds(self.contenders, self.tuning, suggesters, unit, self._outcomes, CATALOGUE):
            write_atomic(self.place / "tune.csv", as_csv(trial_rows(progress)))
            if progress.all_failed:
                warn(f"samcli: No run of the first trials finished; see why: samcli runs {self.place} --status failed")
                hint("--retry-failed tries again what failed.")
                raise typer.Exit(1)
        assert progress is not None
        return progress

    def _measure(self) -> tuple[str, int]:
        """The column that trials are judged by, and the gradient evaluations of one of one pass a step.

        Raises:
            ConfigError: there is no validation part.
        """
        import torch

        from samcli.train.components import load_dataset

        first = self.contenders[0].run
        with reading_shown():
            dataset = load_dataset(first, data_dir=self._how.data_dir, device=torch.device("cpu"))
        if dataset.validation is None:
            raise ConfigError(
                "Settings are chosen on a validation part, and there is none; hold one out with "
                f"dataset: {{name: {first.dataset['name']}, validation: 0.2}}."
            )
        steps = dataset.steps(first.training.batch_size)
        examples = min(len(dataset.train), steps * first.training.batch_size)
        if first.federated:  # those of an average round
            share = (first.federated.per_round or 0) / first.federated.clients
            examples = round(len(dataset.train) * share) * first.federated.local_epochs
        return f"validation_{dataset.task.metric}", examples * first.training.epochs * len(self.tuning.seeds)

    def _tell_starts(self) -> None:
        from samcli.tune.contender import settings_words

        for one in self.contenders:
            if one.axes and not one.starts:
                own = settings_words({key: one.run.optimizer[key] for key in one.axes})
                hint(f"{one.name}: the search does not begin at its own {own}, for the space does not hold it.")

    def _outcomes(self, configs: Sequence[RunConfig]) -> list[Outcome]:
        """Train runs, each once, and read what each came to."""
        from samcli.launch.plan import look_again
        from samcli.tune.budget import rounds_of
        from samcli.tune.trial import DIVERGED, FAILED, FINISHED, outcome_of
        from samcli.words import count

        self._rounds += 1
        number = rounds_of(self.tuning.search)
        of = f" of {number}" if number else ""
        each = {config.identity: config for config in configs}
        cells = self._how.plan(list(each.values()))
        if any(cell.to_do or cell.state == "busy" for cell in cells):
            trials = count(len(configs) // len(self.tuning.seeds), "trial")
            hint(f"Round {self._rounds}{of}: {trials}, {count(len(cells), 'run')}")
            came_to = self._how.train(cells, self._how.slots(cells), again=self._begun, part="validation")
            self._begun = True
            cells = [look_again(cell) for cell in cells]
            # a run that failed before it could write so is known by its engine alone
            states = [FAILED if came_to.get(c.folder.path.name) == FAILED else c.state for c in cells]
        else:
            states = [cell.state for cell in cells]
        if left := sum(state not in (FINISHED, DIVERGED, FAILED) for state in states):
            warn(f"samcli: {count(left, 'run')} of this round did not end; the same command continues.")
            raise typer.Exit(1)
        found = {
            cell.config.identity: outcome_of(cell.folder.path, state) for cell, state in zip(cells, states, strict=True)
        }
        return [found[config.identity] for config in configs]

    def show(self, json: bool) -> None:
        """Print what would be searched."""
        from samcli.report.text_table import text_table
        from samcli.train import CATALOGUE
        from samcli.tune.table import plan_rows

        if CATALOGUE.create("dataset", self.runs[0].dataset).is_at_hand(self._how.data_dir):  # else it is downloaded
            self._measure()
        rows = plan_rows(self.contenders, self.tuning)
        if json:
            document({"results": str(self.place), "seeds": self.tuning.seeds, "optimizers": rows})
            return
        text(text_table([_headed(row) for row in rows], width=terminal_width(), color=sys.stdout.isatty()))
        self._tell_starts()


def _headed(row: Mapping[str, Any]) -> dict[str, str]:
    return {key[0].upper() + key[1:]: str(value) for key, value in row.items()}
