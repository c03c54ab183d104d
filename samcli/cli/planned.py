"""What `samcli train` tells of a plan before it trains, and what it finds out by then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

from samcli.cli.output import document, hint, laid_out, result, warn
from samcli.cli.reading import reading_shown
from samcli.errors import ResultsError

MOST_TOLD = 10  # runs of a kind that are named one by one

if TYPE_CHECKING:
    from samcli.config import RunConfig
    from samcli.launch import Cell
    from samcli.launch.estimate import Estimate


def plan_record(cells: Sequence[Cell], estimate: Estimate) -> dict[str, object]:
    """Every run with its folder and state, and how long what is left takes, as plain values."""
    runs = [
        {
            "folder": str(c.folder.path),
            "state": c.state,
            "epochs_done": c.epochs_done,
            "config": c.config.document(),
        }
        for c in cells
    ]
    return {"runs": runs, "estimate": estimate.record()}


def show_plan(cells: Sequence[Cell], estimate: Estimate, json: bool) -> None:
    """Print every run with its folder and state, and how long what is left takes."""
    from samcli.words import count

    if json:
        document(plan_record(cells, estimate))
        return
    for cell in cells:
        result(f"{cell.state:<9} {cell.epochs_done:>4}/{cell.config.training.epochs:<4} {cell.folder.path}")
    tell_longer(cells)
    busy = [cell for cell in cells if cell.state == "busy"]
    others = f" besides {len(busy)} that another process has" if busy else ""
    hint(f"{count(len(cells), 'run')}, {sum(cell.to_do for cell in cells)} left to do{others}.")
    for cell in busy[:MOST_TOLD]:
        hint(f"{cell.folder.path.name} {cell.detail}")
    if any(cell.epochs_left for cell in cells):
        words = estimate.words()
        hint(f"{words[0].upper()}{words[1:]}.")


def tell_left_out(number: int) -> None:
    """Say how many cells of the grid are no runs of the experiment."""
    from samcli.words import count

    if number:
        hint(f"{count(number, 'cell')} of the grid left out by only and exclude.")


def tell_earlier(cells: Sequence[Cell]) -> None:
    """Say what became of the runs that this command does not train, and how many are left."""
    from samcli.words import count

    waiting = sum(cell.to_do for cell in cells)
    if kept := sum(cell.state == "finished" for cell in cells):
        are = "is" if kept == 1 else "are"
        hint(f"{kept} of {count(len(cells), 'run')} {are} finished already, {waiting} left to do.")
    tell_longer(cells)
    for state in ("diverged", "failed"):
        runs = [cell for cell in cells if cell.state == state]
        for cell in runs[:MOST_TOLD]:
            warn(f"{cell.folder.path.name} {state} before{': ' if cell.detail else '.'}{cell.detail}")
        if len(runs) > MOST_TOLD:
            warn(f"{count(len(runs) - MOST_TOLD, 'more run')} {state} before.")
    if any(cell.state == "failed" for cell in cells):
        hint("--retry-failed tries again what failed.")


def tell_longer(cells: Sequence[Cell]) -> None:
    """Say which runs go on from finished ones of fewer epochs, and for each reason how many cannot."""
    from samcli.words import count

    if going_on := sum(cell.state == "resume" and cell.shorter is not None for cell in cells):
        words = "goes on from a finished one" if going_on == 1 else "go on from finished ones"
        hint(f"{count(going_on, 'run')} {words} of fewer epochs, whose files stay where they are.")
    reasons = Counter(cell.detail for cell in cells if cell.state == "new" and cell.detail)
    for reason, runs in reasons.items():
        begins = "begins" if runs == 1 else "begin"
        hint(f"{count(runs, 'run')} finished with fewer epochs {begins} anew with more, since {reason}.")


def tell_changes(cells: Sequence[Cell]) -> None:
    """Say once for each reason which runs are trained anew, and what becomes of the old ones."""
    from samcli.words import count

    reasons = Counter(cell.detail for cell in cells if cell.state == "changed")
    for reason, runs in reasons.items():
        are, they = ("It is", "it") if runs == 1 else ("They are", "they")
        warn(
            f"{count(runs, 'run')} of before used {reason}. {are} trained anew, and what {they} gave is kept in the "
            "experiment's folder .replaced; with --reuse-changed it counts as it is."
        )


def try_out(cells: Sequence[Cell], data_dir: Path) -> None:
    """Tell what training would find wrong with the data and the models; nothing is downloaded for it."""
    from samcli.config import trainings_of
    from samcli.train import CATALOGUE
    from samcli.train.rehearsal import rehearse

    runs: list[RunConfig] = []
    absent: dict[str, None] = {}
    for config in (cell.config for cell in cells if cell.to_do):
        kinds = [CATALOGUE.create("dataset", one.dataset) for one in trainings_of(config)]
        missing = [kind.title for kind in kinds if not kind.is_at_hand(data_dir)]
        absent |= dict.fromkeys(missing)
        if not missing:
            runs.append(config)
    for title in absent:
        hint(f"{title} is not in {data_dir} yet; training downloads it.")
    with reading_shown():
        rehearse(runs, data_dir, fetches=False)
        tell_contents(runs, data_dir)


def tell_contents(runs: Sequence[RunConfig], data_dir: Path) -> None:
    """Say once for each data set what it holds, and what was guessed of it."""
    from samcli.config import trainings_of
    from samcli.train.digests import told_of

    staged = [one for config in runs for one in trainings_of(config)]
    each = {repr(one.dataset): one.dataset for one in staged}  # a folder of images is listed anew for each look at it
    told = [told_of(dataset, data_dir) for dataset in each.values()]
    for lines in dict.fromkeys(tuple(laid_out(clauses)) for clauses, _ in told):
        for line in lines:
            hint(line)
    for guessed in dict.fromkeys(guessed for _, guessed in told if guessed):
        hint(f"Note: {guessed}")


def check_no_file(results: Path) -> None:
    """Find out without writing anything that no results can go there.

    Raises:
        ResultsError: a file stands there.
    """
    if any(place.exists() and not place.is_dir() for place in (results, *results.parents)):
        raise ResultsError(f"A file stands where the results folder {results} would be; choose another with --results.")


def check_writable(results: Path) -> None:
    """Find out now, not after the first epoch, whether the results can be written.

    Raises:
        ResultsError: they cannot.
    """
    try:
        results.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=results, prefix=".samcli-probe-"):  # a name of its own: others may look, too
            pass
    except OSError as error:
        raise ResultsError(
            f"Cannot write to the results folder {results} ({error.strerror}); choose another with --results."
        ) from error
