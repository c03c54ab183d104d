"""`samcli landscape`: pictures of the loss around and between trained networks."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from samcli.cli.options import CacheDir, Checkpoints, Device, KnownDataDir, MovedImages, NeededPlugins, Quiet, Verbose
from samcli.cli.output import detail, hint, result, say
from samcli.cli.output_file import check_picture
from samcli.cli.reading import reading_shown, use_cache_dir
from samcli.errors import ConfigError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from samcli.train.landscape import Surveyed

EXAMPLE = "Example: samcli landscape results/quickstart --dimensions 2 --output landscape.pdf"
SECONDS_BETWEEN_LINES = 10.0


class Directions(StrEnum):
    """The directions that a slice may go along."""

    random = "random"
    leading = "leading"


def landscape(
    checkpoints: Checkpoints,
    dimensions: Annotated[int, typer.Option(min=1, max=2, help="1 for curves, 2 for contours.")] = 1,
    directions: Annotated[
        Directions, typer.Option(help="Filter-normalised random ones, or the Hessian's leading eigenvectors.")
    ] = Directions.random,
    line: Annotated[bool, typer.Option("--line", help="Instead: the line between two checkpoints.")] = False,
    span: Annotated[
        float | None,
        typer.Option(
            help="The largest coordinate; how far a line goes on beyond its ends.", show_default="1, line: 0.5"
        ),
    ] = None,
    points: Annotated[
        int | None, typer.Option(min=2, help="Points along each axis.", show_default="41, contours: 25")
    ] = None,
    examples: Annotated[int, typer.Option(min=1, help="Examples that the loss is a mean over.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Chooses the examples and the directions.")] = 0,
    output: Annotated[
        Path, typer.Option(metavar="FILE.png|.svg|.pdf", help="The picture; the numbers go beside it as FILE.csv.")
    ] = Path("landscape.png"),
    plugin: NeededPlugins = None,
    data_dir: KnownDataDir = None,
    cache_dir: CacheDir = None,
    image_folder: MovedImages = None,
    device: Device = "auto",
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw the training loss around trained networks, or on the line between two, in evaluation mode.

    Several checkpoints are cut along the same random draw and share a picture and its scale.
    A slice shows one or two of very many directions: compare networks of one architecture, and more than one seed.
    """
    say(quiet=quiet, verbose=verbose)
    use_cache_dir(cache_dir)
    from samcli.runs.folder import find_checkpoints

    _check_request(output, line, dimensions, directions, span)
    paths = find_checkpoints(checkpoints)
    if line and len(paths) != 2:
        raise ConfigError(f"--line needs two checkpoints, not {len(paths)}; name two, the first is where it begins.")

    from samcli.registry import load_plugin
    from samcli.runs import checkpoint
    from samcli.runs.files import write_atomic
    from samcli.train.device import choose_device

    for file in plugin or []:
        load_plugin(file)
    for path in paths:
        checkpoint.load(path)  # one that cannot be read is found before the others are computed
    points = points or (25 if dimensions == 2 else 41)
    how: dict[str, Any] = {
        "points": points,
        "examples": examples,
        "seed": seed,
        "data_dir": data_dir,
        "image_folder": image_folder,
        "device": choose_device(device),
    }
    with reading_shown():
        if line:
            figure, numbers = _draw_line(paths, beyond=0.5 if span is None else span, **how)
        else:
            span = 1.0 if span is None else span
            figure, numbers = _draw_slices(paths, span=span, dimensions=dimensions, directions=directions.value, **how)
    from samcli.report.pictures import encode

    write_atomic(output, encode(figure, output.suffix.removeprefix(".").lower()))
    write_atomic(output.with_suffix(".csv"), numbers)
    result(f"{output}\n{output.with_suffix('.csv')}")
    if not line and dimensions == 1 and len(paths) > 1:
        hint("Means over seeds: samcli plot RESULTS --kind landscape, or samcli report RESULTS.")


