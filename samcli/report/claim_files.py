"""The files of a claim that was run: its numbers, and its picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from samcli.errors import ConfigError, SamcliError
from samcli.metrics import column_called
from samcli.report.claimed import Claimed, baseline_of
from samcli.report.comparison import compare
from samcli.report.drawing import figure, numbers
from samcli.report.formats import render
from samcli.report.judged_table import judged_records
from samcli.report.plot import Plot
from samcli.report.row import Comparison
from samcli.report.small_table import in_csv
from samcli.runs.files import write_atomic
from samcli.runs.reader import Run

WIDTH = 7.0  # of a picture, in inches


def write_claim(found: Claimed, runs: Sequence[Run], place: Path) -> list[str]:
    """Write `verdict.csv`, a row for each hypothesis, `arms.csv`, the comparison of all arms, and `picture.png`.

    Args:
        found: the claim.
        runs: of its experiment.
        place: the folder of the experiment, into which they go.

    Returns:
        Sentences on what was written, and on what could not be drawn.
    """
    verdicts, arms = place / "verdict.csv", place / "arms.csv"
    comparison = _arms(runs, _metric(found.claim.picture))
    about = {"claim": str(found.outcome), "words": found.words(), "made_of": comparison.origin}
    write_atomic(verdicts, in_csv([about | one for one in judged_records(found.judgements)]).encode())
    write_atomic(arms, render(comparison, "csv").encode())
    told = [comparison.origin, f"Numbers: {verdicts}, {arms}"]
    if (picture := found.claim.picture) is not None:
        try:
            file = _draw(picture, runs, place / "picture.png")
            told.append(f"Picture: {file}")
        except SamcliError as error:
            told.append(f"No picture: {error}")
    return told


def _arms(runs: Sequence[Run], metric: str | None) -> Comparison:
    """The comparison by what the picture shows; by the test score where no run has that, which leaves no picture."""
    baseline = baseline_of(runs)
    try:
        return compare(runs, baseline=baseline, metric=metric)
    except ConfigError:
        return compare(runs, baseline=baseline)


def _metric(picture: Mapping[str, str] | None) -> str | None:
    """What the arms are compared by: what the picture shows of them, None for the test score."""
    if (
        picture is None or "metric" not in picture or picture["kind"] == "sharpness"
    ):  # which shows it along the other axis
        return None
    return column_called(picture["metric"])


def drawn(picture: Mapping[str, str], runs: Sequence[Run]) -> Plot:
    """What the picture of a claim shows.

    Raises:
        ConfigError: the runs have nothing of this kind.
    """
    metric = picture.get("metric")
    return numbers(
        picture["kind"],
        runs,
        metric=column_called(metric) if metric else None,
        over=picture.get("over"),
        axis=picture.get("axis"),
        baseline=baseline_of(runs),
    )


def _draw(picture: Mapping[str, str], runs: Sequence[Run], file: Path) -> Path:
    """Draw the picture of a claim into a file."""
    from samcli.report.pictures import encode

    write_atomic(file, encode(figure(picture["kind"], drawn(picture, runs), WIDTH), "png"))
    return file
