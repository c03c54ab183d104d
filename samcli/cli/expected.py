"""What an experiment expects of its runs: looked at before they are trained, and kept with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from samcli.cli.output import hint
from samcli.cli.plot import Kind, Over, check_request
from samcli.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from samcli.config import Draft, RunConfig
    from samcli.launch import Cell


def check_hypotheses(draft: Draft, data_dir: Path) -> None:
    """Refuse hypotheses that no results can judge, and tell where the seeds are too few for them.

    Raises:
        ConfigError: there is one.
        DataError: only the data tell what is predicted, and they cannot be read.
    """
    if not draft.hypotheses:
        return
    from samcli.report.rehearsed import rehearse_hypotheses, seeds_to_decide

    written = draft.as_written()
    rehearse_hypotheses(draft.hypotheses, written, _kept_later(draft), _scores(data_dir))
    if told := seeds_to_decide(draft.hypotheses, len({run.seed for run in written})):
        hint(told)


def check_picture(draft: Draft, runs: Sequence[RunConfig], data_dir: Path) -> None:
    """Refuse the picture of a claim that samcli plot would not draw, or of no results of its runs.

    Raises:
        ConfigError: it is one.
        DataError: only the data tell what is predicted, and they cannot be read.
    """
    if draft.claim is None or draft.claim.picture is None:
        return
    from samcli.report.rehearsed import rehearse_picture

    picture = draft.claim.picture
    over = picture.get("over")
    if over is not None and over not in list(Over):
        raise ConfigError(f"picture of the claim: over must be one of {', '.join(Over)}, not {over!r}.")
    try:
        check_request(
            Kind(picture["kind"]), picture.get("metric"), Over(over) if over else None, picture.get("axis"), None
        )
        rehearse_picture(picture, runs, _kept_later(draft), _scores(data_dir))
    except ConfigError as error:
        raise ConfigError(f"picture of the claim: {error}") from error


def _kept_later(draft: Draft) -> list[str]:
    """What may be found out about networks: by any command, of a claim in training and by those that it calls."""
    from samcli.robustness import PERTURBATIONS
    from samcli.train import CATALOGUE
    from samcli.train.bounded import MEASURE

    found = {"sharpness": list(CATALOGUE.measures), "robustness": list(PERTURBATIONS), "bound": [MEASURE]}
    if draft.claim is None:
        return [name for names in found.values() for name in names]
    called = [command.split()[0] for command in draft.claim.afterwards]
    recorded = [name for run in draft.as_written() if run.sharpness.every for name in run.sharpness.measures]
    return [*dict.fromkeys([*recorded, *(name for command in found if command in called for name in found[command])])]


def _scores(data_dir: Path) -> Callable[[RunConfig], str]:
    """A function from a run to the name of what its task is scored by."""
    from samcli.train.components import scored_by

    return lambda run: scored_by(run, data_dir)


def record_expected(cells: Sequence[Cell], draft: Draft) -> None:
    """Keep what is expected of the runs, and the claim that they look into, before they are trained."""
    from samcli.runs.claim_file import record_claim
    from samcli.runs.hypotheses_file import record
    from samcli.runs.reader import finished_below, setting_digest

    settings = None
    if draft.hypotheses:
        asked = [*draft.as_written(), *(cell.config for cell in cells)]
        settings = {setting_digest(run.document()) for run in asked}
    for place in dict.fromkeys(cell.folder.path.parent for cell in cells):
        record(place, draft.hypotheses, finished_below(place) if draft.hypotheses else 0, settings)
        if draft.claim:
            record_claim(place, draft.source.data["claim"])