def _check_request(output: Path, line: bool, dimensions: int, directions: Directions, span: float | None) -> None:
    """Refuse what cannot be drawn before anything is computed.

    Raises:
        ConfigError: it cannot be drawn.
    """
    check_picture(output)
    if line and (dimensions != 1 or directions != Directions.random):
        raise ConfigError("--line has its own direction; leave --dimensions and --directions out.")
    if span is not None and not (0.0 <= span < math.inf if line else 0.0 < span < math.inf):
        raise ConfigError(f"--span must be a number {'at least' if line else 'above'} 0, not {span}.")
    table = output.with_suffix(".csv")
    if table.exists() and not (
        table.is_file() and table.read_bytes().startswith((b"checkpoint,alpha", b"t,train_loss"))
    ):
        raise ConfigError(f"{table} is there and holds something else; give --output another name.")


def _draw_slices(
    paths: list[Path], *, dimensions: int, directions: str, points: int, seed: int, **how: Any
) -> tuple[Figure, str]:
    """The picture and the numbers of slices through checkpoints."""
    from samcli.report.landscape_csv import slices_as_csv
    from samcli.report.pictures.landscape import draw_curves, draw_panels, slice_labels
    from samcli.report.settings import captions, dataset_and_model
    from samcli.train.landscape import survey_slice

    found: list[Surveyed] = []
    for number, path in enumerate(paths, 1):
        hint(f"{number}/{len(paths)} {path.parent.name}")
        detail(f"{path}")
        how |= {"dimensions": dimensions, "directions": directions, "points": points, "seed": seed}
        found.append(survey_slice(path, tell=hints_of_progress(), **how))
        if found[-1].unwritten:
            hint(f"  It is not kept beside the checkpoint. {found[-1].unwritten}")
        if not found[-1].landscapes["train"].converged:
            hint("  The eigenvectors have not converged: the directions are roughly the leading ones.")
    configs = [one.configs[0] for one in found]
    if len({dataset_and_model(config) for config in configs}) > 1:
        hint(
            "Landscapes of different architectures or data sets do not compare: a picture shows them side by side only."
        )
    landscapes = [one.landscapes["train"] for one in found]
    losses = " or ".join(dict.fromkeys(one.loss for one in found))
    labels = slice_labels(configs, landscapes, losses, directions, seed)
    draw = draw_panels if dimensions == 2 else draw_curves
    return draw(landscapes, captions(configs), labels), slices_as_csv([str(path) for path in paths], landscapes)


def _draw_line(paths: list[Path], *, seed: int, **how: Any) -> tuple[Figure, str]:
    """The picture and the numbers of the line between two checkpoints."""
    from samcli.report.landscape_csv import line_as_csv
    from samcli.report.pictures.landscape import draw_line, line_labels
    from samcli.report.settings import captions
    from samcli.train.landscape import survey_line

    first, last = paths
    found = survey_line(first, last, tell=hints_of_progress(), seed=seed, **how)
    if not found.same_data:
        hint(f"The two runs had different data; the losses are those on the data of {first.parent.name}.")
    ends = [" ".join(caption) for caption in captions(found.configs)]
    if ends[0] == ends[1]:  # of one run
        ends = [path.stem if path.stem != "checkpoint" else path.parent.name for path in paths]
    labels = line_labels(found.configs, found.landscapes, found.loss, seed)
    return draw_line(found.landscapes, (ends[0], ends[1]), labels), line_as_csv(found.landscapes)


def hints_of_progress() -> Callable[[int, int], None]:
    """A function that says now and then, on standard error, how many points are done and how long the others take.

    >>> tell = hints_of_progress()
    >>> tell(1, 3)  # too early to say
    """
    start = last = math.nan

    def tell(done: int, points: int) -> None:
        nonlocal start, last
        now = time.monotonic()
        if done == 1:  # what was loaded and warmed up before is no measure of the rest
            start = last = now
        elif now - last > SECONDS_BETWEEN_LINES and done < points:
            last = now
            hint(f"  {done} of {points} points, about {(now - start) / (done - 1) * (points - done):.0f} s left")

    return tell
