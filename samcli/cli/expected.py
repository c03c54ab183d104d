"""What an experiment expects of its runs: looked at before they are trained, and kept with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from samcli.cli.output import hint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from samcli.config import Draft
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
    from samcli.robustness import PERTURBATIONS
    from samcli.train import CATALOGUE
    from samcli.train.bounded import MEASURE
    from samcli.train.components import scored_by

    written = draft.as_written()
    kept_later = [*CATALOGUE.measures, *PERTURBATIONS, MEASURE]
    rehearse_hypotheses(draft.hypotheses, written, kept_later, lambda run: scored_by(run, data_dir))
    if told := seeds_to_decide(draft.hypotheses, len({run.seed for run in written})):
        hint(told)


def record_expected(cells: Sequence[Cell], draft: Draft) -> None:
    """Keep what is expected of the runs, and the claim that they look into, before they are trained."""
    from samcli.runs.claim_file import record_claim
    from samcli.runs.hypotheses_file import record
    from samcli.runs.reader import finished_below

    for place in dict.fromkeys(cell.folder.path.parent for cell in cells):
        record(place, draft.hypotheses, finished_below(place) if draft.hypotheses else 0)
        if draft.claim:
            record_claim(place, draft.source.data["claim"])
